"""GET /api/v1/experiments/{key}/report."""

import pytest

from abtest.domain.access import KeyKind
from tests.web.api.conftest import Answer, Asker

pytestmark = pytest.mark.usefixtures("running")

VARIANTS = ("a", "b")


def report(ask: Asker, query: str = "", *, key: KeyKind = KeyKind.READ) -> Answer:
    return ask("GET", f"/api/v1/experiments/home/report{query}", key=key)


def record(ask: Asker) -> None:
    """Ten visitors each, exposed on 26 February; three of b buy."""
    shown = [
        {
            "id": f"x{variant}{n}",
            "type": "exposure",
            "experiment": "home",
            "variant": variant,
            "visitor": f"{variant}{n}",
            "at": "2026-02-26T10:00:00Z",
        }
        for variant in VARIANTS
        for n in range(10)
    ]
    bought = [
        {
            "id": f"c{n}",
            "type": "conversion",
            "step": "purchase",
            "visitor": f"b{n}",
            "at": "2026-02-27T10:00:00Z",
        }
        for n in range(3)
    ]
    assert (
        ask.send({"events": [*shown, *bought]}, key=KeyKind.SERVER).content["accepted"]
        == 23
    )


def test_what_was_recorded_is_reported(ask: Asker) -> None:
    record(ask)
    content = report(ask).content
    assert (content["schema_version"], content["experiment"]) == (1, "home")
    assert content["as_of"] == "2026-03-01"
    a, b = content["variants"]
    assert (a["key"], a["control"], b["control"]) == ("a", True, False)
    assert (a["visitors"], b["visitors"]) == (10, 10)
    assert (a["first"]["observed"], b["first"]["observed"]) == (0, 3)
    assert content["verdict"]["code"] == "too_early"
    earlier = report(ask, "?as_of=2026-02-26").content
    assert [v["first"]["observed"] for v in earlier["variants"]] == [0, 0]


def test_the_same_question_gives_the_same_bytes(ask: Asker) -> None:
    record(ask)
    assert report(ask).body == report(ask, key=KeyKind.ADMIN).body


def test_other_worths_can_be_tried(ask: Asker) -> None:
    record(ask)
    tried = report(ask, "?first_weight=1&second_weight=10").content
    assert tried["weights"]["second"] == 10


def test_the_sentence_is_in_the_language_asked_for(ask: Asker) -> None:
    german, english = (report(ask, f"?lang={lang}").content for lang in ("de", "en"))
    assert german["verdict"]["code"] == english["verdict"]["code"] == "no_data"
    assert german["verdict"]["sentence"] != english["verdict"]["sentence"]


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("as_of=yesterday", "?as_of", "invalid_day"),
        ("as_of=20260301", "?as_of", "invalid_day"),
        ("second_weight=much", "?second_weight", "invalid_value"),
        ("second_weight=nan", "?second_weight", "invalid_value"),
        ("lift_prior=0", "?lift_prior", "invalid_value"),
        ("lift_prior=-1", "?lift_prior", "invalid_value"),
        ("first_weight=1e999", "?first_weight", "invalid_value"),
        ("lang=fr", "?lang", "invalid_choice"),
        ("asof=2026-03-01", "?asof", "unknown_parameter"),
    ],
)
def test_a_wrong_address_is_named(
    ask: Asker, query: str, pointer: str, code: str
) -> None:
    answer = report(ask, f"?{query}")
    assert (answer.status, answer.codes) == (400, [(pointer, code)])


def test_a_day_that_is_not_complete_yet(ask: Asker) -> None:
    assert report(ask, "?as_of=2026-03-02").status == 400


def test_an_unknown_experiment(ask: Asker) -> None:
    path = "/api/v1/experiments/nope/report"
    assert ask("GET", path, key=KeyKind.READ).status == 404
