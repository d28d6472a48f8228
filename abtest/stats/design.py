"""What standard error a planned experiment will have on a given day."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from abtest.stats.delayed import Measure, Window, estimate
from abtest.stats.moments import Moments
from abtest.stats.power import COUNTED, Baseline, OrderValue
from abtest.stats.results import JointEstimate, NotEstimable, Reason

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayCurve:
    """How late conversions come, as cumulative shares.

    Only proportions matter: what comes after the window does not count, and beyond
    the end of a curve nothing more comes.

    Attributes:
        first: share of the first conversions in by each day after the exposure.
        gap: share of the second conversions in by each day after the first one.
    """

    first: tuple[float, ...]
    gap: tuple[float, ...]

    def __post_init__(self) -> None:
        for name, curve in (("first", self.first), ("gap", self.gap)):
            steps = pairwise((0.0, *curve))
            if not any(curve) or any(late < early for early, late in steps):
                raise ValueError(f"{name} must rise from 0 or more and not fall")

    @classmethod
    def exponential(
        cls, window_days: int, *, same_day: float = 0.7, gap_mean: float | None = None
    ) -> "DelayCurve":
        """Return the curve assumed when there is no history.

        Args:
            window_days: the second conversion's window.
            same_day: share of first conversions on the day of the exposure; a fifth
                of those still missing follows each day, for two weeks.
            gap_mean: days between first and second conversion; a third of the window
                when not given.
        """
        days = np.arange(window_days + 1)
        late = 1 - 0.8 ** np.minimum(days, 14)
        first = same_day + (1 - same_day) * late / (1 - 0.8**14)
        gap = -np.expm1(-(days + 1) / (gap_mean or window_days / 3 or 1.0))
        return cls(first=tuple(first.tolist()), gap=tuple(gap.tolist()))

    @classmethod
    def from_history(
        cls, moments: Moments, *, window: Window, as_of: int
    ) -> "DelayCurve | NotEstimable":
        """Estimate the curve from an earlier experiment, recent visitors included.

        A conversion at lag d counts 1 / (visitors followed for d days).
        """
        known = moments.until(as_of)
        followed: dict[int, int] = {}
        for day, visitors in known.cohorts.items():
            for lag in range(as_of - day + 1):
                followed[lag] = followed.get(lag, 0) + visitors
        if window.longest not in followed:
            return NotEstimable(Reason.NOT_MATURE)
        first = np.zeros(window.first + 1)
        for key, cell in known.cells.items():
            if key.ordinal == 1 and key.lag <= window.first:
                first[key.lag] += cell.conversions / followed[key.lag]
        gap = np.zeros(window.second + 1)
        for pair, sums in known.pairs.items():
            # Where a refund meets a conversion, no two conversions are counted.
            if sums.conversions and pair.lag_b <= window.second:
                share = sums.conversions / followed[pair.lag_b]
                gap[pair.lag_b - pair.lag_a] += share
        if not first.any() or not gap.any():
            return NotEstimable(Reason.NO_CONVERSIONS)
        return cls(
            first=tuple(first.cumsum().tolist()), gap=tuple(gap.cumsum().tolist())
        )


def baseline_from_history(
    moments: Moments, *, window: Window, as_of: int, measure: Measure
) -> Baseline | NotEstimable:
    """Return the rates, and in money the order values, of an earlier experiment."""
    joint = estimate(moments, window=window, as_of=as_of, measure=Measure.COUNT)
    if isinstance(joint, NotEstimable):
        return joint
    if not 0 < joint.first < 1:
        return NotEstimable(Reason.NO_CONVERSIONS)
    first = second = COUNTED
    if measure is Measure.MONEY:
        first = _order_value(moments.until(as_of), 1, window.first)
        second = _order_value(moments.until(as_of), 2, window.second)
    return Baseline(
        first_rate=joint.first,
        repeat_rate=min(1.0, joint.second / joint.first),
        first_order=first,
        second_order=second,
    )


def _order_value(moments: Moments, ordinal: int, last_lag: int) -> OrderValue:
    """Return mean and deviation of what an order brought, refunds taken off."""
    cells = [
        cell
        for key, cell in moments.cells.items()
        if key.ordinal == ordinal and key.lag <= last_lag
    ]
    orders = sum(cell.conversions for cell in cells)
    if orders == 0:
        return OrderValue(mean=0.0)
    mean = sum(cell.total for cell in cells) / orders
    square = sum(cell.squares for cell in cells) / orders
    return OrderValue(mean=mean, sd=math.sqrt(max(0.0, square - mean**2)))


def expected_estimate(
    schedule: Sequence[float],
    baseline: Baseline,
    delay: DelayCurve,
    *,
    window: Window,
    as_of: int,
) -> JointEstimate | NotEstimable:
    """Return what the delay-corrected estimate of one arm will look like.

    The expectation of its influence-function variance: a visitor followed for F days
    adds E[(sum_{d<=F} a_d Y(d))^2] - (sum_{d<=F} a_d mu_d)^2, where Y(d) is the value
    at lag d, mu_d its mean and a_d = all visitors / visitors followed for d days.

    Args:
        schedule: visitors of the arm on exposure day 0, 1, 2, ...
        baseline: rates and order values.
        delay: how late conversions come.
        window: days that count for first and second conversion.
        as_of: last complete day, day 0 being the first exposure day.

    Returns:
        Means and covariance per visitor, or NOT_MATURE before the first visitors
        have been followed for the whole window.

    Raises:
        ValueError: nothing of the delay curve falls into the window.
    """
    last_lag = window.longest
    visitors = np.asarray(schedule[: as_of + 1], dtype=float)
    follow_up = np.minimum(as_of - np.arange(visitors.size), last_lag)
    followed = np.bincount(follow_up.clip(0), visitors, last_lag + 1)
    followed = followed[::-1].cumsum()[::-1]
    if not followed[-1]:
        return NotEstimable(Reason.NOT_MATURE)
    total = float(followed[0])
    a = total / followed
    lags = _lag_distribution(delay, window)
    first, second = baseline.first_order, baseline.second_order
    one, two = baseline.first_rate * lags.first, baseline.second_rate * lags.second
    mean_one = (a * one * first.mean).cumsum()
    mean_two = (a * two * second.mean).cumsum()
    square_one = (a**2 * one * (first.mean**2 + first.sd**2)).cumsum()
    square_two = (a**2 * two * (second.mean**2 + second.sd**2)).cumsum()
    both = (a * (a @ lags.joint)).cumsum()
    both *= baseline.second_rate * first.mean * second.mean
    share = visitors / total**2

    def expected(moment: Vector) -> float:
        return float(share @ moment[follow_up])

    return JointEstimate(
        visitors=round(total),
        first=baseline.mean(1, 0),
        second=baseline.mean(0, 1),
        variance_first=expected(square_one - mean_one**2),
        covariance=expected(both - mean_one * mean_two),
        variance_second=expected(square_two - mean_two**2),
        is_mature=bool(follow_up[-1] == last_lag),
    )


def design_standard_error(
    schedule: Sequence[float],
    baseline: Baseline,
    delay: DelayCurve,
    *,
    window: Window,
    as_of: int,
    first_weight: float,
    second_weight: float,
) -> float | NotEstimable:
    """Return the standard error that one arm's value will have on day `as_of`.

    See `expected_estimate`.
    """
    joint = expected_estimate(schedule, baseline, delay, window=window, as_of=as_of)
    if isinstance(joint, NotEstimable):
        return joint
    return math.sqrt(joint.variance(first_weight, second_weight))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lags:
    """Shares by lag after the exposure; `joint` is by (first, second) lag."""

    first: Vector
    second: Vector
    joint: NDArray[np.float64]


@lru_cache(maxsize=64)
def _lag_distribution(delay: DelayCurve, window: Window) -> _Lags:
    """Turn the curves into lags after the exposure, given a conversion in the window.

    The gap is taken as independent of the lag of the first conversion.
    """
    size = window.longest + 1
    first = _steps(delay.first, window.first, size)
    gap = _steps(delay.gap, window.second, size)
    joint = np.zeros((size, size))
    for lag in range(min(window.first, window.second) + 1):
        left = window.second + 1 - lag
        joint[lag, lag : lag + left] = first[lag] * gap[:left]
    if not joint.any():
        raise ValueError(f"{delay} has no second conversion within {window}")
    joint /= joint.sum()
    return _Lags(first=first / first.sum(), second=joint.sum(axis=0), joint=joint)


def _steps(curve: tuple[float, ...], last_lag: int, size: int) -> Vector:
    """Return what each day adds to the curve, up to the last lag."""
    steps = np.diff(np.asarray(curve[: last_lag + 1]), prepend=0.0)
    return np.pad(steps, (0, size - steps.size))
