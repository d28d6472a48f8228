"""How an experiment went, day by day: estimates, effects, looks and changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise

from abtest.domain.allocation import shares
from abtest.domain.experiment import (
    Action,
    Experiment,
    ExperimentKey,
    Method,
    SequentialDesign,
    VariantKey,
)
from abtest.domain.visitor import day_to_date, local_day, to_milliseconds
from abtest.services.estimates import Joint, Value, weighted
from abtest.services.looks import (
    JointPath,
    look_days,
    planned_looks,
)
from abtest.services.measuring import Comparing, value_tests
from abtest.services.preparing import Prepared, prepare
from abtest.services.report_day import as_of_day
from abtest.stats.delayed import Measure
from abtest.stats.mixture import mixture_interval
from abtest.stats.moments import Moments
from abtest.stats.results import FrequentistResult, Interval, NotEstimable
from abtest.stats.sequential import bounded_looks
from abtest.store.protocol import Store

MOST_POINTS = 120
"""A longer stretch has a point every second day, every third, and so on."""


class MarkKind(StrEnum):
    """What changed on a day."""

    STARTED = "started"
    SPLIT_CHANGED = "split_changed"
    COVERAGE_CHANGED = "coverage_changed"
    WEIGHTS_CHANGED = "weights_changed"
    PAUSED = "paused"
    RESUMED = "resumed"
    CLOSED = "closed"
    STOPPED = "stopped"
    DECIDED = "decided"


_MARKS: Mapping[str, MarkKind] = {
    Action.PAUSE.value: MarkKind.PAUSED,
    Action.RESUME.value: MarkKind.RESUMED,
    Action.CLOSE.value: MarkKind.CLOSED,
    Action.STOP.value: MarkKind.STOPPED,
    Action.DECIDE.value: MarkKind.DECIDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A change of settings."""

    day: date
    kind: MarkKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureDay:
    """Visitors exposed for the first time on one day, by variant, control first."""

    day: date
    visitors: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantPoint:
    """One variant as it was known at the end of a day; all visitors until then.

    Attributes:
        first, second: conversions per visitor within the window.
        value: weighted value per visitor; money in major units.
    """

    day: date
    visitors: int
    first: Value
    second: Value
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectPoint:
    """A treatment's value minus the control's as it was known at the end of a day.

    Attributes:
        test: as if this were the only day that is looked at.
        looked: the interval that allows for all looks, None before the first look and
            where the method plans none; of the newest look on or before the day.
        is_final: the plan was at its end with that look.
    """

    day: date
    test: FrequentistResult | NotEstimable
    looked: Interval | None
    is_final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantLine:
    """One variant over time."""

    variant: VariantKey
    name: str
    points: tuple[VariantPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectLine:
    """One treatment against the control over time."""

    variant: VariantKey
    control: VariantKey
    points: tuple[EffectPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """An experiment from its first visitor to the last complete day.

    Attributes:
        first_look: the first day at whose end anything may be said.
        planned_end: when the planned information will be in at the present pace; None
            when that cannot be said or the end is reached.
        decided_on: see `ReportPlan`.
    """

    experiment: ExperimentKey
    as_of: date
    method: Method
    alpha: float
    currency: str | None
    variants: tuple[VariantLine, ...]
    effects: tuple[EffectLine, ...]
    exposures: tuple[ExposureDay, ...]
    marks: tuple[Mark, ...]
    first_look: date | None
    planned_end: date | None
    decided_on: date | None


def timeline(
    store: Store, key: ExperimentKey, *, now: datetime, as_of: date | None = None
) -> Timeline:
    """Describe an experiment day by day.

    Args:
        now: decides which day was the last complete one.
        as_of: an earlier complete day in the experiment's time zone.

    Raises:
        AbtestError: `not_found`, or `invalid` when `as_of` is not complete yet.
    """
    experiment = store.get_experiment(key)
    day = as_of_day(experiment, now, as_of)
    return describe_timeline(experiment, store.moments(key), day=day)


def describe_timeline(
    experiment: Experiment, known: Mapping[VariantKey, Moments], *, day: int
) -> Timeline:
    """Describe the days until one; a pure function.

    What is known of earlier days is what is known NOW: an event that came late
    belongs to its own day.
    """
    prepared = prepare(experiment, known, day=day)
    days = _days(prepared)
    counts = prepared.estimator.joints(Measure.COUNT, days)
    measure = prepared.weights.measure
    values = (
        counts if measure is Measure.COUNT else prepared.estimator.joints(measure, days)
    )
    first_look, end = prepared.matured.first_complete_day, prepared.end
    return Timeline(
        experiment=experiment.key,
        as_of=day_to_date(day),
        method=experiment.method,
        alpha=experiment.alpha,
        currency=experiment.currency,
        variants=_variant_lines(prepared, days, counts, values),
        effects=_effect_lines(prepared, days),
        exposures=_exposures(prepared),
        marks=tuple(m for m in _marks(experiment) if m.day <= day_to_date(day)),
        first_look=None if first_look is None else day_to_date(first_look),
        planned_end=end.expected_end,
        decided_on=None if end.day is None else day_to_date(end.day),
    )


def _days(prepared: Prepared) -> tuple[int, ...]:
    """Return the days of the points, from the first exposure on; the last included."""
    cohorts = [d for m in prepared.moments.values() for d in m.cohorts]
    if not cohorts:
        return ()
    first, last = min(cohorts), prepared.day
    step = (last - first) // MOST_POINTS + 1
    return tuple(range(last, first - 1, -step))[::-1]


def _variant_lines(
    prepared: Prepared,
    days: Sequence[int],
    counts: Sequence[tuple[Joint, ...]],
    values: Sequence[tuple[Joint, ...]],
) -> tuple[VariantLine, ...]:
    return tuple(
        VariantLine(
            variant=variant.key,
            name=variant.name,
            points=tuple(
                VariantPoint(
                    day=day_to_date(day),
                    visitors=prepared.estimator.enrolled(i, day),
                    first=weighted(count[i], 1.0, 0.0),
                    second=weighted(count[i], 0.0, 1.0),
                    value=prepared.weights.applied(value[i]),
                )
                for day, count, value in zip(days, counts, values, strict=True)
            ),
        )
        for i, variant in enumerate(prepared.experiment.variants)
    )


def _effect_lines(prepared: Prepared, days: Sequence[int]) -> tuple[EffectLine, ...]:
    c = prepared.comparing
    tests = [value_tests(c.on(day)) for day in days]
    path = _path(c, days) if c.is_sequential else None
    return tuple(
        EffectLine(
            variant=variant.key,
            control=prepared.experiment.control.key,
            points=_effect_points(
                days,
                [of_day[i] for of_day in tests],
                {} if path is None else _looked(c, path, i + 1),
            ),
        )
        for i, variant in enumerate(prepared.experiment.variants[1:])
    )


def _effect_points(
    days: Sequence[int],
    tests: Sequence[FrequentistResult | NotEstimable],
    looked: Mapping[int, tuple[Interval, bool]],
) -> tuple[EffectPoint, ...]:
    """Put the ordinary test of each day beside the newest look."""
    points = []
    for day, test in zip(days, tests, strict=True):
        newest = max((look for look in looked if look <= day), default=None)
        interval, is_final = (None, False) if newest is None else looked[newest]
        points.append(
            EffectPoint(
                day=day_to_date(day), test=test, looked=interval, is_final=is_final
            )
        )
    return tuple(points)


def _path(c: Comparing, days: Sequence[int]) -> JointPath:
    """Return the estimates on the days of the looks; of the points, if any day may."""
    plan = c.look_plan
    looks = look_days(plan)
    if plan.design is SequentialDesign.ALWAYS_VALID:
        wanted = {*looks, *(d for d in days if plan.first_day <= d <= plan.as_of)}
        looks = tuple(sorted(wanted))
    return JointPath(days=looks, joints=c.estimator.joints(c.weights.measure, looks))


def _looked(
    c: Comparing, path: JointPath, treatment: int
) -> dict[int, tuple[Interval, bool]]:
    """Return the interval of each look that was evaluated, and whether it was final."""
    plan = c.look_plan
    found = planned_looks(path, treatment=treatment, weights=c.weights, plan=plan)
    if isinstance(found, NotEstimable):
        return {}
    if plan.design is SequentialDesign.ALWAYS_VALID:
        tau = plan.effect * found.looks[0].control_mean
        return {
            look.day: (
                mixture_interval(
                    look.effect, look.standard_error, tau=tau, alpha=found.alpha
                ),
                look.is_scheduled_end,
            )
            for look in found.looks
        }
    return {
        one.look.day: (one.interval, one.is_final)
        for one in bounded_looks(
            found.looks, planned_information=found.planned, alpha=found.alpha
        )
    }


def _exposures(prepared: Prepared) -> tuple[ExposureDay, ...]:
    """Return the new visitors of every day between the first and the last of them."""
    keys = [variant.key for variant in prepared.experiment.variants]
    cohorts = [
        prepared.moments[key].cohorts if key in prepared.moments else {} for key in keys
    ]
    days = [day for cohort in cohorts for day in cohort]
    if not days:
        return ()
    return tuple(
        ExposureDay(
            day=day_to_date(day),
            visitors=tuple(cohort.get(day, 0) for cohort in cohorts),
        )
        for day in range(min(days), max(days) + 1)
    )


def _marks(experiment: Experiment) -> tuple[Mark, ...]:
    """Return when the experiment began, and what was changed since."""
    found = []
    if experiment.started_at is not None:
        found.append((experiment.started_at, MarkKind.STARTED))
    for before, after in pairwise(experiment.phases):
        if shares(before.allocation) != shares(after.allocation):
            found.append((after.since, MarkKind.SPLIT_CHANGED))
        if before.coverage != after.coverage:
            found.append((after.since, MarkKind.COVERAGE_CHANGED))
    if experiment.weights_changed_at is not None:
        found.append((experiment.weights_changed_at, MarkKind.WEIGHTS_CHANGED))
    found += [
        (entry.at, _MARKS[entry.action])
        for entry in experiment.log
        if entry.action in _MARKS
    ]
    return tuple(
        Mark(
            day=day_to_date(local_day(to_milliseconds(at), experiment.time_zone)),
            kind=kind,
        )
        for at, kind in sorted(found)
    )
