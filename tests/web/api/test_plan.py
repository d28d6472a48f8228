"""POST /api/v1/plan."""

from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it brings no types
import pytest

from abtest.domain.access import KeyKind
from abtest.web.api.openapi import describe
from abtest.web.api.routes import ROUTES
from tests.web.api.conftest import Answer, Asker

SHOP: dict[str, Any] = {
    "visitors_per_day": 2000,
    "first_rate": 0.05,
    "repeat_rate": 0.25,
    "weights": {"first": 1, "second": 3},
    "method": "fixed",
}
"""The shop of the published table of durations."""


def plan(
    ask: Asker, body: object, query: str = "", *, key: KeyKind = KeyKind.READ
) -> Answer:
    return ask("POST", f"/api/v1/plan{query}", body, key=key)


def test_a_plan(ask: Asker) -> None:
    answer = plan(ask, SHOP)
    assert answer.status == 200
    content = answer.content
    reference = {"$ref": "#/components/schemas/PlanView"}
    jsonschema.validate(content, {**describe(ROUTES), **reference})
    value = content["value"]
    assert (value["traffic_days"], value["total_days"]) == (52, 71)
    assert value["visitors_per_variant"] == [52_000, 52_000]
    assert (content["start"], value["decide_from"]) == ("2026-03-02", "2026-05-12")
    assert value["curve"][0]["days"] == 61
    assert content["weights"] == {"first": 1, "second": 3}
    assert content["baseline"]["second_rate"] == pytest.approx(0.0125)
    assert content["baseline"]["first_order_value"] is None
    assert content["sequential_price"] == 0
    assert content["guardrail"]["is_resolvable"] is True
    assert plan(ask, SHOP, key=KeyKind.ADMIN).content == content


def test_money(ask: Asker) -> None:
    content = plan(
        ask,
        {
            **SHOP,
            "weights": {"money": True, "currency": "EUR"},
            "order_value": {"mean": 50, "sd": 40},
            "minimum_detectable_effect": 0.2,
            "start": "2026-04-01",
        },
    ).content
    assert content["weights"] == {
        "money": True,
        "currency": "EUR",
        "first_margin": 1,
        "second_margin": 1,
    }
    assert content["baseline"]["value_per_visitor"] == pytest.approx(50 * 0.0625)
    assert content["start"] == "2026-04-01"


def test_what_cannot_be_planned_says_why(ask: Asker) -> None:
    content = plan(ask, {**SHOP, "visitors_per_day": 20}).content
    assert content["value"]["not_estimable"] == "too_few_visitors"
    assert content["guardrail"]["not_estimable"] == "too_few_visitors"
    assert "traffic_days" not in content["value"]
    assert content["value"]["curve"]


def test_the_summary_is_in_the_language_asked_for(ask: Asker) -> None:
    german, english = (
        plan(ask, SHOP, f"?lang={lang}").content for lang in ("de", "en")
    )
    assert german["value"] == english["value"]
    assert len(german["summary"]) == len(english["summary"])
    assert not set(german["summary"]) & set(english["summary"])
    assert english["summary"][0] == (
        "Send visitors for 52 days: 52,000 for each of 2 variants."
    )
    assert "12.05.2026, 71 Tage nach dem Start" in german["summary"][1]


def test_every_kind_of_sentence_is_translated(ask: Asker) -> None:
    """Plans of every shape; a sentence left in English would stand in both."""
    for told in (
        {"method": "sequential", "first_conversion_margin": 0.01, "shares": [3, 1]},
        {"visitors_per_day": 20},
        {"weights": {"first": -1, "second": 1}},
        {"traffic_days": 300, "visitors_per_day": 300},
    ):
        german, english = (
            plan(ask, {**SHOP, **told}, f"?lang={lang}").content["summary"]
            for lang in ("de", "en")
        )
        assert len(german) == len(english) > 1
        assert not set(german) & set(english)
        assert not any("{" in sentence for sentence in (*german, *english))


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"visitors": 3}, "/visitors", "unknown_field"),
        ({"weights": {"third": 3}}, "/weights/third", "unknown_field"),
        ({"first_rate": "5%"}, "/first_rate", "invalid_type"),
        ({"start": "soon"}, "/start", "invalid_day"),
        ({"first_rate": 5}, "/first_rate", "invalid_first_rate"),
    ],
)
def test_a_wrong_question_is_named(
    ask: Asker, change: dict[str, object], pointer: str, code: str
) -> None:
    answer = plan(ask, {**SHOP, **change})
    assert (answer.status, answer.codes) == (400, [(pointer, code)])


def test_a_missing_number_a_wrong_address_and_an_unknown_history(ask: Asker) -> None:
    assert plan(ask, {}).codes == [("/visitors_per_day", "required")]
    assert plan(ask, SHOP, "?lang=fr").codes == [("?lang", "invalid_choice")]
    assert plan(ask, SHOP, "?as_of=2026-01-01").status == 400
    assert plan(ask, {"visitors_per_day": 9, "history": "nope"}).status == 404
