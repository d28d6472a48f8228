"""POST /api/v1/events: bad input is named, good input beside it is kept."""

import json
from typing import Any

import pytest

from abtest.domain.access import KeyKind
from abtest.domain.experiment import ExperimentKey
from abtest.store.protocol import Store
from tests.web.api.conftest import HOME, Asker

BOUGHT: dict[str, Any] = {
    "id": "1", "type": "conversion", "visitor": "v1", "step": "purchase",
}  # fmt: skip
pytestmark = pytest.mark.usefixtures("running")


def bought(**told: object) -> dict[str, Any]:
    return {**BOUGHT, **told}


def test_one_event_or_a_list_of_them(ask: Asker) -> None:
    assert ask.send(BOUGHT).content == {
        "accepted": 1, "duplicates": 0, "rejected": [],
    }  # fmt: skip
    answer = ask.send({"events": [BOUGHT, bought(id="2")]})
    assert answer.status == 200
    assert answer.content == {"accepted": 1, "duplicates": 1, "rejected": []}
    assert ask.send({"events": []}).content["accepted"] == 0


def test_unknown_fields_are_ignored(ask: Asker) -> None:
    old_snippet = {"events": [bought(colour="red", url={"x": [1]})], "v": 3}
    assert ask.send(old_snippet).content["accepted"] == 1
    path = "/api/v1/events?utm_source=x"
    assert ask("POST", path, bought(id="2"), key=KeyKind.SERVER).status == 200


def test_text_plain_needs_no_preflight(ask: Asker) -> None:
    headers = {"Content-Type": "text/plain;charset=UTF-8"}
    body = bought(key=ask.secrets[KeyKind.PUBLISHABLE])
    answer = ask("POST", "/api/v1/events", body, headers=headers)
    assert answer.content["accepted"] == 1


BAD = {
    "unknown step": (
        bought(step="checkout"), "step", "unknown_step", ["checkout", "purchase"],
    ),
    "wrong currency": (
        bought(value=5, currency="USD"), "currency", "wrong_currency", ["USD", "EUR"],
    ),
    "no currency": (
        bought(value=5, currency="€"), "currency", "invalid_currency", ["€", "EUR"],
    ),
    "future": (
        bought(at="2036-01-01T00:00:00Z"), "at", "at_in_future", ["2036", "clock"],
    ),
    "ancient": (
        bought(at="1970-01-01T00:00:00Z"), "at", "at_too_old", ["1970", "clock"],
    ),
    "no time": (
        bought(at="yesterday"), "at", "invalid_time", ["yesterday", "2026-01-31T"],
    ),
    "time without offset": (
        bought(at="2026-03-01T10:00:00"), "at", "invalid_time", ["2026-03-01", "Z"],
    ),
    "1 MB id": (
        bought(id="x" * 100_000), "id", "too_long", ["xxx", "100000", "at most 64"],
    ),
    "1 MB visitor": (
        bought(visitor="y" * 100_000), "visitor", "too_long", ["yyy", "at most 128"],
    ),
    "e-mail": (
        bought(visitor="me@example.com"), "visitor", "not_a_person",
        ["me@example.com", "random id"],
    ),
    "negative": (
        bought(value=-1), "value", "negative_value", ["-1", "refund"],
    ),
    "text for a number": (
        bought(value="49.90"), "value", "invalid_type", ["49.90", "a number"],
    ),
    "number for a text": (
        bought(order=1001), "order", "invalid_type", ["1001", "a text"],
    ),
    "infinite": (
        bought(value=1e300), "value", "invalid_value", ["1e+300"],
    ),
    "no type": (
        {"visitor": "v", "step": "purchase"}, "type", "required", ["conversion"],
    ),
    "not an object": (7, "", "invalid_type", ["7", "an object"]),
    "not running": (
        {"type": "exposure", "visitor": "v", "experiment": "draft", "variant": "a"},
        "experiment", "not_running", ["draft", "start it"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("event", "field", "code", "words"), BAD.values(), ids=BAD.keys()
)
def test_bad_input_is_named_and_what_is_good_is_kept(
    ask: Asker,
    store: Store,
    event: dict[str, Any],
    field: str,
    code: str,
    words: list[str],
) -> None:
    ask.manage("POST", "/experiments", {**HOME, "key": "draft"})
    euros = {"weights": {"money": True, "currency": "EUR"}}
    for key in ("home", "draft"):
        assert ask.manage("PATCH", f"/experiments/{key}", euros).status == 200
    shown = {"type": "exposure", "visitor": "v1", "experiment": "home", "variant": "a"}
    good = [shown, bought(id="g1"), bought(id="g2", step="signup")]
    answer = ask.send({"events": [*good, event]}, key=KeyKind.SERVER)
    assert answer.status == 200
    assert answer.content["accepted"] == 3
    (rejected,) = answer.content["rejected"]
    assert rejected["index"] == 3
    assert (rejected["field"], rejected["code"]) == (field, code)
    for word in words:
        assert word in rejected["detail"]
    assert len(rejected["detail"]) < 300
    assert len(rejected["id"] or "") <= 60
    (moments,) = store.moments(ExperimentKey("home")).values()
    assert moments.visitors == 1


MALFORMED = {
    "empty": b"",
    "broken": b'{"events": [{"type": "conversion"',
    "not UTF-8": b'{"type": "conversion", "visitor": "\xff"}',
    "lone surrogate": b'{"type": "conversion", "visitor": "\\ud800"}',
    "NaN": b'{"type": "conversion", "value": NaN}',
    "depth bomb": b'{"events": [{"attributes": ' + b"[" * 100_000,
    "depth bomb, closed": b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a list": b"[1, 2]",
    "a text": b'"conversion"',
    "events no list": b'{"events": {"type": "conversion"}}',
    "sent_at no time": b'{"events": [], "sent_at": "now"}',
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_body_that_is_wrong_as_a_whole_stores_nothing(
    ask: Asker, body: bytes
) -> None:
    answer = ask.send(body)
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.content["type"] == "/problems/invalid"
    assert ask.send(BOUGHT).content["duplicates"] == 0


def test_one_event_is_named_like_one_of_many(ask: Asker) -> None:
    event = bought(step="checkout", id="7")
    (alone,) = ask.send(event).content["rejected"]
    assert ask.send({"events": [event]}).content["rejected"] == [alone]
    wrong = bought(value="1", id="8")
    (alone,) = ask.send(wrong).content["rejected"]
    assert ask.send({"events": [wrong]}).content["rejected"] == [alone]
    assert (alone["index"], alone["id"]) == (0, "8")


def test_too_many_and_too_large(ask: Asker) -> None:
    many = {"events": [bought(id=str(n)) for n in range(501)]}
    answer = ask.send(many)
    assert answer.status == 413
    assert "501 events were sent; send at most 500" in answer.content["detail"]
    large = {"events": [BOUGHT], "padding": "x" * 262_144}
    answer = ask.send(large)
    assert answer.status == 413
    assert answer.content["type"] == "/problems/too_large"
    assert ask.send({"events": many["events"][:500]}).content["accepted"] == 500


def test_browsers_may_not_tell_what_only_servers_know(ask: Asker) -> None:
    shown = {"type": "exposure", "visitor": "v", "experiment": "home", "variant": "a"}
    (rejected,) = ask.send(shown).content["rejected"]
    assert (rejected["field"], rejected["code"]) == ("type", "not_allowed")
    assert ask.send(shown, key=KeyKind.SERVER).content["accepted"] == 1


def test_an_old_event_needs_a_server_key(ask: Asker) -> None:
    old = bought(at="2025-12-01T00:00:00Z")
    (rejected,) = ask.send(old).content["rejected"]
    assert rejected["code"] == "at_too_old"
    assert "server key" in rejected["detail"]
    assert ask.send(old, key=KeyKind.SERVER).content["accepted"] == 1


def test_the_clock_of_the_sender_is_corrected(ask: Asker, store: Store) -> None:
    # The service's clock says 12:00; the sender's is three days ahead.
    shown = {
        "type": "exposure", "visitor": "v", "experiment": "home", "variant": "a",
        "at": "2026-03-05T11:00:00Z",
    }  # fmt: skip
    body = {"events": [shown], "sent_at": "2026-03-05T12:00:00Z"}
    assert ask.send(body, key=KeyKind.SERVER).content["accepted"] == 1
    first = store.facts(ExperimentKey("home")).first_exposure
    assert first == 1_772_449_200_000  # 2026-03-02T11:00:00Z


def test_every_type_is_recorded(ask: Asker) -> None:
    events = [
        {"type": "exposure", "visitor": "v", "experiment": "home", "variant": "b",
         "attributes": {"device": "phone", "age": 30, "new": True, "x": None}},
        {"type": "conversion", "customer": "c", "step": "purchase", "value": 49.9,
         "currency": "EUR", "order": "A-1", "at": "2026-03-02T10:00:00+01:00"},
        {"type": "refund", "order": "A-1", "value": 9.9, "currency": "EUR"},
        {"type": "identify", "visitor": "v", "customer": "c"},
        {"type": "cost", "source": "ads", "day": "2026-03-01", "amount": 120.5,
         "currency": "EUR"},
        {"type": "cost", "experiment": "home", "day": "2026-03-01", "amount": 1,
         "currency": "EUR"},
    ]  # fmt: skip
    answer = ask.send({"events": events}, key=KeyKind.SERVER)
    assert answer.content == {"accepted": 6, "duplicates": 0, "rejected": []}
    assert json.loads(answer.body)["rejected"] == []
