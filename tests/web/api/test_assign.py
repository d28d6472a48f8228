"""POST and GET /api/v1/assign."""

import re
from urllib.parse import urlencode

import pytest

from abtest.domain.access import KeyKind
from abtest.domain.experiment import ExperimentKey
from abtest.store.protocol import Store
from tests.web.api.conftest import Answer, Asker

pytestmark = pytest.mark.usefixtures("running")


def visitors(store: Store) -> int:
    return sum(m.visitors for m in store.moments(ExperimentKey("home")).values())


def get(ask: Asker, **query: str) -> Answer:
    path = f"/api/v1/assign?{urlencode(query)}"
    return ask("GET", path, key=KeyKind.PUBLISHABLE)


def test_the_answer_has_the_shape_of_the_contract(ask: Asker) -> None:
    answer = ask.assign({"visitor": "v1", "url": "https://x.de/?a=1", "consent": True})
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    (home,) = answer.content["assignments"].values()
    payloads = {"a": {}, "b": {"headline": "Grüß Gott"}}
    assert answer.content == {
        "visitor": "v1",
        "assignments": {
            "home": {
                "variant": home["variant"],
                "payload": payloads[home["variant"]],
                "in_experiment": True,
                "reason": "assigned",
                "first_exposure": True,
            }
        },
    }
    again = ask.assign({"visitor": "v1"}).content["assignments"]["home"]
    assert again == {**home, "first_exposure": False}


def test_a_visitor_is_made_and_said_so(ask: Asker) -> None:
    content = ask.assign({}).content
    assert content["visitor_created"] is True
    assert re.fullmatch(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", content["visitor"]
    )


def test_get_gives_the_same_answer_and_records_nothing(
    ask: Asker, store: Store
) -> None:
    told = get(ask, visitor="v1", experiments="home").content
    assert visitors(store) == 0
    assert ask.assign({"visitor": "v1"}).content == told
    assert get(ask, visitor="v1").content["assignments"]["home"] == {
        **told["assignments"]["home"],
        "first_exposure": False,
    }


def test_get_knows_consent_force_and_repeated_experiments(
    ask: Asker, store: Store
) -> None:
    assert (
        get(ask, visitor="v", consent="false").content["assignments"]["home"]["reason"]
        == "no_consent"
    )
    forced = get(ask, visitor="v", force="home:b").content["assignments"]["home"]
    assert (forced["variant"], forced["reason"]) == ("b", "forced")
    both = "/api/v1/assign?visitor=v&experiments=home&experiments=nope&utm=1"
    answer = ask("GET", both, key=KeyKind.PUBLISHABLE)
    assert list(answer.content["assignments"]) == ["home"]
    assert answer.codes == [("/experiments/1", "unknown_experiment")]
    assert get(ask, visitor="v", consent="maybe").codes == [
        ("?consent", "invalid_value")
    ]
    assert get(ask, visitor="v", force="home").codes == [("?force", "invalid_value")]
    assert visitors(store) == 0


@pytest.mark.parametrize(
    "header",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
    ],
)
def test_a_prefetched_page_records_nothing(
    ask: Asker, store: Store, header: dict[str, str]
) -> None:
    key = KeyKind.PUBLISHABLE
    body = {"visitor": "v1"}
    answer = ask("POST", "/api/v1/assign", body, key=key, headers=header)
    assert answer.content["assignments"]["home"]["reason"] == "assigned"
    assert visitors(store) == 0


@pytest.mark.parametrize(
    ("kind", "reason"), [(KeyKind.PUBLISHABLE, "bot"), (KeyKind.SERVER, "assigned")]
)
def test_a_crawler_is_one_in_a_browser_only(
    ask: Asker, kind: KeyKind, reason: str
) -> None:
    crawler = {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}
    body = {"visitor": "v1"}
    answer = ask("POST", "/api/v1/assign", body, key=kind, headers=crawler)
    assert answer.content["assignments"]["home"]["reason"] == reason


def test_unknown_fields_are_ignored(ask: Asker) -> None:
    assert ask.assign({"visitor": "v1", "screen": [1, 2]}).status == 200


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"visitor": 7}, "/visitor", "invalid_type"),
        ({"visitor": "me@example.com"}, "/visitor", "not_a_person"),
        ({"visitor": "x" * 129}, "/visitor", "too_long"),
        ({"visitor": "v", "experiments": "home"}, "/experiments", "invalid_type"),
        ({"visitor": "v", "experiments": [1]}, "/experiments/0", "invalid_type"),
        ({"visitor": "v", "consent": "yes"}, "/consent", "invalid_type"),
        ({"visitor": "v", "attributes": {"a": [1]}}, "/attributes", "invalid_type"),
        (
            {"visitor": "v", "attributes": {f"a{n}": "x" * 300 for n in range(30)}},
            "/attributes",
            "too_long",
        ),
    ],
)
def test_bad_requests_are_named(
    ask: Asker, store: Store, body: object, pointer: str, code: str
) -> None:
    answer = ask.assign(body)
    assert answer.status == 400
    assert answer.codes == [(pointer, code)]
    assert visitors(store) == 0


def test_attributes_are_kept_with_the_exposure(ask: Asker, store: Store) -> None:
    body = {"visitor": "v1", "attributes": {"device": "phone", "age": 30.5}}
    assert ask.assign(body).status == 200
    assert visitors(store) == 1
