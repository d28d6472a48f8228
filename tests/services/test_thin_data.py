"""Reports of next to no data: nothing that is missing may stop them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from abtest.domain.allocation import allocate
from abtest.domain.experiment import (
    Experiment,
    ExperimentKey,
    Phase,
    Variant,
    VariantKey,
)
from abtest.domain.funnel import (
    ConversionGoal,
    CountWeights,
    FunnelStep,
    Repeat,
    StepKey,
)
from abtest.services.analysis import ReportData, write_report
from abtest.services.report import ExperimentReport, Today
from abtest.stats.frequentist import log_delta_interval
from abtest.stats.moments import Cell, CellKey, Moments
from abtest.stats.results import FrequentistResult, Interval
from abtest.store.protocol import ExperimentFacts

START = datetime(1970, 1, 1, tzinfo=UTC)
BUY = StepKey("purchase")


def experiment(*splits: tuple[float, ...]) -> Experiment:
    """Return one with a window of 2 days whose traffic split changes every day."""
    keys = "abcd"[: len(splits[0])]
    return Experiment(
        key=ExperimentKey("thin"),
        name="Thin",
        variants=tuple(Variant(key=VariantKey(k), name=k) for k in keys),
        funnel=(FunnelStep(key=BUY, name="Purchase"),),
        goal=ConversionGoal(first=BUY, second=Repeat(step=BUY)),
        window_days=2,
        weights=CountWeights(first=1, second=3),
        salt="thin",
        created_at=START,
        phases=tuple(
            Phase(
                since=START + timedelta(days=day),
                allocation=allocate(list(zip(keys, split, strict=True))),
                coverage=1,
            )
            for day, split in enumerate(splits)
        ),
    )


def report(one: Experiment, *moments: Moments, day: int) -> ExperimentReport:
    known = {v.key: m for v, m in zip(one.variants, moments, strict=True)}
    return write_report(
        ReportData(
            experiment=one,
            known=known,
            facts=ExperimentFacts(
                contaminated=0, first_exposure=None, last_exposure=None, last_event=None
            ),
            today=Today(exposures=0, conversions=0),
            day=day,
        )
    )


@pytest.mark.parametrize("day", [2, 9])
def test_one_of_several_treatments_without_a_conversion(day: int) -> None:
    """Dunnett's correction needs its variance; until then it is Bonferroni's."""
    some = Moments(cohorts={0: 50}, cells={CellKey(0, 0, 1): Cell(9, 0, 0)})
    none = Moments(cohorts={0: 50})
    found = report(experiment((1, 1, 1)), some, some, none, day=day)
    tests = [one.value.frequentist for one in found.comparisons]
    assert len(tests) == 2
    for test in tests:
        assert isinstance(test, FrequentistResult)
        assert test.adjusted_p_value == min(1, 2 * test.p_value)


def test_second_conversions_on_days_that_do_not_count_alone() -> None:
    """A day that one variant lacks is left out where the split has changed."""
    bought = {CellKey(0, 0, 1): Cell(3, 0, 0), CellKey(0, 1, 2): Cell(2, 0, 0)}
    control = Moments(cohorts={0: 20, 1: 20}, cells=bought)
    found = report(experiment((1, 0), (1, 1)), control, Moments(cohorts={1: 20}), day=9)
    assert found.variants[0].second.observed == 2
    assert found.maturity.share is None


def test_the_same_split_again_is_no_change() -> None:
    plain = experiment((1, 1))
    assert not report(plain, Moments(), Moments(), day=1).plan.stratified
    again = replace(plain, phases=plain.phases * 2)
    assert not report(again, Moments(), Moments(), day=1).plan.stratified


def test_a_lift_of_next_to_nothing_has_no_upper_limit() -> None:
    interval = log_delta_interval(1.0, 1e6, 1.0, 1e6, critical_value=1.96)
    assert interval == Interval(lower=-1.0, upper=None)
