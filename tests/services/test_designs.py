"""Plans that differ from the usual one: two windows, always-valid looks."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from abtest.domain.experiment import (
    Action,
    Experiment,
    Method,
    SequentialDesign,
)
from abtest.services.analysis import analyze
from abtest.services.report import ExperimentReport, VerdictCode
from abtest.stats.results import NotEstimable, SequentialResult, ValueEstimate
from abtest.store.protocol import Store
from tests.services.shoppers import Shopper, visits
from tests.services.traffic import KEY, START, Cohort, events, running

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ALWAYS = replace(
    running(method=Method.SEQUENTIAL), sequential_design=SequentialDesign.ALWAYS_VALID
)


def mean(estimate: ValueEstimate | NotEstimable) -> float:
    assert isinstance(estimate, ValueEstimate)
    return estimate.mean


def test_the_first_conversion_has_a_window_of_its_own(store: Store) -> None:
    """Of ten, three buy on day 2 and two on day 6; three of them again on day 20."""
    shoppers = [
        Shopper(variant=variant, bought=bought)
        for variant in ("a", "b")
        for bought in (
            ((2, 1000), (20, 1000)),
            ((2, 1000), (20, 1000)),
            ((2, 1000),),
            ((6, 1000), (20, 1000)),
            ((6, 1000),),
            *((),) * 5,
        )
    ]
    store.add_experiment(replace(running(), first_window_days=3))
    store.record(visits(shoppers), received_at=NOW)
    found = analyze(store, KEY, now=NOW)
    control = found.variants[0]
    assert (found.window_days, found.first_window_days) == (30, 3)
    assert (control.first.observed, control.second.observed) == (3, 3)
    assert mean(control.first.rate) == pytest.approx(0.3)
    assert mean(control.second.rate) == pytest.approx(0.3)
    assert mean(control.value) == pytest.approx(0.3 + 3 * 0.3)
    # Decided is when the longer window is over.
    assert found.maturity.decide_from == date(2026, 1, 5) + timedelta(days=31)


def test_without_one_both_windows_are_the_same(store: Store) -> None:
    store.add_experiment(running())
    store.record(
        visits([Shopper(variant=v, bought=((20, 10),)) for v in "aabb"]),
        received_at=NOW,
    )
    found = analyze(store, KEY, now=NOW)
    assert found.first_window_days is None
    assert found.variants[0].first.observed == 2


def traffic(store: Store, experiment: Experiment, *, better: int = 0) -> None:
    """Record 20 days of 200 visitors each, 20 and so many more of whom buy."""
    store.add_experiment(experiment)
    cohorts = [
        Cohort(variant=variant, day=d, visitors=200, first=first, second=first // 2)
        for d in range(20)
        for variant, first in (("a", 20 + d % 5), ("b", 20 + better + d % 3))
    ]
    store.record(events(cohorts), received_at=NOW)


def sequential(found: ExperimentReport) -> SequentialResult:
    result = found.comparisons[0].value.sequential
    assert isinstance(result, SequentialResult)
    return result


def test_always_valid_looks(store: Store) -> None:
    """The normal mixture of the last look, from the report's own plain test."""
    traffic(store, ALWAYS)
    last = date(2026, 2, 20)
    found = analyze(store, KEY, now=NOW, as_of=last)
    first_look = analyze(store, KEY, now=NOW, as_of=date(2026, 2, 4))
    tau = 0.1 * mean(first_look.variants[0].value)
    plain = found.comparisons[0].value.frequentist
    assert not isinstance(plain, NotEstimable)
    x = (tau / plain.standard_error) ** 2
    half = plain.standard_error * math.sqrt(
        (1 + 1 / x) * (2 * math.log(1 / 0.05) + math.log(1 + x))
    )
    result = sequential(found)
    assert result.method == "normal_mixture"
    assert found.plan.sequential_design is SequentialDesign.ALWAYS_VALID
    assert result.confidence_interval.lower == pytest.approx(plain.effect - half)
    assert result.confidence_interval.upper == pytest.approx(plain.effect + half)
    assert found.comparisons[0].decision_interval == result.confidence_interval
    first = found.comparisons[0].first.sequential
    assert isinstance(first, SequentialResult)
    assert first.method == "normal_mixture"


def test_the_usual_design_is_narrower(store: Store) -> None:
    traffic(store, running(method=Method.SEQUENTIAL))
    found = analyze(store, KEY, now=NOW, as_of=date(2026, 2, 20))
    assert found.plan.sequential_design is SequentialDesign.GROUP_SEQUENTIAL
    assert sequential(found).method == "group_sequential_obrien_fleming"


def test_a_clear_winner_is_found_by_always_valid_looks(store: Store) -> None:
    traffic(store, ALWAYS, better=40)
    found = analyze(store, KEY, now=NOW, as_of=date(2026, 2, 20))
    assert found.verdict.code is VerdictCode.WINNER


def test_always_valid_looks_have_no_end_but_a_closed_door(store: Store) -> None:
    """A plan of half the value needs little: the information is in, and it goes on."""
    easy = replace(ALWAYS, minimum_detectable_effect=0.5)
    traffic(store, easy)
    found = analyze(store, KEY, now=NOW)
    assert found.plan.information_fraction == 1
    assert not found.plan.is_at_end
    assert found.verdict.code is VerdictCode.RUNNING
    closed = easy.after(Action.CLOSE, START + timedelta(days=20))
    store.replace_experiment(replace(closed, version=2))
    ended = analyze(store, KEY, now=NOW)
    assert ended.plan.is_at_end
    assert ended.verdict.code is VerdictCode.EQUIVALENT


def test_the_first_possible_look_is_a_look(store: Store) -> None:
    traffic(store, ALWAYS)
    found = analyze(store, KEY, now=NOW, as_of=date(2026, 2, 4))
    assert sequential(found).method == "normal_mixture"


def test_first_conversions_that_the_control_lacks_are_not_judged(store: Store) -> None:
    """With a window of 0 days for the first, nobody of the control has one."""
    store.add_experiment(replace(ALWAYS, first_window_days=0))
    shoppers = [
        Shopper(variant=variant, bought=bought)
        for variant, lag in (("a", 1), ("b", 0))
        for bought in (((lag, 10), (5, 10)), ((lag, 10), (5, 10)), (), ())
    ]
    store.record(visits(shoppers), received_at=NOW)
    found = analyze(store, KEY, now=NOW)
    assert sequential(found).method == "normal_mixture"
    assert isinstance(found.comparisons[0].first.sequential, NotEstimable)
