"""The timeline says of each day what the report of that day says."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from abtest.domain.allocation import allocate
from abtest.domain.experiment import (
    Action,
    Experiment,
    Method,
    Phase,
    SequentialDesign,
    VariantKey,
)
from abtest.domain.visitor import date_to_day, day_to_date
from abtest.services.analysis import ReportData, write_report
from abtest.services.report import ExperimentReport, Today
from abtest.services.simulation.scenarios import SCENARIOS
from abtest.services.simulation.study import Study
from abtest.services.timeline import (
    MOST_POINTS,
    MarkKind,
    describe_timeline,
    timeline,
)
from abtest.stats.moments import Moments
from abtest.stats.results import NotEstimable, Reason
from abtest.store.protocol import ExperimentFacts, Store
from tests.services.traffic import KEY, START, Cohort, events, running

NOBODY = ExperimentFacts(
    contaminated=0, first_exposure=None, last_exposure=None, last_event=None
)
Known = dict[VariantKey, Moments]


def study(name: str, method: Method, wait: int | None = None) -> Study:
    return Study(
        scenario=SCENARIOS[name],
        replications=1,
        seed=7,
        days_after_window=wait,
        method=method,
    )


def drawn(of: Study) -> Known:
    return of.moments(next(of.draws()))


def report(experiment: Experiment, known: Known, day: int) -> ExperimentReport:
    today = Today(exposures=0, conversions=0)
    return write_report(
        ReportData(
            experiment=experiment, known=known, facts=NOBODY, today=today, day=day
        )
    )


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("delay_trap", Method.SEQUENTIAL),
        ("ramp_with_trend", Method.SEQUENTIAL),
        ("refunds", Method.SEQUENTIAL),
        ("three_treatments", Method.SEQUENTIAL),
        ("split_90_10", Method.FIXED),
        ("null", Method.BAYESIAN),
    ],
)
def test_each_day_is_that_of_its_report(name: str, method: Method) -> None:
    of = study(name, method)
    known, experiment = drawn(of), of.experiment()
    found = describe_timeline(experiment, known, day=of.as_of)
    assert found.as_of == day_to_date(of.as_of)
    for i in (0, 29, 30, 31, 44, len(found.variants[0].points) - 1):
        day = date_to_day(found.variants[0].points[i].day)
        told = report(experiment, known, day)
        for line, variant in zip(found.variants, told.variants, strict=True):
            assert line.variant == variant.key
            assert line.points[i].visitors == variant.visitors
            assert line.points[i].value == variant.value
            assert line.points[i].first == variant.first.rate
            assert line.points[i].second == variant.second.rate
        for effect, comparison in zip(found.effects, told.comparisons, strict=True):
            point, value = effect.points[i], comparison.value
            assert point.test == value.frequentist
            looked = value.sequential
            if isinstance(looked, NotEstimable):
                assert point.looked is None
                continue
            assert point.looked is not None
            assert point.looked.lower == pytest.approx(
                looked.confidence_interval.lower, rel=1e-9
            )
            assert point.looked.upper == pytest.approx(
                looked.confidence_interval.upper, rel=1e-9
            )
            assert point.is_final == looked.is_final


def test_always_valid_intervals_stand_at_every_point() -> None:
    of = study("null", Method.SEQUENTIAL)
    design = SequentialDesign.ALWAYS_VALID
    experiment, known = replace(of.experiment(), sequential_design=design), drawn(of)
    points = describe_timeline(experiment, known, day=of.as_of).effects[0].points
    for i in (30, 40, 57):
        told = report(experiment, known, date_to_day(points[i].day))
        looked = told.comparisons[0].value.sequential
        assert not isinstance(looked, NotEstimable)
        assert points[i].looked == looked.confidence_interval
    assert points[-1].is_final


def test_before_the_first_possible_look_only_visitors_are_known() -> None:
    of = study("null", Method.SEQUENTIAL, wait=-10)
    found = describe_timeline(of.experiment(), drawn(of), day=of.as_of)
    last = found.variants[0].points[-1]
    assert last.visitors > 0
    assert last.value == NotEstimable(Reason.NOT_MATURE)
    point = found.effects[0].points[-1]
    assert (point.test, point.looked) == (NotEstimable(Reason.NOT_MATURE), None)
    assert found.first_look is not None
    assert found.first_look > found.as_of


def test_exposures_add_up_to_the_visitors() -> None:
    of = study("three_treatments", Method.FIXED)
    found = describe_timeline(of.experiment(), drawn(of), day=of.as_of)
    for i, line in enumerate(found.variants):
        total = sum(day.visitors[i] for day in found.exposures)
        assert total == line.points[-1].visitors
    days = [day.day for day in found.exposures]
    assert all(later - earlier == timedelta(1) for earlier, later in pairwise(days))


def test_a_long_stretch_is_thinned_and_keeps_its_last_day(store: Store) -> None:
    store.add_experiment(running())
    store.record(
        events([Cohort(variant=v, day=0, visitors=9, first=3, second=1) for v in "ab"]),
        received_at=START,
    )
    now = START + timedelta(days=1000)
    found = timeline(store, KEY, now=now)
    points = found.variants[0].points
    assert MOST_POINTS / 2 < len(points) <= MOST_POINTS
    assert points[-1].day == found.as_of == (now - timedelta(days=1)).date()
    assert len({later.day - one.day for one, later in pairwise(points)}) == 1


def test_nobody_leaves_an_empty_timeline(store: Store) -> None:
    store.add_experiment(running())
    found = timeline(store, KEY, now=START + timedelta(days=3))
    assert found.exposures == ()
    assert found.variants[0].points == ()
    assert found.effects[0].points == ()
    assert found.first_look is None


def test_changes_of_the_settings_are_marked_on_their_days() -> None:
    experiment = running()
    uneven = allocate([("a", 3.0), ("b", 1.0)])
    experiment = replace(
        experiment,
        phases=(
            *experiment.phases,
            Phase(since=START + timedelta(days=3), allocation=uneven, coverage=1.0),
            Phase(since=START + timedelta(days=4), allocation=uneven, coverage=0.5),
        ),
        weights_changed_at=START + timedelta(days=5),
    )
    for number, action in enumerate(
        (Action.PAUSE, Action.RESUME, Action.CLOSE, Action.STOP, Action.DECIDE), 6
    ):
        experiment = experiment.after(action, START + timedelta(days=number))
    found = describe_timeline(experiment, {}, day=date_to_day(START.date()) + 9)
    first = START.date()
    assert [(mark.day - first).days for mark in found.marks] == [0, 3, 4, 5, 6, 7, 8, 9]
    assert [mark.kind for mark in found.marks] == [
        MarkKind.STARTED,
        MarkKind.SPLIT_CHANGED,
        MarkKind.COVERAGE_CHANGED,
        MarkKind.WEIGHTS_CHANGED,
        MarkKind.PAUSED,
        MarkKind.RESUMED,
        MarkKind.CLOSED,
        MarkKind.STOPPED,
    ]
