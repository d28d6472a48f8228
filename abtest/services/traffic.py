"""The funnel of all traffic: where it leaks, and which step would help most."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from abtest.domain.events import Milliseconds
from abtest.domain.experiment import Experiment, ExperimentKey, Status
from abtest.domain.funnel import FunnelStep, StepKey
from abtest.domain.money import to_major
from abtest.domain.traffic import StepTraffic, Traffic
from abtest.domain.visitor import (
    day_to_date,
    last_complete_day,
    to_milliseconds,
)
from abtest.errors import AbtestError, ErrorCode, invalid_field
from abtest.services.checks import listed, shown
from abtest.stats.results import Interval, KeyFigure, NotEstimable
from abtest.stats.retention import (
    OrderSums,
    average_order_value,
    rate,
    revenue_per_visitor,
)
from abtest.store.protocol import Store

ALPHA = 0.05
IMPROVEMENT = 0.1
"""How much better a step's rate is imagined to be, relative."""

DEFAULT_DAYS = 30
MAX_STEPS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelQuestion:
    """Which funnel, over which days.

    Attributes:
        steps: keys in order; None takes those of `experiment`.
        experiment: None takes the funnel that most experiments have.
        first_day, last_day: inclusive; None for the last complete day, and for 29
            days before the last.
    """

    steps: tuple[str, ...] | None = None
    experiment: ExperimentKey | None = None
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStage:
    """One step of the funnel.

    Attributes:
        persons: who reached the step.
        lost: of the persons at the stage before (at the first step, of all visitors),
            those who did not reach this step.
        rate_of_previous: of the persons at the stage before, who reached this step.
        rate_of_first: of all visitors, who reached this step.
        drop_off: 1 - rate_of_previous.
        orders: at this step.
        revenue: at this step, refunds taken off, major units.
        gain: by how much, relative, revenue would rise if `rate_of_previous` were
            `IMPROVEMENT` better, relative, or everybody went on if that is less; where
            there is no revenue, by how much the persons at the last step would rise.
            None while there is neither.
    """

    key: StepKey
    name: str
    kind: str
    persons: int
    lost: int
    rate_of_previous: KeyFigure | NotEstimable
    rate_of_first: KeyFigure | NotEstimable
    drop_off: KeyFigure | NotEstimable
    orders: int
    revenue: float
    gain: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelReport:
    """What all visitors did, in experiments or not; money in major units.

    Attributes:
        first_day, last_day: inclusive, in `time_zone`.
        visitors: persons who were exposed to an experiment or reached any step.
        has_revenue: gains are those of revenue.
        biggest_leak: the step at which the largest share is lost; None while nobody
            came.
        strongest_lever: the step with the largest gain; of equal ones the one with the
            larger drop-off, which has more room. None while there is no gain.
    """

    first_day: date
    last_day: date
    time_zone: str
    currency: str | None
    alpha: float
    visitors: int
    stages: tuple[FunnelStage, ...]
    has_revenue: bool
    biggest_leak: StepKey | None
    strongest_lever: StepKey | None
    buyers: int
    orders: int
    revenue: float
    revenue_per_visitor: KeyFigure | NotEstimable
    average_order_value: KeyFigure | NotEstimable


def describe_funnel(
    store: Store, question: FunnelQuestion, *, now: datetime
) -> FunnelReport:
    """Describe the funnel of all traffic.

    A gain assumes that the persons won at a step go on, and buy, like those who reach
    it today; in a plain chain every step before the first revenue has the same gain.

    Args:
        now: decides which day was the last complete one.

    Raises:
        AbtestError: `not_found` for an unknown experiment, or when there is none;
            `invalid` for unknown steps or days that are not complete.
    """
    experiments = store.list_experiments()
    chosen = _choose(experiments, question)
    steps = _steps(experiments, chosen, question.steps)
    first, last = _days(question, now, chosen.time_zone)
    traffic = store.traffic(
        [step.key for step in steps],
        since=_midnight(first, chosen.time_zone),
        until=_midnight(last + timedelta(days=1), chosen.time_zone),
        currency=chosen.currency,
    )
    sums = OrderSums(
        persons=traffic.buyers,
        orders=traffic.orders,
        revenue=traffic.revenue,
        orders_squares=traffic.orders_squares,
        revenue_squares=traffic.revenue_squares,
        orders_revenue=traffic.orders_revenue,
    )
    unit = to_major(1, chosen.currency)
    stages = _stages(steps, traffic, unit)
    return FunnelReport(
        first_day=first,
        last_day=last,
        time_zone=chosen.time_zone,
        currency=chosen.currency,
        alpha=ALPHA,
        visitors=traffic.visitors,
        stages=stages,
        has_revenue=traffic.revenue > 0,
        biggest_leak=_biggest_leak(stages),
        strongest_lever=_strongest_lever(stages),
        buyers=traffic.buyers,
        orders=traffic.orders,
        revenue=traffic.revenue * unit,
        revenue_per_visitor=_scaled(
            revenue_per_visitor(sums, traffic.visitors, alpha=ALPHA), unit
        ),
        average_order_value=_scaled(average_order_value(sums, alpha=ALPHA), unit),
    )


def _choose(experiments: Sequence[Experiment], asked: FunnelQuestion) -> Experiment:
    """Return the experiment whose funnel, time zone and currency are used."""
    if asked.experiment is not None:
        for experiment in experiments:
            if experiment.key == asked.experiment:
                return experiment
        raise AbtestError(
            ErrorCode.NOT_FOUND, f"there is no experiment {asked.experiment!r}"
        )
    current = [e for e in experiments if e.status is not Status.ARCHIVED]
    candidates = current or list(experiments)
    if asked.steps:
        first = asked.steps[0]
        candidates = [e for e in candidates if first in e.step_keys] or candidates
    if not candidates:
        raise AbtestError(
            ErrorCode.NOT_FOUND,
            "there is no funnel yet; create an experiment, which declares one",
        )
    funnels = [e.step_keys for e in candidates]
    place = max(range(len(candidates)), key=lambda i: (funnels.count(funnels[i]), i))
    return candidates[place]


def _steps(
    experiments: Sequence[Experiment], chosen: Experiment, asked: tuple[str, ...] | None
) -> tuple[FunnelStep, ...]:
    if asked is None:
        return chosen.funnel
    if not 1 <= len(asked) <= MAX_STEPS or len(set(asked)) != len(asked):
        raise invalid_field(
            "?steps",
            "invalid_value",
            f"steps has {len(asked)} keys; give 1 to {MAX_STEPS} different ones",
        )
    known = {step.key: step for e in (*experiments, chosen) for step in e.funnel}
    for key in asked:
        if key not in known:
            raise invalid_field(
                "?steps",
                "unknown_step",
                f"step {shown(key)} belongs to no experiment; known are "
                f"{listed(sorted(known))}",
            )
    return tuple(known[StepKey(key)] for key in asked)


def _days(asked: FunnelQuestion, now: datetime, time_zone: str) -> tuple[date, date]:
    latest = day_to_date(last_complete_day(now, time_zone))
    last = asked.last_day or latest
    if last > latest:
        raise invalid_field(
            "?to",
            "not_complete",
            f"to is {last}; it must be a complete day, the latest is {latest}",
        )
    first = asked.first_day or last - timedelta(days=DEFAULT_DAYS - 1)
    if first > last:
        raise invalid_field(
            "?from", "invalid_value", f"from is {first}; it must not be after {last}"
        )
    return first, last


def _stages(
    steps: Sequence[FunnelStep], traffic: Traffic, unit: float
) -> tuple[FunnelStage, ...]:
    stages = []
    before = traffic.visitors
    for place, (step, seen) in enumerate(zip(steps, traffic.steps, strict=True)):
        stages.append(
            FunnelStage(
                key=step.key,
                name=step.name,
                kind=step.kind.value,
                persons=seen.persons,
                lost=before - seen.continued,
                rate_of_previous=rate(seen.continued, before, alpha=ALPHA),
                rate_of_first=rate(seen.persons, traffic.visitors, alpha=ALPHA),
                drop_off=rate(before - seen.continued, before, alpha=ALPHA),
                orders=seen.orders,
                revenue=seen.revenue * unit,
                gain=_gain(traffic.steps, place, before),
            )
        )
        before = seen.persons
    return tuple(stages)


def _gain(steps: Sequence[StepTraffic], place: int, before: int) -> float | None:
    """Return the relative gain of revenue, or of persons at the last step."""
    continued = steps[place].continued
    if not continued:
        return None
    better = min(IMPROVEMENT, before / continued - 1)
    total = sum(step.revenue for step in steps)
    if total <= 0:
        return better if steps[-1].persons else None
    return better * sum(step.revenue for step in steps[place:]) / total


def _biggest_leak(stages: Sequence[FunnelStage]) -> StepKey | None:
    leaking = [stage for stage in stages if stage.lost]
    return max(leaking, key=_drop_off).key if leaking else None


def _strongest_lever(stages: Sequence[FunnelStage]) -> StepKey | None:
    helping = [stage for stage in stages if stage.gain]
    if not helping:
        return None
    return max(helping, key=lambda stage: (stage.gain or 0.0, _drop_off(stage))).key


def _drop_off(stage: FunnelStage) -> float:
    drop_off = stage.drop_off
    return 0.0 if isinstance(drop_off, NotEstimable) else drop_off.estimate


def _scaled(figure: KeyFigure | NotEstimable, unit: float) -> KeyFigure | NotEstimable:
    """Return a figure of minor units in major ones."""
    if isinstance(figure, NotEstimable):
        return figure
    lower, upper = figure.interval.lower, figure.interval.upper
    return KeyFigure(
        estimate=figure.estimate * unit,
        interval=Interval(
            lower=None if lower is None else lower * unit,
            upper=None if upper is None else upper * unit,
        ),
    )


def _midnight(day: date, time_zone: str) -> Milliseconds:
    return to_milliseconds(datetime.combine(day, time(), ZoneInfo(time_zone)))
