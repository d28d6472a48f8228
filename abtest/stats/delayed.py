"""Estimates per visitor within the window, recent visitors used and not diluted."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from abtest.stats.columns import Columns, Process
from abtest.stats.cumulative import (
    estimate_means,
    estimate_path,
    estimate_step_mean,
)
from abtest.stats.moments import Moments
from abtest.stats.results import JointEstimate, NotEstimable, Reason, ValueEstimate


class Measure(StrEnum):
    """Whether conversions are counted or their amounts added."""

    COUNT = "count"
    MONEY = "money"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How many days after the exposure count: lags 0 to `first`, 0 to `second`."""

    first: int
    second: int

    def __post_init__(self) -> None:
        if min(self.first, self.second) < 0:
            raise ValueError(f"{self} must not be negative")

    @property
    def longest(self) -> int:
        """The follow-up that a visitor needs to be known in full."""
        return max(self.first, self.second)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What has been seen until now, within the window; amounts in minor units."""

    first: int
    second: int
    first_amount: int
    second_amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Maturity:
    """How much of what will come is already in.

    Attributes:
        share: second conversions seen / expected within the window from everybody
            enrolled so far; None before the first one and while none can be expected.
        visitors: enrolled so far.
        mature_visitors: of these, followed for the whole window.
        first_complete_day: the end of the oldest visitors' window; None before them.
        complete_day: the end of the newest visitors' window.
    """

    share: float | None
    visitors: int
    mature_visitors: int
    first_complete_day: int | None
    complete_day: int | None


def estimate(
    moments: Moments, *, window: Window, as_of: int, measure: Measure
) -> JointEstimate | NotEstimable:
    """Estimate first and second conversion per visitor from all visitors.

    The sum at each lag is divided by the visitors who have been followed that far.
    Nothing is assumed about when conversions come, only that early and late visitors
    are alike in when they do.

    Args:
        moments: one variant.
        window: days that count.
        as_of: last complete day; what came later is left out.
        measure: counts, or amounts in minor units.

    Returns:
        NO_VISITORS, NOT_MATURE while the oldest visitors have not been followed for
        the window, or TOO_FEW_VISITORS when there is one only.
    """
    means = estimate_means(
        Columns.of(moments), processes(window, measure), as_of=as_of, last_day=as_of
    )
    return means if isinstance(means, NotEstimable) else means.joint()


def estimate_days(
    moments: Moments, days: Sequence[int], *, window: Window, measure: Measure
) -> tuple[JointEstimate | NotEstimable, ...]:
    """Estimate as `estimate` does at the end of each of several ascending days.

    In a fraction of the time that one estimate after the other would take.
    """
    path = estimate_path(Columns.of(moments), processes(window, measure), days)
    return tuple(m if isinstance(m, NotEstimable) else m.joint() for m in path)


def estimate_mature(
    moments: Moments, *, window: Window, as_of: int, measure: Measure
) -> JointEstimate | NotEstimable:
    """Estimate from the visitors alone who have been followed for the whole window.

    Unbiased too, and far less precise than `estimate`: a cross-check.
    """
    columns = Columns.of(moments)
    if not columns.enrolled(as_of):
        return NotEstimable(Reason.NO_VISITORS)
    last_day = as_of - window.longest
    if not columns.enrolled(last_day):
        return NotEstimable(Reason.NOT_MATURE)
    means = estimate_means(
        columns, processes(window, measure), as_of=as_of, last_day=last_day
    )
    return means if isinstance(means, NotEstimable) else means.joint()


def estimate_step(
    moments: Moments, step: str, *, window: int, as_of: int
) -> ValueEstimate | NotEstimable:
    """Estimate which share of the visitors reaches a funnel step within the window.

    Returns:
        The same reasons as `estimate`.
    """
    means = estimate_step_mean(Columns.of(moments), step, window=window, as_of=as_of)
    if isinstance(means, NotEstimable):
        return means
    return ValueEstimate(
        visitors=means.visitors,
        mean=means.means[0],
        variance=means.covariance[0][0],
        is_mature=means.is_mature,
    )


def count_step(moments: Moments, step: str, *, window: int, as_of: int) -> int:
    """Count who reached a funnel step within the window until `as_of`."""
    columns = Columns.of(moments)
    rows = columns.reached(step, window=window)
    return int(rows.value[columns.seen_on(rows) <= as_of].sum())


def observed(moments: Moments, *, window: Window, as_of: int) -> Observed:
    """Count what is in until `as_of`, within the window."""
    columns = Columns.of(moments)
    first, second, first_amount, second_amount = (
        columns.seen(process, as_of=as_of)
        for measure in Measure
        for process in processes(window, measure)
    )
    return Observed(
        first=first,
        second=second,
        first_amount=first_amount,
        second_amount=second_amount,
    )


def maturity(moments: Moments, *, window: Window, as_of: int) -> Maturity:
    """Say how much of what the visitors enrolled so far will bring is in."""
    columns = Columns.of(moments)
    visitors = columns.enrolled(as_of)
    second = observed(moments, window=window, as_of=as_of).second
    counts = estimate(moments, window=window, as_of=as_of, measure=Measure.COUNT)
    share = None
    if second and not isinstance(counts, NotEstimable):
        share = second / (visitors * counts.second)
    days = columns.days[columns.days <= as_of].tolist()
    return Maturity(
        share=share,
        visitors=visitors,
        mature_visitors=columns.enrolled(as_of - window.longest),
        first_complete_day=days[0] + window.longest if days else None,
        complete_day=days[-1] + window.longest if days else None,
    )


def value(
    joint: JointEstimate, first_weight: float, second_weight: float
) -> ValueEstimate:
    """Weigh first and second conversion into the value per visitor."""
    return ValueEstimate(
        visitors=joint.visitors,
        mean=joint.mean(first_weight, second_weight),
        variance=joint.variance(first_weight, second_weight),
        is_mature=joint.is_mature,
    )


def processes(window: Window, measure: Measure) -> tuple[Process, Process]:
    """Return first and second conversion in the measure."""
    in_money = measure is Measure.MONEY
    return (
        Process(ordinal=1, in_money=in_money, window=window.first),
        Process(ordinal=2, in_money=in_money, window=window.second),
    )
