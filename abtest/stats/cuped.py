"""Variance reduction with a covariate known before the first exposure (CUPED)."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from abtest.stats.columns import Columns, Rows
from abtest.stats.delayed import Measure, Window, estimate, processes, value
from abtest.stats.frequentist import compare
from abtest.stats.moments import Moments
from abtest.stats.results import FrequentistResult, NotEstimable, Reason, ValueEstimate


def adjust(
    control: Moments,
    treatment: Moments,
    *,
    window: Window,
    as_of: int,
    measure: Measure,
    first_weight: float,
    second_weight: float,
    alpha: float,
) -> FrequentistResult | NotEstimable:
    """Compare the weighted value after taking out what the covariate explains.

    Each arm's mean becomes V - theta (x - x of everybody), with one theta for both:
    the covariance of value and covariate over both arms together, divided by the
    covariate's variance. A visitor's influence on the delay-corrected estimate takes
    the place of the value, so that recent visitors count; once everybody has been
    followed to the end the two are the same and the test is Welch's.

    Args:
        control: with `covariate_cohorts` and `covariate_cells`.
        treatment: the same.
        window: days that count for first and second conversion.
        as_of: last complete day.
        measure: counts, or money in minor units.
        first_weight: worth of a first conversion, or its margin.
        second_weight: worth of a second conversion, or its margin.
        alpha: two-sided.

    Returns:
        The result with method `cuped`; NO_COVARIATE when the covariate is missing or
        the same for everybody; or the reason why there is no estimate at all.

    References:
        Deng, Xu, Kohavi, Walker: Improving the sensitivity of online controlled
        experiments (2013), https://doi.org/10.1145/2433396.2433413
    """
    arms: list[_Arm] = []
    weights = (first_weight, second_weight)
    for moments in (control, treatment):
        joint = estimate(moments, window=window, as_of=as_of, measure=measure)
        if isinstance(joint, NotEstimable):
            return joint
        cohorts = {
            day: sums for day, sums in moments.covariate_cohorts.items() if day <= as_of
        }
        arms.append(
            _Arm(
                value=value(joint, *weights),
                total=sum(c.total for c in cohorts.values()),
                squares=sum(c.squares for c in cohorts.values()),
                product=_influence_product(moments, as_of, window, measure, weights),
            )
        )
    visitors = sum(arm.value.visitors for arm in arms)
    total = sum(arm.total for arm in arms)
    spread = visitors * sum(arm.squares for arm in arms) - total**2
    if spread <= 0:
        return NotEstimable(Reason.NO_COVARIATE)
    covariate = total / visitors
    mean = sum(arm.value.visitors * arm.value.mean for arm in arms) / visitors
    shared = sum(
        arm.product
        + (arm.value.mean - mean) * (arm.total - arm.value.visitors * covariate)
        for arm in arms
    )
    theta = shared * visitors / spread
    adjusted = (_adjusted(arm, theta, covariate) for arm in arms)
    result = compare(*adjusted, alpha=alpha)
    if isinstance(result, NotEstimable):
        return result
    return replace(result, method="cuped")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arm:
    """One arm's value and covariate x.

    Attributes:
        total: sum of x.
        squares: sum of x squared.
        product: sum of influence x covariate over the visitors.
    """

    value: ValueEstimate
    total: int
    squares: int
    product: float


def _adjusted(arm: _Arm, theta: float, covariate: float) -> ValueEstimate:
    """Take theta x (the arm's covariate - everybody's) out of the value."""
    n = arm.value.visitors
    spread = (n * arm.squares - arm.total**2) / n
    change = (theta**2 * spread - 2 * theta * arm.product) / (n * (n - 1))
    return replace(
        arm.value,
        mean=arm.value.mean - theta * (arm.total / n - covariate),
        variance=max(0.0, arm.value.variance + change),
    )


def _influence_product(
    moments: Moments,
    as_of: int,
    window: Window,
    measure: Measure,
    weights: tuple[float, float],
) -> float:
    """Return sum_d a_d sum x Y(d) - sum_e m_e Sx(e).

    With a_d = visitors / visitors followed for d days, and m_e the sum of a_d x mean
    value at lag d over the days that cohort e has been followed.

    Args:
        moments: of one variant.
        as_of: last complete day; what came later is left out.
        window: days that count.
        measure: counts or money.
        weights: of first and second conversion.
    """
    columns = Columns.of(moments)
    size = window.longest + 1
    reach = np.searchsorted(columns.days, as_of - np.arange(size), side="right")
    followed = np.cumsum(columns.sizes)[reach - 1].astype(np.float64)

    def by_lag(rows: Rows) -> NDArray[np.float64]:
        seen = rows.chosen(columns.seen_on(rows) <= as_of)
        sums = np.zeros(size)
        np.add.at(sums, seen.lag, seen.value.astype(np.float64))
        return sums

    value, product = np.zeros((2, size))
    for process, weight in zip(processes(window, measure), weights, strict=True):
        value += weight * by_lag(columns.totals(process))
        product += weight * by_lag(columns.crossed(process))
    scale = followed[0] / followed
    mean = np.cumsum(scale * value / followed)
    return float(scale @ product) - sum(
        float(mean[min(as_of - day, size - 1)]) * cohort.total
        for day, cohort in moments.covariate_cohorts.items()
        if day <= as_of
    )
