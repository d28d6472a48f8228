"""The planner: durations, dates and the user's own history."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abtest.domain.experiment import ExperimentKey, Method
from abtest.domain.funnel import MoneyWeights
from abtest.errors import AbtestError, ErrorCode
from abtest.services.definition import WeightsDefinition
from abtest.services.plan_rules import OrderValueQuestion, PlanQuestion
from abtest.services.planning import PlannedExperiment, Timetable, plan_experiment
from abtest.stats.planning import Guardrail
from abtest.stats.results import NotEstimable, Reason
from abtest.store.protocol import Store
from abtest.web.render.plan_sentence import plan_sentences
from tests.services.traffic import KEY, START, Cohort, events, running

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHOP = PlanQuestion(
    visitors_per_day=2000,
    first_rate=0.05,
    repeat_rate=0.25,
    weights=WeightsDefinition(first=1, second=3),
    method="fixed",
)
"""The shop of the published table of durations."""


def answer(question: PlanQuestion, store: Store | None = None) -> PlannedExperiment:
    return plan_experiment(store, question, now=NOW)


def timetable(found: PlannedExperiment) -> Timetable:
    assert isinstance(found.value.timetable, Timetable)
    return found.value.timetable


def test_the_published_duration_and_sample_sizes() -> None:
    """5 %, 25 % in 60 days, second worth 3, 10 %: ready on day 70, counted from 0."""
    found = answer(SHOP)
    value = timetable(found)
    assert (value.traffic_days, value.total_days) == (52, 71)
    assert value.visitors_per_variant == (52_000, 52_000)
    assert value.sample_size == pytest.approx((47_125, 47_125), abs=1)
    first = found.first.timetable
    assert isinstance(first, Timetable)
    assert first.sample_size == pytest.approx((29_825, 29_825), abs=1)
    assert found.value_per_visitor == pytest.approx(0.05 + 3 * 0.05 * 0.25)


def test_the_date_is_the_day_after_the_last_complete_day() -> None:
    assert timetable(answer(SHOP)).decide_from == date(2026, 3, 2) + timedelta(days=71)
    later = answer(replace(SHOP, start="2026-04-01"))
    assert timetable(later).decide_from == date(2026, 6, 11)


def test_looking_every_day_costs_three_percent() -> None:
    fixed, daily = timetable(answer(SHOP)), answer(replace(SHOP, method="sequential"))
    assert (daily.method, daily.price) == (Method.SEQUENTIAL, 0.03)
    seen = timetable(daily)
    assert seen.sample_size[0] == pytest.approx(1.03 * fixed.sample_size[0], abs=2)
    assert seen.visitors_per_variant[0] == pytest.approx(
        1.03 * fixed.visitors_per_variant[0], abs=1000
    )
    assert seen.total_days > fixed.total_days


def test_visitors_follow_the_shares() -> None:
    found = answer(replace(SHOP, shares=(3, 1)))
    assert found.shares == (0.75, 0.25)
    value = timetable(found)
    assert value.visitors_per_variant == (
        1500 * value.traffic_days,
        500 * value.traffic_days,
    )
    large, small = value.sample_size
    assert large == pytest.approx(3 * small, abs=3)
    # The harmonic mean of both arms decides: 47,125 = 2 / (1/n1 + 1/n2).
    assert 2 / (1 / large + 1 / small) == pytest.approx(47_125, rel=1e-3)


def test_money_decides_on_revenue_and_conversions_are_still_counted() -> None:
    in_money = answer(
        replace(
            SHOP,
            weights=WeightsDefinition(money=True, currency="EUR", second_margin=0.5),
            order_value=OrderValueQuestion(mean=50, sd=0),
            second_order_value=OrderValueQuestion(mean=300, sd=0),
        )
    )
    assert in_money.value_per_visitor == pytest.approx(50 * 0.05 + 150 * 0.05 * 0.25)
    # Orders of 50 and half of 300 without spread weigh like points of 1 and 3.
    assert timetable(in_money) == timetable(answer(SHOP))
    assert in_money.first == answer(SHOP).first
    assert in_money.second == answer(SHOP).second


def test_orders_that_differ_take_longer() -> None:
    weights = WeightsDefinition(money=True, currency="EUR")
    days = [
        timetable(
            answer(
                replace(
                    SHOP,
                    weights=weights,
                    minimum_detectable_effect=0.2,
                    order_value=OrderValueQuestion(mean=50, sd=sd),
                )
            )
        ).traffic_days
        for sd in (0, 50, 100)
    ]
    assert days == sorted(set(days))


def test_a_margin_that_cannot_be_kept_is_told() -> None:
    found = answer(replace(SHOP, first_conversion_margin=0.03))
    assert isinstance(found.guardrail, Guardrail)
    assert not found.guardrail.is_resolvable
    assert found.guardrail.smallest_margin > 0.03
    wide = answer(SHOP).guardrail
    assert isinstance(wide, Guardrail)
    assert wide.is_resolvable


def test_too_few_visitors() -> None:
    found = answer(replace(SHOP, visitors_per_day=20))
    assert found.value.timetable == NotEstimable(Reason.TOO_FEW_VISITORS)
    assert found.value.curve[-1][1] > 0.1


def test_a_loss_maker_has_no_relative_change() -> None:
    found = answer(replace(SHOP, weights=WeightsDefinition(first=-1, second=1)))
    assert found.value.timetable == NotEstimable(Reason.NOT_POSITIVE)


NUMBER = st.floats(allow_nan=True, allow_infinity=True)
SENSIBLE = st.floats(0, 1)


@settings(max_examples=60, deadline=None)
@given(
    question=st.builds(
        PlanQuestion,
        visitors_per_day=st.floats(0, 1e10),
        first_rate=SENSIBLE,
        repeat_rate=SENSIBLE,
        window_days=st.integers(0, 40),
        weights=st.builds(
            WeightsDefinition,
            first=st.just(1.0) | NUMBER,
            second=st.just(3.0) | NUMBER,
        ),
        minimum_detectable_effect=SENSIBLE,
        alpha=st.floats(1e-6, 0.2),
        power=st.floats(0.5, 1),
        shares=st.lists(st.floats(0.01, 2), min_size=2, max_size=4).map(tuple),
        traffic_days=st.none() | st.integers(1, 40),
        method=st.sampled_from(Method),
    )
)
def test_whatever_is_asked_gets_an_answer_or_a_complaint(
    question: PlanQuestion,
) -> None:
    try:
        found = answer(question)
    except AbtestError:
        return
    assert len(plan_sentences(found, "de")) >= 2
    value = found.value.timetable
    if isinstance(value, Timetable):
        assert min(value.visitors_per_variant) >= 1


@pytest.fixture
def history(store: Store) -> str:
    """Of 4,000 visitors of each variant a tenth buys; 40 % again, 5 days later."""
    store.add_experiment(running())
    cohorts = [
        Cohort(variant=variant, day=day, visitors=400, first=40, second=16)
        for variant in ("a", "b")
        for day in range(10)
    ]
    store.record(events(cohorts), received_at=START)
    return KEY


def test_the_history_tells_rates_and_delays(store: Store, history: str) -> None:
    asked = PlanQuestion(visitors_per_day=800, history=history, method="fixed")
    found = answer(asked, store)
    assert found.history == ExperimentKey("home")
    assert found.baseline.first_rate == pytest.approx(0.1)
    assert found.baseline.repeat_rate == pytest.approx(0.4)
    assert (found.window.second, found.weights) == (30, running().weights)
    told = replace(
        asked,
        history=None,
        first_rate=0.1,
        repeat_rate=0.4,
        window_days=30,
        weights=WeightsDefinition(first=1, second=3),
    )
    # Everybody comes back after 5 days, not after 10 on average: less waiting.
    own, assumed = timetable(found), timetable(answer(told))
    assert own.sample_size == assumed.sample_size
    assert own.total_days < assumed.total_days


def test_the_history_tells_order_values(store: Store, history: str) -> None:
    weights = WeightsDefinition(money=True, currency="EUR")
    asked = PlanQuestion(visitors_per_day=800, history=history, weights=weights)
    found = answer(asked, store)
    assert found.weights == MoneyWeights(currency="EUR")
    assert found.baseline.first_order.mean == pytest.approx(20)
    assert found.value_per_visitor == pytest.approx(20 * 0.1 * 1.4)
    foreign = replace(asked, weights=replace(weights, currency="USD"))
    assert complaints(foreign, store) == [("/weights/currency", "wrong_currency")]


def test_a_history_must_be_long_enough(store: Store, history: str) -> None:
    """The oldest visitors came on 5 January: 55 days ago."""
    asked = PlanQuestion(visitors_per_day=800, history=history, window_days=55)
    assert answer(asked, store).window.second == 55
    longer = replace(asked, window_days=56)
    assert complaints(longer, store) == [("/history", "not_mature")]


def test_a_history_needs_conversions(store: Store) -> None:
    store.add_experiment(running())
    asked = PlanQuestion(visitors_per_day=800, history=KEY)
    assert complaints(asked, store) == [("/history", "no_visitors")]
    nobody = [Cohort(variant="a", day=0, visitors=50, first=0, second=0)]
    store.record(events(nobody), received_at=START)
    assert complaints(asked, store) == [("/history", "no_conversions")]
    with pytest.raises(AbtestError) as caught:
        answer(replace(asked, history="nope"), store)
    assert caught.value.code is ErrorCode.NOT_FOUND


def test_a_history_needs_second_conversions_too(store: Store) -> None:
    store.add_experiment(running())
    once = [Cohort(variant="a", day=0, visitors=50, first=9, second=0)]
    store.record(events(once), received_at=START)
    asked = PlanQuestion(visitors_per_day=800, history=KEY)
    assert complaints(asked, store) == [("/history", "no_conversions")]


def test_a_history_needs_a_database() -> None:
    with pytest.raises(AbtestError) as caught:
        answer(PlanQuestion(visitors_per_day=800, history=KEY))
    assert caught.value.code is ErrorCode.UNAVAILABLE


def test_a_history_imported_from_an_old_log(store: Store, history: str) -> None:
    """What is known ends where the log ends: the window is not over there."""
    before = store.get_experiment(ExperimentKey(history))
    store.replace_experiment(
        replace(before, followed_until="2026-02-03", version=before.version + 1)
    )
    asked = PlanQuestion(visitors_per_day=800, history=history)
    assert complaints(asked, store) == [("/history", "not_mature")]


def complaints(
    question: PlanQuestion, store: Store | None = None
) -> list[tuple[str, str]]:
    with pytest.raises(AbtestError) as caught:
        answer(question, store)
    assert caught.value.code is ErrorCode.INVALID
    assert all(e.detail for e in caught.value.errors)
    return [(e.pointer, e.code) for e in caught.value.errors]


MONEY = WeightsDefinition(money=True, currency="EUR")
ORDER = OrderValueQuestion(mean=50, sd=40)
NAN = float("nan")


@pytest.mark.parametrize(
    ("told", "pointer", "code"),
    [
        ({"visitors_per_day": 0}, "/visitors_per_day", "invalid_visitors_per_day"),
        ({"visitors_per_day": NAN}, "/visitors_per_day", "invalid_visitors_per_day"),
        ({"first_rate": None}, "/first_rate", "required"),
        ({"first_rate": 5}, "/first_rate", "invalid_first_rate"),
        ({"repeat_rate": -0.1}, "/repeat_rate", "invalid_repeat_rate"),
        ({"history": "home", "repeat_rate": None}, "/first_rate", "contradiction"),
        ({"window_days": -1}, "/window_days", "invalid_window_days"),
        (
            {"window_days": 30, "first_window_days": 31},
            "/first_window_days",
            "invalid_first_window_days",
        ),
        ({"start": "1 April"}, "/start", "invalid_day"),
        ({"traffic_days": 0}, "/traffic_days", "invalid_traffic_days"),
        (
            {"weights": WeightsDefinition(first=0, second=0)},
            "/weights/first",
            "invalid_weight",
        ),
        ({"weights": MONEY}, "/order_value", "required"),
        ({"order_value": ORDER}, "/order_value", "contradiction"),
        (
            {"weights": MONEY, "order_value": OrderValueQuestion(mean=0, sd=1)},
            "/order_value/mean",
            "invalid_mean",
        ),
        (
            {"weights": MONEY, "order_value": OrderValueQuestion(mean=1, sd=-1)},
            "/order_value/sd",
            "invalid_sd",
        ),
        (
            {"minimum_detectable_effect": 0},
            "/minimum_detectable_effect",
            "invalid_minimum_detectable_effect",
        ),
        (
            {"minimum_detectable_effect": 1e-9},
            "/minimum_detectable_effect",
            "invalid_minimum_detectable_effect",
        ),
        ({"alpha": 1e-20}, "/alpha", "invalid_alpha"),
        ({"alpha": 0.5}, "/alpha", "invalid_alpha"),
        ({"power": 0.05}, "/power", "invalid_power"),
        ({"variants": 1}, "/variants", "invalid_variants"),
        ({"shares": (1.0,)}, "/shares", "invalid_number"),
        ({"shares": (1.0, 1e-4)}, "/shares/1", "invalid_share"),
        ({"shares": (1.0, 0.0)}, "/shares/1", "invalid_share"),
        ({"shares": (1.0, 1.0), "variants": 3}, "/variants", "contradiction"),
        (
            {"first_conversion_margin": 1},
            "/first_conversion_margin",
            "invalid_first_conversion_margin",
        ),
        (
            {"expected_first_loss": -0.1},
            "/expected_first_loss",
            "invalid_expected_first_loss",
        ),
        ({"method": "hunch"}, "/method", "invalid_choice"),
    ],
)
def test_what_makes_no_sense_is_named(
    told: dict[str, Any], pointer: str, code: str
) -> None:
    assert complaints(replace(SHOP, **told)) == [(pointer, code)]


def test_everything_that_is_wrong_is_named_at_once() -> None:
    wrong = replace(SHOP, visitors_per_day=-1, alpha=0, power=2)
    assert [pointer for pointer, _ in complaints(wrong)] == [
        "/visitors_per_day",
        "/alpha",
        "/power",
    ]
