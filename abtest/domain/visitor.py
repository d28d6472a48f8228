"""From a person's events to the outcome of each of their visits; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from operator import attrgetter
from typing import assert_never
from zoneinfo import ZoneInfo

from abtest.domain.covariate import covariate_of
from abtest.domain.events import Conversion, Exposure, Milliseconds, Refund
from abtest.domain.experiment import Experiment, VariantKey, VisitorId
from abtest.domain.funnel import ConversionGoal, LaterStep, Repeat, StepKey

_EPOCH = date(1970, 1, 1).toordinal()
_EPOCH_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = 3_600_000
"""In milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomePlan:
    """What must be known of an experiment to judge a visitor's events."""

    goal: ConversionGoal
    steps: tuple[StepKey, ...]
    time_zone: str
    currency: str | None
    order_cap: int | None
    covariate: str | None = None

    @classmethod
    def of(cls, experiment: Experiment) -> "OutcomePlan":
        """Take the plan from the experiment."""
        return cls(
            goal=experiment.goal,
            steps=experiment.step_keys,
            time_zone=experiment.time_zone,
            currency=experiment.currency,
            order_cap=experiment.order_cap,
            covariate=experiment.covariate,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All events of one person: the visitors joined by a customer, and the customer.

    The order of events means nothing and repeats of the same id change nothing.

    Attributes:
        exposures: those of ONE experiment.
        conversions: of all steps.
        refunds: of the orders among the conversions; others are ignored.
    """

    exposures: Sequence[Exposure]
    conversions: Sequence[Conversion] = ()
    refunds: Sequence[Refund] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one visitor adds at one lag: at most one for each (ordinal, lag).

    Attributes:
        ordinal: 1 first conversion, 2 second conversion.
        lag: calendar days since the exposure day, in the experiment's time zone.
        count: 1 for the conversion itself, 0 for a refund on a later day.
        amount: minor units; refunds are negative.
    """

    ordinal: int
    lag: int
    count: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one exposed visitor.

    Attributes:
        day: local exposure day, days since 1970-01-01.
        variants_seen: how many variants the visitor, or the person behind the
            visitor, was exposed to; more than 1 is contamination.
        entries: first and second conversion and their refunds, by (ordinal, lag).
        steps: funnel steps reached and the lag of the first time, in funnel order.
        covariate: what the first exposure told, see `covariate_of`.
    """

    visitor: VisitorId
    variant: VariantKey
    day: int
    variants_seen: int
    entries: tuple[Entry, ...] = ()
    steps: tuple[tuple[StepKey, int], ...] = ()
    covariate: int = 0


def resolve(history: History, plan: OutcomePlan) -> tuple[Outcome, ...]:
    """Judge one person's events for one experiment.

    Every exposed visitor stays in the denominator. The person's conversions are
    credited once: to the visitor exposed first. Conversions before that exposure
    never count.

    Returns:
        One outcome per exposed visitor, ordered by first exposure.
    """
    first_seen: dict[VisitorId, Exposure] = {}
    variants: set[VariantKey] = set()
    for exposure in sorted(history.exposures, key=lambda e: (e.at, e.id)):
        first_seen.setdefault(exposure.visitor, exposure)
        variants.add(exposure.variant)
    outcomes: list[Outcome] = []
    for exposure in first_seen.values():
        outcome = Outcome(
            visitor=exposure.visitor,
            variant=exposure.variant,
            day=local_day(exposure.at, plan.time_zone),
            variants_seen=len(variants),
            covariate=(
                0
                if plan.covariate is None
                else covariate_of(exposure.attributes_json, plan.covariate)
            ),
        )
        outcomes.append(
            outcome if outcomes else _credited(outcome, exposure.at, history, plan)
        )
    return tuple(outcomes)


def local_day(at: Milliseconds, time_zone: str) -> int:
    """Return the calendar day in the time zone, as days since 1970-01-01."""
    moment = datetime.fromtimestamp(at / 1000, _zone(time_zone))
    return moment.toordinal() - _EPOCH


def day_to_date(day: int) -> date:
    """Turn days since 1970-01-01 into a date."""
    return date.fromordinal(day + _EPOCH)


def date_to_day(day: date) -> int:
    """Turn a date into days since 1970-01-01."""
    return day.toordinal() - _EPOCH


def to_milliseconds(moment: datetime) -> Milliseconds:
    """Turn an aware datetime into milliseconds since 1970 (exact, floor)."""
    span = moment - _EPOCH_MOMENT
    return Milliseconds(
        span.days * 24 * HOUR + span.seconds * 1000 + span.microseconds // 1000
    )


def last_complete_day(now: datetime, time_zone: str) -> int:
    """Return yesterday in the time zone, as days since 1970-01-01."""
    return local_day(to_milliseconds(now), time_zone) - 1


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _credited(
    outcome: Outcome, exposed_at: Milliseconds, history: History, plan: OutcomePlan
) -> Outcome:
    """Return the outcome with the person's conversions on it."""
    conversions = credited_in(history, exposed_at)
    if not conversions:
        return outcome
    refunds = sorted(
        {r.id: r for r in history.refunds}.values(), key=attrgetter("at", "id")
    )
    reached: dict[StepKey, int] = {}
    for conversion in conversions:
        lag = local_day(conversion.at, plan.time_zone) - outcome.day
        reached.setdefault(conversion.step, lag)
    entries: list[Entry] = []
    for ordinal, conversion in enumerate(_first_and_second(conversions, plan.goal), 1):
        entries += entries_of(ordinal, conversion, refunds, outcome.day, plan)
    return Outcome(
        visitor=outcome.visitor,
        variant=outcome.variant,
        day=outcome.day,
        variants_seen=outcome.variants_seen,
        entries=tuple(entries),
        steps=tuple((s, reached[s]) for s in plan.steps if s in reached),
        covariate=outcome.covariate,
    )


def credited_in(history: History, exposed_at: Milliseconds) -> list[Conversion]:
    """Return the conversions since the first exposure, each order once, in order."""
    return [c for c in distinct_orders(history.conversions) if c.at >= exposed_at]


def distinct_orders(conversions: Iterable[Conversion]) -> list[Conversion]:
    """Keep one conversion for each id and for each (step, order), in time order.

    Browser and shop may both report an order: the time is the earliest told, the
    value the one of the most trusted report that has a value.
    """
    unique = {c.id: c for c in conversions}
    in_order = sorted(unique.values(), key=attrgetter("at", "id"))
    kept: list[Conversion] = []
    place: dict[tuple[StepKey, str], int] = {}
    for conversion in in_order:
        if conversion.order is None:
            kept.append(conversion)
            continue
        seen = place.setdefault((conversion.step, conversion.order), len(kept))
        if seen == len(kept):
            kept.append(conversion)
        elif _tells_more(conversion, kept[seen]):
            earlier = kept[seen]
            kept[seen] = Conversion(
                id=earlier.id,
                at=earlier.at,
                visitor=earlier.visitor,
                customer=earlier.customer,
                step=earlier.step,
                value=conversion.value,
                currency=conversion.currency,
                order=earlier.order,
                trusted=conversion.trusted,
            )
    return kept


def _tells_more(later: Conversion, earlier: Conversion) -> bool:
    """Whether the later report's value should replace the earlier one's."""
    if later.value is None:
        return False
    return earlier.value is None or (later.trusted and not earlier.trusted)


def _first_and_second(
    conversions: Sequence[Conversion], goal: ConversionGoal
) -> list[Conversion]:
    """Pick the first and, if there is one, the second conversion."""
    counted = counted_in(conversions, goal)
    return [*counted[:1], *counted[needed(goal) - 1 :]]


def needed(goal: ConversionGoal) -> int:
    """Return how many conversions count until the second one is there."""
    return goal.second.ordinal if isinstance(goal.second, Repeat) else 2


def counted_in(
    conversions: Sequence[Conversion], goal: ConversionGoal
) -> list[Conversion]:
    """Return the conversions that count on the way to the second one, in time order."""
    at_first = [c for c in conversions if c.step == goal.first]
    if not at_first:
        return []
    counted = at_first[:1]
    match goal.second:
        case Repeat(ordinal=ordinal, min_gap_hours=gap):
            for conversion in at_first[1:]:
                if len(counted) == ordinal:
                    break
                if conversion.at - counted[-1].at >= gap * HOUR:
                    counted.append(conversion)
        case LaterStep(step=step):
            later = [c for c in conversions if c.step == step]
            counted += [c for c in later if c.at >= counted[0].at][:1]
        case _ as unknown:
            assert_never(unknown)
    return counted


def entries_of(
    ordinal: int,
    conversion: Conversion,
    refunds: Sequence[Refund],
    exposure_day: int,
    plan: OutcomePlan,
) -> list[Entry]:
    """Turn a conversion and its refunds into entries; refunds never exceed it."""
    cap = plan.order_cap
    full = conversion.value or 0
    if conversion.currency is not None and conversion.currency != plan.currency:
        full = 0
    if plan.currency is None:
        full = 0
    lag = local_day(conversion.at, plan.time_zone) - exposure_day
    counted = full if cap is None else min(full, cap)
    if not refunds:
        return [Entry(ordinal=ordinal, lag=lag, count=1, amount=counted)]
    amounts = {lag: counted}
    left = full
    for refund in refunds:
        if conversion.order is None or refund.order != conversion.order:
            continue
        if refund.value is not None and refund.currency not in {None, plan.currency}:
            continue
        left = 0 if refund.value is None else max(0, left - refund.value)
        still = left if cap is None else min(left, cap)
        when = max(lag, local_day(refund.at, plan.time_zone) - exposure_day)
        amounts[when] = amounts.get(when, 0) + still - counted
        counted = still
    return [
        Entry(ordinal=ordinal, lag=when, count=int(when == lag), amount=amount)
        for when, amount in sorted(amounts.items())
        if when == lag or amount
    ]
