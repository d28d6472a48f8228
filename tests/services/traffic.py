"""Small hand-made traffic through the real store, for tests of the analysis."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from abtest.domain.allocation import allocate
from abtest.domain.events import Conversion, Event, EventId, Exposure
from abtest.domain.experiment import (
    Action,
    Experiment,
    ExperimentKey,
    Method,
    Phase,
    Variant,
    VariantKey,
    VisitorId,
)
from abtest.domain.funnel import (
    ConversionGoal,
    ConversionWeights,
    CountWeights,
    FunnelStep,
    Repeat,
    StepKey,
)
from abtest.domain.visitor import to_milliseconds

BUY = StepKey("purchase")
START = datetime(2026, 1, 5, tzinfo=UTC)
KEY = ExperimentKey("home")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Visitors of one variant exposed on one day, and how many of them do what.

    Attributes:
        day: days after START.
        first: buyers on the exposure day.
        second: of these, how many buy again, `gap` days later.
        value: of each order, minor units.
    """

    variant: str
    day: int
    visitors: int
    first: int
    second: int
    gap: int = 5
    value: int | None = 2000


def running(
    *,
    window_days: int = 30,
    weights: ConversionWeights | None = None,
    variants: Sequence[str] = ("a", "b"),
    method: Method = Method.FIXED,
    effect: float = 0.1,
    margin: float = 0.2,
) -> Experiment:
    """Return a running experiment with equal shares."""
    draft = Experiment(
        key=KEY,
        name="Home page",
        variants=tuple(Variant(key=VariantKey(k), name=k.upper()) for k in variants),
        funnel=(FunnelStep(key=BUY, name="Purchase"),),
        goal=ConversionGoal(first=BUY, second=Repeat(step=BUY)),
        window_days=window_days,
        weights=weights or CountWeights(first=1, second=3, currency="EUR"),
        method=method,
        minimum_detectable_effect=effect,
        first_conversion_margin=margin,
        salt="test",
        created_at=START,
        phases=(
            Phase(
                since=START,
                allocation=allocate([(k, 1.0) for k in variants]),
                coverage=1.0,
            ),
        ),
    )
    return draft.after(Action.START, START)


def events(cohorts: Sequence[Cohort]) -> list[Event]:
    """Return the events of the cohorts; ids are distinct for each call."""
    return list(_events(cohorts))


def _events(cohorts: Sequence[Cohort]) -> Iterator[Event]:
    number = count(1)
    for cohort in cohorts:
        exposed = START + timedelta(days=cohort.day, hours=9)
        for i in range(cohort.visitors):
            visitor = VisitorId(f"{cohort.variant}-{cohort.day}-{i}")
            yield Exposure(
                id=_id(next(number)),
                at=to_milliseconds(exposed),
                visitor=visitor,
                experiment=KEY,
                variant=VariantKey(cohort.variant),
                trusted=True,
            )
            if i < cohort.first:
                yield _purchase(next(number), visitor, exposed, cohort.value)
            if i < cohort.second:
                later = exposed + timedelta(days=cohort.gap)
                yield _purchase(next(number), visitor, later, cohort.value)


def _purchase(
    number: int, visitor: VisitorId, at: datetime, value: int | None
) -> Conversion:
    return Conversion(
        id=_id(number),
        at=to_milliseconds(at),
        visitor=visitor,
        step=BUY,
        value=value,
        currency="EUR",
        trusted=True,
    )


def _id(number: int) -> EventId:
    return EventId(number.to_bytes(16, "big"))
