"""A plan that decides once keeps its decision, however often it is read."""

from dataclasses import replace

import pytest

from abtest.domain.experiment import Method, VariantKey
from abtest.domain.visitor import date_to_day
from abtest.services.analysis import ReportData, write_report
from abtest.services.report import ExperimentReport, Today, VerdictReason
from abtest.services.simulation.scenarios import SCENARIOS
from abtest.services.simulation.study import Study
from abtest.stats.moments import Cell, CellKey, Moments
from abtest.store.protocol import ExperimentFacts

Known = dict[VariantKey, Moments]

NOBODY = ExperimentFacts(
    contaminated=0, first_exposure=None, last_exposure=None, last_event=None
)
OPEN = Study(
    scenario=replace(SCENARIOS["still_enrolling"], smallest_effect=0.3),
    replications=1,
    seed=11,
    days_after_window=25,
    method=Method.FIXED,
)


def report(known: Known, day: int, method: Method = Method.FIXED) -> ExperimentReport:
    return write_report(
        ReportData(
            experiment=replace(OPEN, method=method).experiment(),
            known=known,
            facts=NOBODY,
            today=Today(exposures=0, conversions=0),
            day=day,
        )
    )


@pytest.fixture(scope="module")
def known() -> Known:
    return OPEN.moments(next(OPEN.draws()))


def decided(found: ExperimentReport) -> tuple[object, ...]:
    (compared,) = found.comparisons
    return (
        found.plan.decided_on,
        found.verdict.code,
        compared.decision_effect,
        compared.decision_interval,
        compared.guardrail,
    )


def end_day(found: ExperimentReport) -> int:
    assert found.plan.decided_on is not None
    return date_to_day(found.plan.decided_on)


@pytest.mark.parametrize("method", [Method.FIXED, Method.BAYESIAN])
def test_later_days_are_shown_and_decide_nothing(known: Known, method: Method) -> None:
    last = report(known, OPEN.as_of, method)
    end = end_day(last)
    first_look = OPEN.as_of - 25
    assert first_look + 1 < end < OPEN.as_of - 5
    before, on_the_day = report(known, end - 1, method), report(known, end, method)
    assert not before.plan.is_at_end
    assert before.plan.decided_on is None
    assert (before.plan.information_fraction or 0) < 1
    assert on_the_day.plan.information_fraction == 1
    assert VerdictReason.DECIDED_AT_END not in on_the_day.verdict.reasons
    for day in (end + 1, end + 4, OPEN.as_of):
        later = report(known, day, method)
        assert decided(later) == decided(on_the_day)
        assert VerdictReason.DECIDED_AT_END in later.verdict.reasons
        assert later.plan.is_at_end
        assert later.variants != on_the_day.variants
        assert later.comparisons[0].value != on_the_day.comparisons[0].value
    first = on_the_day.comparisons[0]
    result = first.value.frequentist if method is Method.FIXED else first.value.bayesian
    interval = getattr(result, "confidence_interval", None) or getattr(
        result, "credible_interval", None
    )
    assert first.decision_interval == interval


def with_first_conversions(known: Known, day: int, lag: int, number: int) -> Known:
    """More first conversions of b that are told of only now."""
    b = known[VariantKey("b")]
    key = CellKey(day, lag, 1)
    there = b.cells.get(key, Cell(0, 0, 0)).conversions
    cells = {**b.cells, key: Cell(there + number, 0, 0)}
    return {**known, VariantKey("b"): replace(b, cells=cells)}


def test_a_late_event_belongs_to_its_own_day(known: Known) -> None:
    plain = report(known, OPEN.as_of)
    end = end_day(plain)
    after = with_first_conversions(known, end - 3, 4, 5)
    assert decided(report(after, OPEN.as_of)) == decided(plain)
    before = with_first_conversions(known, end - 10, 4, 5)
    found = report(before, OPEN.as_of)
    assert found.comparisons[0].decision_effect != plain.comparisons[0].decision_effect
    assert decided(found) == decided(report(before, end_day(found)))


def test_daily_looks_go_on_with_their_own_rule(known: Known) -> None:
    found = report(known, OPEN.as_of, Method.SEQUENTIAL)
    assert found.plan.decided_on is None
    assert VerdictReason.DECIDED_AT_END not in found.verdict.reasons


def test_a_closed_plan_decides_when_everybody_was_followed(known: Known) -> None:
    closed = replace(OPEN, days_after_window=None)
    strict = replace(closed.experiment(), minimum_detectable_effect=0.02)
    for wait in (0, 3):
        found = write_report(
            ReportData(
                experiment=strict,
                known=known,
                facts=NOBODY,
                today=Today(exposures=0, conversions=0),
                day=closed.as_of + wait,
            )
        )
        assert end_day(found) == closed.as_of
        assert (VerdictReason.DECIDED_AT_END in found.verdict.reasons) == (wait > 0)
