"""What a visitor and a customer may cost, and the customers' key figures."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from abtest.domain.experiment import Experiment
from abtest.domain.funnel import MoneyWeights
from abtest.errors import AbtestError
from abtest.services.analysis import analyze
from abtest.services.customers import (
    CustomerReport,
    Periods,
    describe_customers,
)
from abtest.stats.results import KeyFigure, NotEstimable, Reason
from abtest.stats.retention import CustomerFigures, HabitFigures
from abtest.store.protocol import Store
from tests.services.shoppers import Shopper, shop, table, visits
from tests.services.traffic import KEY, running

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
PEOPLE = shop("a", 400, seed=5, rate=0.2)
MONEY = running(weights=MoneyWeights(currency="EUR", second_margin=0.5))
Z = 1.959963984540054


def fill(store: Store, experiment: Experiment = MONEY) -> None:
    store.add_experiment(experiment)
    others = shop("b", 400, seed=6, rate=0.2)
    store.record(visits([*PEOPLE, *others]), received_at=NOW)


def customers(store: Store, acquisition_cost: float = 0.0) -> CustomerReport:
    return describe_customers(store, KEY, now=NOW, acquisition_cost=acquisition_cost)


def figure(found: object) -> KeyFigure:
    assert isinstance(found, KeyFigure)
    return found


def test_what_a_visitor_and_a_customer_may_cost(store: Store) -> None:
    """The mean per visitor, and a ratio of means with its delta variance."""
    fill(store)
    control = analyze(store, KEY, now=NOW).variants[0]
    rows = table(PEOPLE)
    worth = (rows[:, 2] + 0.5 * rows[:, 3]) / 100
    n = len(rows)
    click = figure(control.break_even_cost_per_click)
    half = Z * worth.std(ddof=1) / n**0.5
    assert click.estimate == pytest.approx(worth.mean())
    assert click.interval.upper == pytest.approx(worth.mean() + half)
    customer = figure(control.highest_acquisition_cost)
    ratio = worth.sum() / rows[:, 0].sum()
    error = (worth - ratio * rows[:, 0]).std(ddof=1) / n**0.5 / rows[:, 0].mean()
    assert customer.estimate == pytest.approx(ratio)
    assert customer.interval.lower == pytest.approx(ratio - Z * error)


def test_points_have_no_price(store: Store) -> None:
    fill(store, running())
    control = analyze(store, KEY, now=NOW).variants[0]
    assert control.break_even_cost_per_click == NotEstimable(Reason.NO_REVENUE)
    assert control.highest_acquisition_cost == NotEstimable(Reason.NO_REVENUE)


def test_without_customers_there_is_no_price_of_one(store: Store) -> None:
    store.add_experiment(MONEY)
    nobody = [Shopper(variant=v) for v in ("a", "a", "b", "b")]
    store.record(visits(nobody), received_at=NOW)
    control = analyze(store, KEY, now=NOW).variants[0]
    assert control.highest_acquisition_cost == NotEstimable(Reason.NO_CONVERSIONS)
    early = analyze(store, KEY, now=NOW, as_of=date(2026, 1, 9)).variants[0]
    assert early.break_even_cost_per_click == NotEstimable(Reason.NOT_MATURE)
    assert early.highest_acquisition_cost == NotEstimable(Reason.NOT_MATURE)


def test_key_figures_of_single_customers(store: Store) -> None:
    fill(store)
    found = customers(store, acquisition_cost=12.5)
    control, treated = found.variants
    assert (control.key, control.is_control, treated.is_control) == ("a", True, False)
    figures = control.figures
    assert isinstance(figures, CustomerFigures)
    rows = table(PEOPLE)
    buyers, returning = rows[:, 0].sum(), rows[:, 1].sum()
    revenue = rows[:, 2:4].sum()
    assert (figures.customers, figures.orders) == (buyers, buyers + returning)
    rate = figure(figures.repeat_customer_rate)
    limits = proportion_confint(returning, buyers, method="wilson")
    assert rate.estimate == pytest.approx(returning / buyers)
    assert (rate.interval.lower, rate.interval.upper) == pytest.approx(limits)
    order = revenue / (buyers + returning)
    assert figure(figures.average_order_value).estimate == pytest.approx(order)
    value = figure(figures.value_per_customer)
    assert value.estimate == pytest.approx(revenue / buyers)
    assert figure(figures.lifetime_value).estimate == pytest.approx(
        order * returning / buyers - 1250
    )


def test_only_the_fully_followed_are_described(store: Store) -> None:
    fill(store)
    before = describe_customers(store, KEY, now=NOW, as_of=date(2026, 2, 3))
    assert before.variants[0].figures == NotEstimable(Reason.NOT_MATURE)
    few = describe_customers(store, KEY, now=NOW, as_of=date(2026, 2, 4))
    (figures, _) = (v.figures for v in few.variants)
    assert isinstance(figures, CustomerFigures)
    first_day = [s for s in PEOPLE if s.day == 0]
    assert figures.customers == sum(bool(s.bought) for s in first_day)


@pytest.mark.parametrize("cost", [-1.0, 1e30])
def test_a_cost_that_is_none(store: Store, cost: float) -> None:
    fill(store, replace(MONEY))
    with pytest.raises(AbtestError, match="acquisition_cost") as caught:
        customers(store, acquisition_cost=cost)
    assert caught.value.errors[0].pointer == "?acquisition_cost"


def test_the_table_of_shoppers_is_what_it_says() -> None:
    rows = table([Shopper(variant="a", orders=2, bought=((0, 100), (3, 50)))])
    assert np.array_equal(rows, [[1, 1, 100, 50, 2]])


def test_who_came_back_and_who_is_loyal(store: Store) -> None:
    """Periods of 10 days: the later one ends on 31 January, after 26 days."""
    store.add_experiment(MONEY)
    store.record(
        visits(
            [
                Shopper(variant="a", bought=((8, 100), (20, 40), (26, 10))),  # kept
                Shopper(variant="a", bought=((9, 300), (10, 300), (60, 1))),  # lost
                Shopper(variant="a", bought=((14, 50), (17, 90))),  # kept, pays more
                Shopper(variant="a", day=12, bought=((8, 70),)),  # new
                Shopper(variant="a", bought=((2, 900), (3, 900), (4, 900))),  # before
                Shopper(variant="a"),
                Shopper(variant="b", day=20, bought=((1, 5),)),
            ]
        ),
        received_at=NOW,
    )
    found = describe_customers(
        store,
        KEY,
        now=NOW,
        as_of=date(2026, 1, 31),
        period_days=10,
        loyal_purchases=3,
    )
    assert found.periods == Periods(
        days=10,
        earlier_first=date(2026, 1, 12),
        earlier_last=date(2026, 1, 21),
        later_first=date(2026, 1, 22),
        later_last=date(2026, 1, 31),
    )
    control, treated = (v.loyalty for v in found.variants)
    assert isinstance(control, HabitFigures)
    habits = control.habits
    assert (habits.customers, habits.loyal) == (5, 2)
    assert (habits.at_start, habits.at_end, habits.new) == (3, 3, 1)
    assert figure(control.retention_rate).estimate == pytest.approx(2 / 3)
    assert figure(control.churn_rate).estimate == pytest.approx(1 / 3)
    # Paid 100, 600 and 50 before, 50, 0 and 90 afterwards.
    assert figure(control.revenue_churn).estimate == pytest.approx(650 / 750)
    assert figure(control.loyal_rate).estimate == pytest.approx(2 / 5)
    assert treated == NotEstimable(Reason.NOT_MATURE)


def test_nobody_bought(store: Store) -> None:
    store.add_experiment(MONEY)
    store.record(visits([Shopper(variant="a")]), received_at=NOW)
    (control, treated) = (v.loyalty for v in customers(store).variants)
    assert control == NotEstimable(Reason.NO_CONVERSIONS)
    assert treated == NotEstimable(Reason.NOT_MATURE)


def test_bounds_of_periods(store: Store) -> None:
    store.add_experiment(MONEY)
    with pytest.raises(AbtestError, match="period_days is 0"):
        describe_customers(store, KEY, now=NOW, period_days=0)
    with pytest.raises(AbtestError, match="loyal_purchases is 101"):
        describe_customers(store, KEY, now=NOW, loyal_purchases=101)
