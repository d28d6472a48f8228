"""Warnings before a verdict: a page that loses buyers, and a very unequal split."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from abtest.domain.experiment import Experiment
from abtest.services.analysis import analyze
from abtest.services.report import (
    ExperimentReport,
    HealthCheck,
    HealthCode,
    HealthStatus,
    VerdictCode,
)
from abtest.store.protocol import Store
from tests.services.traffic import KEY, START, Cohort, events, running

NOW = datetime.fromisoformat("2026-06-01T12:00:00+00:00")


def report(
    store: Store,
    cohorts: list[Cohort],
    *,
    days: int,
    experiment: Experiment | None = None,
) -> ExperimentReport:
    """Report after so many complete days."""
    store.add_experiment(experiment or running())
    store.record(events(cohorts), received_at=NOW)
    return analyze(store, KEY, now=NOW, as_of=day(days))


def day(days: int) -> date:
    return (START + timedelta(days=days - 1)).date()


def check(found: ExperimentReport, code: HealthCode) -> HealthCheck | None:
    return next((c for c in found.health.checks if c.code is code), None)


def cohorts(sold: int, *, days: int = 3, second: int = 0) -> list[Cohort]:
    """Return 200 visitors a day: 20 of the control's buy, so many of the other's."""
    return [
        Cohort(variant=variant, day=d, visitors=200, first=first, second=second)
        for d in range(days)
        for variant, first in (("a", 20), ("b", sold))
    ]


@pytest.mark.parametrize(
    ("sold", "status"),
    [(20, HealthStatus.OK), (15, HealthStatus.OK), (0, HealthStatus.WARNING)],
)
def test_a_broken_page_does_not_wait_for_the_window(
    store: Store, sold: int, status: HealthStatus
) -> None:
    found = report(store, cohorts(sold), days=3)
    safety = check(found, HealthCode.GUARDRAIL_SAFETY)
    assert safety is not None
    assert safety.status is status
    assert safety.threshold == -0.2
    assert safety.observed == pytest.approx((sold / 20 - 1,))
    assert safety.value is not None
    assert safety.value > safety.observed[0]
    assert (safety.value < -0.2) == (status is HealthStatus.WARNING)
    assert found.verdict.code is VerdictCode.TOO_EARLY


def test_a_loss_within_the_margin_is_none(store: Store) -> None:
    generous = running(margin=0.9)
    found = report(store, cohorts(4, days=10), days=10, experiment=generous)
    safety = check(found, HealthCode.GUARDRAIL_SAFETY)
    assert safety is not None
    assert safety.status is HealthStatus.OK


def test_without_a_margin_any_sure_loss_warns(store: Store) -> None:
    strict = running(margin=0.0)
    found = report(store, cohorts(0), days=3, experiment=strict)
    safety = check(found, HealthCode.GUARDRAIL_SAFETY)
    assert safety is not None
    assert safety.status is HealthStatus.WARNING


def test_the_worst_of_several_variants_is_told(store: Store) -> None:
    three = running(variants=("a", "b", "c"))
    sold = [
        Cohort(variant=v, day=0, visitors=400, first=first, second=0)
        for v, first in (("a", 60), ("b", 60), ("c", 0))
    ]
    found = report(store, sold, days=1, experiment=three)
    safety = check(found, HealthCode.GUARDRAIL_SAFETY)
    assert safety is not None
    assert safety.status is HealthStatus.WARNING
    assert safety.observed == (-1.0,)


def test_few_conversions_warn_nobody(store: Store) -> None:
    """One day: 20 first conversions of the control; 25 are needed."""
    found = report(store, cohorts(0, days=1), days=1)
    assert check(found, HealthCode.GUARDRAIL_SAFETY) is None


def test_few_visitors_without_conversions_warn_nobody(store: Store) -> None:
    """A quarter of the control buys; none of six others does: not bounded at all."""
    sold = [
        Cohort(variant="a", day=0, visitors=200, first=50, second=0),
        Cohort(variant="b", day=0, visitors=6, first=0, second=0),
    ]
    found = report(store, sold, days=1)
    assert check(found, HealthCode.GUARDRAIL_SAFETY) is None


def test_nobody_of_the_other_variant_warns_nobody(store: Store) -> None:
    alone = [Cohort(variant="a", day=0, visitors=400, first=60, second=0)]
    found = report(store, alone, days=1)
    assert check(found, HealthCode.GUARDRAIL_SAFETY) is None


def test_when_everybody_bought_there_is_no_chance_to_judge(store: Store) -> None:
    all_of_them = [
        Cohort(variant=v, day=0, visitors=40, first=40, second=0) for v in ("a", "b")
    ]
    found = report(store, all_of_them, days=1)
    assert check(found, HealthCode.GUARDRAIL_SAFETY) is None


def test_the_guardrail_takes_over_once_the_window_is_reached(store: Store) -> None:
    found = report(store, cohorts(0), days=31)
    assert check(found, HealthCode.GUARDRAIL_SAFETY) is None
    assert found.comparisons[0].guardrail.state.value == "failed"


def test_nobody_came(store: Store) -> None:
    found = report(store, [], days=31)
    assert check(found, HealthCode.GUARDRAIL_SAFETY) is None
    assert check(found, HealthCode.UNEQUAL_SPLIT) is None


@pytest.mark.parametrize(
    ("treated", "second", "count"),
    [(90, 9, 1), (100, 10, 0), (90, 60, 0)],
    ids=["31 % with 9", "even enough", "enough second conversions"],
)
def test_a_very_unequal_split_warns(
    store: Store, treated: int, second: int, count: int
) -> None:
    unequal = [
        Cohort(variant="a", day=0, visitors=220, first=110, second=60),
        Cohort(variant="b", day=0, visitors=treated, first=70, second=second),
    ]
    checks = report(store, unequal, days=40).health.checks
    warnings = [c for c in checks if c.code is HealthCode.UNEQUAL_SPLIT]
    assert len(warnings) == count
    for found in warnings:
        assert found.status is HealthStatus.WARNING
        assert (found.value, found.threshold) == (second, 60)
        assert found.observed == (220, treated)


def test_a_split_is_no_worry_where_second_conversions_are_worth_nothing(
    store: Store,
) -> None:
    unequal = [
        Cohort(variant="a", day=0, visitors=220, first=110, second=60),
        Cohort(variant="b", day=0, visitors=90, first=70, second=9),
    ]
    store.add_experiment(running())
    store.record(events(unequal), received_at=NOW)
    found = analyze(store, KEY, now=NOW, second_weight=0)
    assert check(found, HealthCode.UNEQUAL_SPLIT) is None


def test_a_shorter_first_window_bounds_the_safety_stop_too(store: Store) -> None:
    short = replace(running(), first_window_days=1)
    found = report(store, cohorts(0), days=5, experiment=short)
    safety = check(found, HealthCode.GUARDRAIL_SAFETY)
    assert safety is not None
    assert safety.status is HealthStatus.WARNING
