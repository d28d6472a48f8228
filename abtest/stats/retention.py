"""Key figures of the customers that a variant won; diagnostics, never a verdict."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from statsmodels.stats.proportion import proportion_confint

from abtest.stats.cumulative import Means
from abtest.stats.frequentist import compare
from abtest.stats.moments import Moments
from abtest.stats.results import (
    FrequentistResult,
    Interval,
    JointEstimate,
    KeyFigure,
    NotEstimable,
    Reason,
    ValueEstimate,
)

Vector = NDArray[np.float64]


def rate(part: int, whole: int, *, alpha: float) -> KeyFigure | NotEstimable:
    """Return part / whole with Wilson's interval.

    Raises:
        ValueError: the part is not between 0 and the whole.
    """
    if not 0 <= part <= whole:
        raise ValueError(f"part is {part}; it must lie between 0 and {whole}")
    if whole == 0:
        return NotEstimable(Reason.NO_CONVERSIONS)
    lower, upper = proportion_confint(part, whole, alpha=alpha, method="wilson")
    return KeyFigure(
        estimate=part / whole, interval=Interval(lower=float(lower), upper=float(upper))
    )


def retention_rate(
    *, at_start: int, at_end: int, new: int, alpha: float
) -> KeyFigure | NotEstimable:
    """Return (customers at the end - new customers) / customers at the start."""
    return rate(at_end - new, at_start, alpha=alpha)


def churn_rate(*, at_start: int, lost: int, alpha: float) -> KeyFigure | NotEstimable:
    """Return customers lost / customers at the start."""
    return rate(lost, at_start, alpha=alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringRevenue:
    """Monthly recurring revenue of the customers at the start of a period.

    Attributes:
        customers: at the start.
        at_start: sum of what they paid.
        at_start_squares: sum of squares of what each paid.
        lost: sum of what went with cancellations and smaller plans.
        lost_squares: sum of squares of what went with each customer.
        product: sum of paid x lost of the same customer.
    """

    customers: int
    at_start: float
    at_start_squares: float
    lost: float
    lost_squares: float
    product: float


def revenue_churn(
    revenue: RecurringRevenue, *, alpha: float
) -> KeyFigure | NotEstimable:
    """Return lost recurring revenue / that at the start, with a delta interval.

    Returns:
        The figure, or why it cannot be said: where all customers lost the same share
        of their revenue nothing is known of how much that varies.

    References:
        Deng, Knoblich, Lu: Applying the delta method in metric analytics (2018),
        https://arxiv.org/abs/1803.06336
    """
    if revenue.at_start <= 0:
        return NotEstimable(Reason.NO_REVENUE)
    churn = revenue.lost / revenue.at_start
    residuals = (
        revenue.lost_squares
        - 2 * churn * revenue.product
        + churn**2 * revenue.at_start_squares
    )
    n = revenue.customers
    if n < 2:
        return NotEstimable(Reason.TOO_FEW_CONVERSIONS)
    if residuals <= 0:  # everybody lost the same share, all or nothing for example
        return NotEstimable(Reason.NO_VARIANCE)
    variance = n / (n - 1) * residuals / revenue.at_start**2
    return _figure(churn, variance, alpha=alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How customers bought in two periods of the same length, one after the other.

    Attributes:
        customers: who bought at least once so far.
        loyal: of these, who bought at least the chosen number of times.
        at_start: who bought in the earlier period: the customers at the start of the
            later one.
        at_end: who bought in the later period.
        new: of these, who had not bought in the earlier one.
        revenue: of the customers at the start: what each paid in the earlier period,
            and by how much less in the later one.
    """

    customers: int
    loyal: int
    at_start: int
    at_end: int
    new: int
    revenue: RecurringRevenue


@dataclass(frozen=True, slots=True, kw_only=True)
class HabitFigures:
    """Retention, churn, revenue churn and the share of loyal customers."""

    habits: Habits
    retention_rate: KeyFigure | NotEstimable
    churn_rate: KeyFigure | NotEstimable
    revenue_churn: KeyFigure | NotEstimable
    loyal_rate: KeyFigure | NotEstimable


def habit_figures(habits: Habits, *, alpha: float) -> HabitFigures:
    """Return the key figures of how customers came back, with their intervals.

    Args:
        alpha: two-sided; Wilson's intervals for rates of customers, a delta interval
            for the money.
    """
    kept = habits.at_end - habits.new
    return HabitFigures(
        habits=habits,
        retention_rate=retention_rate(
            at_start=habits.at_start,
            at_end=habits.at_end,
            new=habits.new,
            alpha=alpha,
        ),
        churn_rate=churn_rate(
            at_start=habits.at_start, lost=habits.at_start - kept, alpha=alpha
        ),
        revenue_churn=revenue_churn(habits.revenue, alpha=alpha),
        loyal_rate=rate(habits.loyal, habits.customers, alpha=alpha),
    )


def repeat_rate(joint: JointEstimate) -> ValueEstimate | NotEstimable:
    """Return second / first conversions, corrected for the delay.

    Its denominator is what the variants change: a variant that wins more hesitant
    first buyers has a lower repeat rate and may still be better.

    Args:
        joint: of counts, both conversions within the window.
    """
    if joint.first <= 0:
        return NotEstimable(Reason.NO_CONVERSIONS)
    found = joint.second / joint.first
    return ValueEstimate(
        visitors=joint.visitors,
        mean=found,
        variance=joint.variance(-found, 1.0) / joint.first**2,
        is_mature=joint.is_mature,
    )


def compare_repeat_rates(
    control: JointEstimate, treatment: JointEstimate, *, alpha: float
) -> FrequentistResult | NotEstimable:
    """Compare the repeat rates of two variants; see `repeat_rate`."""
    return compare(repeat_rate(control), repeat_rate(treatment), alpha=alpha)


def break_even_cost_per_click(value: ValueEstimate, *, alpha: float) -> KeyFigure:
    """Return what a visitor may cost at most: the value per visitor in money."""
    return _figure(value.mean, value.variance, alpha=alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSums:
    """Sums over the persons who bought; money in minor units.

    Attributes:
        orders_squares, revenue_squares: sums of squares of each person's.
        orders_revenue: sum of orders x revenue of the same person.
    """

    persons: int
    orders: int
    revenue: int
    orders_squares: int
    revenue_squares: int
    orders_revenue: int


def revenue_per_visitor(
    sums: OrderSums, visitors: int, *, alpha: float
) -> KeyFigure | NotEstimable:
    """Return revenue / visitors, with the interval of a mean.

    Args:
        sums: of those among the visitors who bought.
        visitors: everybody, buyers included.
        alpha: two-sided.
    """
    if sums.revenue_squares == 0:
        return NotEstimable(Reason.NO_REVENUE)
    if visitors < 2:
        return NotEstimable(Reason.TOO_FEW_VISITORS)
    mean = sums.revenue / visitors
    residuals = sums.revenue_squares - visitors * mean**2
    return _figure(mean, residuals / (visitors - 1) / visitors, alpha=alpha)


def average_order_value(sums: OrderSums, *, alpha: float) -> KeyFigure | NotEstimable:
    """Return revenue / orders with a delta interval; orders of a person go together.

    References:
        Deng, Knoblich, Lu: Applying the delta method in metric analytics (2018),
        https://arxiv.org/abs/1803.06336
    """
    if sums.revenue_squares == 0:
        return NotEstimable(Reason.NO_REVENUE)
    n = sums.persons
    if n < 2:
        return NotEstimable(Reason.TOO_FEW_CONVERSIONS)
    mean = sums.revenue / sums.orders
    residuals = (
        sums.revenue_squares
        - 2 * mean * sums.orders_revenue
        + mean**2 * sums.orders_squares
    )
    return _figure(mean, n / (n - 1) * residuals / sums.orders**2, alpha=alpha)


def highest_acquisition_cost(
    means: Means, *, first_weight: float, second_weight: float, alpha: float
) -> KeyFigure | NotEstimable:
    """Return what a customer may cost at most: value / first conversions.

    Corrected for the delay, with a delta interval.

    Args:
        means: of first conversions counted, of first and of second orders in money.
        first_weight: margin of a first order.
        second_weight: margin of a second order.
        alpha: two-sided.
    """
    buyers, first, second = means.means
    if buyers <= 0:
        return NotEstimable(Reason.NO_CONVERSIONS)
    worth = (first_weight * first + second_weight * second) / buyers
    gradient = np.array([-worth, first_weight, second_weight]) / buyers
    variance = float(gradient @ np.array(means.covariance) @ gradient)
    return _figure(worth, variance, alpha=alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFigures:
    """Key figures of customers who were followed for the whole window.

    Money is in minor units. Only the first and the second conversion are orders here.

    Attributes:
        customers: visitors with a first conversion.
        orders: first and second conversions.
        repeat_customer_rate: returning customers / customers.
        average_order_value: revenue / orders.
        value_per_customer: revenue / customers, the highest acquisition cost.
        lifetime_value: average order value x repeat customer rate - acquisition cost.
    """

    customers: int
    orders: int
    repeat_customer_rate: KeyFigure | NotEstimable
    average_order_value: KeyFigure | NotEstimable
    value_per_customer: KeyFigure | NotEstimable
    lifetime_value: KeyFigure | NotEstimable


def customer_figures(
    moments: Moments,
    *,
    window_days: int,
    as_of: int,
    alpha: float,
    acquisition_cost: float = 0.0,
) -> CustomerFigures | NotEstimable:
    """Return the key figures of the cohorts that are mature on day `as_of`.

    Args:
        moments: of one variant.
        window_days: orders and refunds at lags 0 to `window_days` count.
        as_of: last complete day.
        alpha: two-sided, for the intervals (Wilson for the rate, delta for the rest).
        acquisition_cost: of a customer, minor units; taken as known exactly.
    """
    visitors = sum(
        n for day, n in moments.cohorts.items() if day + window_days <= as_of
    )
    if visitors == 0:
        return NotEstimable(Reason.NOT_MATURE)
    sums, squares = _order_sums(moments, window_days, as_of)
    customers, returning, *_ = sums.tolist()
    if customers == 0:
        return NotEstimable(Reason.NO_CONVERSIONS)
    orders, revenue = customers + returning, float(sums[2:].sum())
    order_value, repeat = revenue / orders, returning / customers
    # Gradients by (customers, returning, first revenue, second revenue).
    by_order = np.array([-order_value, -order_value, 1, 1]) / orders
    by_repeat = np.array([-repeat, 1, 0, 0]) / customers
    by_customer = np.array([-revenue / customers, 0, 1, 1]) / customers

    def figure(estimate: float, gradient: Vector) -> KeyFigure | NotEstimable:
        if not squares[2:, 2:].any():
            return NotEstimable(Reason.NO_REVENUE)
        if visitors < 2:
            return NotEstimable(Reason.TOO_FEW_VISITORS)
        residuals = float(gradient @ squares @ gradient)
        residuals -= float(gradient @ sums) ** 2 / visitors
        return _figure(estimate, residuals * visitors / (visitors - 1), alpha=alpha)

    return CustomerFigures(
        customers=int(customers),
        orders=int(orders),
        repeat_customer_rate=rate(int(returning), int(customers), alpha=alpha),
        average_order_value=figure(order_value, by_order),
        value_per_customer=figure(revenue / customers, by_customer),
        lifetime_value=figure(
            order_value * repeat - acquisition_cost,
            repeat * by_order + order_value * by_repeat,
        ),
    )


def _order_sums(
    moments: Moments, window_days: int, as_of: int
) -> tuple[Vector, Vector]:
    """Return totals, and products over visitors, of the four numbers of a visitor.

    They are first and second conversion (0 or 1) and what each brought. Revenue
    implies its conversion and a second conversion the first, so most products are
    plain totals.
    """
    sums, squares = np.zeros(4), np.zeros((4, 4))
    for key, cell in moments.cells.items():
        if key.day + window_days <= as_of and key.lag <= window_days:
            sums[key.ordinal - 1] += cell.conversions
            sums[key.ordinal + 1] += cell.total
            squares[key.ordinal + 1, key.ordinal + 1] += cell.squares
    for pair, crossed in moments.pairs.items():
        last_lag = max(pair.lag_a, pair.lag_b)
        if pair.day + window_days > as_of or last_lag > window_days:
            continue
        if pair.ordinal_a == pair.ordinal_b:
            own = pair.ordinal_a + 1
            squares[own, own] += 2 * crossed.product
        else:
            squares[2, 3] += crossed.product
            squares[1, 2] += crossed.amount_count
    squares[0] = sums
    squares[1, 1], squares[1, 3] = sums[1], sums[3]
    return sums, squares + np.triu(squares, 1).T


def _figure(estimate: float, variance: float, *, alpha: float) -> KeyFigure:
    half = -float(ndtri(alpha / 2)) * math.sqrt(max(0.0, variance))
    return KeyFigure(
        estimate=estimate,
        interval=Interval(lower=estimate - half, upper=estimate + half),
    )
