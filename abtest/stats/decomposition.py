"""Where a change of revenue comes from: customers, purchases or order value."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from abtest.stats.columns import Columns
from abtest.stats.cumulative import Means, estimate_means
from abtest.stats.delayed import Measure, Window, processes
from abtest.stats.moments import Moments
from abtest.stats.results import Decomposition, Factor, Interval, NotEstimable, Reason
from abtest.stats.stratified import stratified_means

UNBOUNDED = 100.0
"""Half-width on the log scale from which an interval is not given."""


def decompose(
    control: Moments,
    treatment: Moments,
    *,
    window: Window,
    as_of: int,
    alpha: float,
    is_stratified: bool = False,
) -> Decomposition | NotEstimable:
    """Split the relative change of revenue per visitor into three factors.

    All from the same estimates as the rest of the report; the intervals are normal on
    the log of the ratio (delta method) with the covariance of counts and money.

    Args:
        control: one variant.
        treatment: the other one.
        window: days that count.
        as_of: last complete day.
        alpha: the intervals leave out alpha / 2 on either side.
        is_stratified: estimate day by day, for a traffic split that changed.

    Returns:
        The reasons of `delayed.estimate`, NO_CONVERSIONS when a variant has no first
        conversion, NO_REVENUE when its revenue is not positive.
    """
    wanted = (*processes(window, Measure.COUNT), *processes(window, Measure.MONEY))
    arms = (control, treatment)
    if is_stratified:
        estimates = stratified_means(arms, wanted, as_of=as_of)
    else:
        estimates = tuple(
            estimate_means(Columns.of(arm), wanted, as_of=as_of, last_day=as_of)
            for arm in arms
        )
    found = []
    for means in estimates:
        if isinstance(means, NotEstimable):
            return means
        found.append(means)
    first_pays = any(means.means[2] for means in found)
    parts = []
    for means in found:
        arm = _Parts.of(means, first_pays=first_pays)
        if isinstance(arm, NotEstimable):
            return arm
        parts.append(arm)
    quantile = float(-ndtri(alpha / 2))
    customers, purchases, order_value, revenue = (
        _factor(i, *parts, quantile=quantile) for i in range(4)
    )
    return Decomposition(
        customers=customers,
        purchases=purchases,
        order_value=order_value,
        revenue=revenue,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """Customers, purchases, order value, revenue, and the variances of their logs."""

    values: tuple[float, ...]
    variances: tuple[float, ...]

    @classmethod
    def of(cls, means: Means, *, first_pays: bool) -> "_Parts | NotEstimable":
        """Derive them from first and second count, first and second amount."""
        first, second, *amounts = means.means
        orders, revenue = first * first_pays + second, sum(amounts)
        if not first > 0:
            return NotEstimable(Reason.NO_CONVERSIONS)
        if not revenue > 0:
            return NotEstimable(Reason.NO_REVENUE)
        by_orders = np.array([first_pays, 1, 0, 0]) / orders
        by_first = np.array([1, 0, 0, 0]) / first
        by_revenue = np.array([0, 0, 1, 1]) / revenue
        gradients = np.array(
            [by_first, by_orders - by_first, by_revenue - by_orders, by_revenue]
        )
        variances = gradients @ np.array(means.covariance) @ gradients.T
        return cls(
            values=(first, orders / first, revenue / orders, revenue),
            variances=tuple(variances.diagonal().clip(0.0).tolist()),
        )


def _factor(i: int, control: _Parts, treatment: _Parts, *, quantile: float) -> Factor:
    """Compare one part of both variants."""
    ratio = treatment.values[i] / control.values[i]
    log_half = quantile * math.sqrt(control.variances[i] + treatment.variances[i])
    # Revenue that refunds have all but eaten up has no ratio worth bounding.
    limits: tuple[float | None, float | None] = (None, None)
    if log_half < UNBOUNDED:
        limits = (ratio * math.exp(-log_half), ratio * math.exp(log_half))
    return Factor(
        control=control.values[i],
        treatment=treatment.values[i],
        ratio=ratio,
        interval=Interval(lower=limits[0], upper=limits[1]),
    )
