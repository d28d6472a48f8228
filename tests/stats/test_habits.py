"""Key figures of all purchases: habits of customers, and revenue of all traffic."""

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from abtest.stats.results import KeyFigure, NotEstimable, Reason
from abtest.stats.retention import (
    Habits,
    OrderSums,
    RecurringRevenue,
    average_order_value,
    habit_figures,
    revenue_per_visitor,
)
from tests.stats.test_retention import Table, Z, left_out

NOBODY = RecurringRevenue(
    customers=0,
    at_start=0,
    at_start_squares=0,
    lost=0,
    lost_squares=0,
    product=0,
)
NOTHING = OrderSums(
    persons=0,
    orders=0,
    revenue=0,
    orders_squares=0,
    revenue_squares=0,
    orders_revenue=0,
)


def known(figure: KeyFigure | NotEstimable) -> KeyFigure:
    assert isinstance(figure, KeyFigure)
    return figure


def test_habits_by_hand() -> None:
    """Of 40 customers at the start 30 came back; 10 of the 40 in the end are new."""
    found = habit_figures(
        Habits(customers=60, loyal=12, at_start=40, at_end=40, new=10, revenue=NOBODY),
        alpha=0.05,
    )
    assert known(found.retention_rate).estimate == pytest.approx(0.75)
    assert known(found.churn_rate).estimate == pytest.approx(0.25)
    loyal = known(found.loyal_rate)
    assert loyal.estimate == pytest.approx(0.2)
    limits = proportion_confint(12, 60, method="wilson")
    assert (loyal.interval.lower, loyal.interval.upper) == pytest.approx(limits)
    assert found.revenue_churn == NotEstimable(Reason.NO_REVENUE)


def test_without_customers_there_are_no_habits() -> None:
    found = habit_figures(
        Habits(customers=0, loyal=0, at_start=0, at_end=0, new=0, revenue=NOBODY),
        alpha=0.05,
    )
    nothing = NotEstimable(Reason.NO_CONVERSIONS)
    assert (found.retention_rate, found.churn_rate) == (nothing, nothing)
    assert found.loyal_rate == nothing


@pytest.fixture
def crowd() -> Table:
    """Orders and revenue of each of 2,000 visitors, most of whom buy nothing."""
    rng = np.random.default_rng(8)
    orders = rng.choice([0, 1, 2, 5], 2_000, p=[0.9, 0.06, 0.03, 0.01])
    revenue = np.array([int(rng.lognormal(7, 0.8, n).sum()) for n in orders])
    return np.stack([orders, revenue], axis=1).astype(float)


def sums_of(crowd: Table) -> OrderSums:
    orders, revenue = crowd.T
    return OrderSums(
        persons=int((orders > 0).sum()),
        orders=int(orders.sum()),
        revenue=int(revenue.sum()),
        orders_squares=int(orders @ orders),
        revenue_squares=int(revenue @ revenue),
        orders_revenue=int(orders @ revenue),
    )


def test_revenue_per_visitor_is_a_mean(crowd: Table) -> None:
    found = known(revenue_per_visitor(sums_of(crowd), len(crowd), alpha=0.05))
    by_statsmodels = DescrStatsW(crowd[:, 1])
    assert found.estimate == pytest.approx(by_statsmodels.mean)
    limits = (found.interval.lower, found.interval.upper)
    assert limits == pytest.approx(by_statsmodels.zconfint_mean())


def test_the_average_order_value_is_a_ratio(crowd: Table) -> None:
    found = known(average_order_value(sums_of(crowd), alpha=0.05))
    assert found.estimate == pytest.approx(crowd[:, 1].sum() / crowd[:, 0].sum())
    buyers = crowd[crowd[:, 0] > 0]
    error = left_out(buyers, lambda s: float(s[1] / s[0]))
    assert found.interval.upper == pytest.approx(found.estimate + Z * error, rel=1e-3)


def test_without_money_there_is_no_average() -> None:
    one = OrderSums(
        persons=1,
        orders=1,
        revenue=50,
        orders_squares=1,
        revenue_squares=2500,
        orders_revenue=50,
    )
    assert revenue_per_visitor(NOTHING, 9, alpha=0.05) == NotEstimable(
        Reason.NO_REVENUE
    )
    assert revenue_per_visitor(one, 1, alpha=0.05) == NotEstimable(
        Reason.TOO_FEW_VISITORS
    )
    assert average_order_value(NOTHING, alpha=0.05) == NotEstimable(Reason.NO_REVENUE)
    assert average_order_value(one, alpha=0.05) == NotEstimable(
        Reason.TOO_FEW_CONVERSIONS
    )
