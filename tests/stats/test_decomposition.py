"""Customers x purchases x order value: exact, with the intervals of tea-tasting."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abtest.stats.decomposition import decompose
from abtest.stats.delayed import Measure, Window, estimate
from abtest.stats.moments import Cell, CellKey, Moments, Pair, PairKey
from abtest.stats.results import Decomposition, Factor, Interval, NotEstimable, Reason
from abtest.stats.stratified import estimate_stratified
from tests.stats import visitors as reference
from tests.stats.agreement import WEEK, wanted
from tests.stats.vectors import estimated, limits, near, peer_vector
from tests.stats.visitors import Entry, Visitor, crowds, to_moments, traffic

NAMES = ("customers", "purchases", "order_value", "revenue")


def factors(result: object) -> list[Factor]:
    assert isinstance(result, Decomposition)
    return [result.customers, result.purchases, result.order_value, result.revenue]


def test_factors_of_tea_tasting() -> None:
    vector = peer_vector("tea_tasting_decomposition.json", "decomposition_mature")
    control, treatment = (
        to_moments(
            [
                Visitor(
                    day=0,
                    entries=tuple(
                        Entry(ordinal=i, lag=i, count=1, amount=amount)
                        for i, amount in enumerate(orders, 1)
                    ),
                )
                for orders in vector["inputs"]["amounts of each visitor's orders"][arm]
            ]
        )
        for arm in "AB"
    )
    result = decompose(control, treatment, window=WEEK, as_of=7, alpha=0.05)
    for name, factor in zip(NAMES, factors(result), strict=True):
        expected = vector["expected"][name]
        assert factor.control == near(expected["control"], vector)
        assert factor.treatment == near(expected["treatment"], vector)
        assert factor.ratio - 1 == near(expected["lift"], vector)
        assert [x - 1 for x in limits(factor.interval)] == near(
            expected["lift_interval"], vector
        )


@given(crowds, crowds, st.integers(7, 14))
def test_factors_multiply_to_the_whole(
    control: list[Visitor], treatment: list[Visitor], as_of: int
) -> None:
    result = decompose(
        to_moments(control), to_moments(treatment), window=WEEK, as_of=as_of, alpha=0.05
    )
    if isinstance(result, NotEstimable):
        return
    customers, purchases, order_value, revenue = factors(result)
    product = customers.ratio * purchases.ratio * order_value.ratio
    assert product == pytest.approx(revenue.ratio, rel=1e-12)


def test_the_whole_is_the_revenue_of_the_report() -> None:
    arms = [to_moments(traffic(seed, visitors=900, days=12)) for seed in (1, 2)]
    for is_stratified in (False, True):
        result = decompose(
            *arms, window=WEEK, as_of=9, alpha=0.05, is_stratified=is_stratified
        )
        joints = (
            estimate_stratified(arms, window=WEEK, as_of=9, measure=Measure.MONEY)
            if is_stratified
            else [
                estimate(arm, window=WEEK, as_of=9, measure=Measure.MONEY)
                for arm in arms
            ]
        )
        revenue = factors(result)[3]
        assert [revenue.control, revenue.treatment] == pytest.approx(
            [estimated(joint).mean(1, 1) for joint in joints], rel=1e-12
        )


@pytest.mark.parametrize("window", [WEEK, Window(first=3, second=8)], ids=str)
def test_intervals_are_those_of_the_visitors(window: Window) -> None:
    """The logs' variances by the influence of every visitor on every log."""
    arms = [traffic(seed, visitors=1500, days=12) for seed in (3, 4)]
    coordinates = [*wanted(window, Measure.COUNT), *wanted(window, Measure.MONEY)]
    logs, variances = [], []
    for arm in arms:
        expected = reference.pooled(arm, coordinates, 11)
        first, second, *amounts = expected.means
        orders, revenue = first + second, sum(amounts)
        values = [first, orders / first, revenue / orders, revenue]
        gradients = np.array(
            [
                [1 / first, 0, 0, 0],
                [1 / orders - 1 / first, 1 / orders, 0, 0],
                [-1 / orders, -1 / orders, 1 / revenue, 1 / revenue],
                [0, 0, 1 / revenue, 1 / revenue],
            ]
        )
        logs.append(np.log(values))
        variances.append((gradients @ expected.covariance @ gradients.T).diagonal())
    result = decompose(*map(to_moments, arms), window=window, as_of=11, alpha=0.05)
    half = 1.959963984540054 * np.sqrt(variances[0] + variances[1])
    for i, factor in enumerate(factors(result)):
        middle = logs[1][i] - logs[0][i]
        assert math.log(factor.ratio) == pytest.approx(middle, abs=1e-12)
        assert np.log(limits(factor.interval)) == pytest.approx(
            [middle - half[i], middle + half[i]], abs=1e-10
        )


SOLD = Moments(cohorts={0: 9}, cells={CellKey(0, 0, 1): Cell(3, 300, 30_000)})


@pytest.mark.parametrize(
    ("treatment", "reason"),
    [
        (Moments(), Reason.NO_VISITORS),
        (Moments(cohorts={5: 9}), Reason.NOT_MATURE),
        (Moments(cohorts={0: 9}), Reason.NO_CONVERSIONS),
        (
            Moments(cohorts={0: 9}, cells={CellKey(0, 0, 1): Cell(3, 0, 0)}),
            Reason.NO_REVENUE,
        ),
    ],
)
def test_what_cannot_be_said_is_named(treatment: Moments, reason: Reason) -> None:
    for arms in ((SOLD, treatment), (treatment, SOLD)):
        result = decompose(*arms, window=WEEK, as_of=9, alpha=0.05)
        assert result == NotEstimable(reason)


def test_revenue_that_refunds_ate_up_has_no_bounded_ratio() -> None:
    entries = (
        Entry(ordinal=1, lag=0, count=1, amount=10**9),
        Entry(ordinal=1, lag=1, count=0, amount=1 - 10**9),
    )
    other = (Entry(ordinal=1, lag=0, count=1, amount=10**9),)
    back = (
        Entry(ordinal=1, lag=0, count=1, amount=10**9),
        Entry(ordinal=1, lag=1, count=0, amount=-2 * 10**9),
    )
    eaten = to_moments(
        [Visitor(day=0, entries=e) for e in (entries, other, back)] + [Visitor(day=0)]
    )
    result = decompose(SOLD, eaten, window=WEEK, as_of=9, alpha=0.05)
    customers, _, _, revenue = factors(result)
    assert revenue.interval == Interval(lower=None, upper=None)
    assert revenue.treatment == pytest.approx(1 / 4)
    assert customers.interval.lower is not None


def test_a_pair_without_money_is_no_matter() -> None:
    arm = Moments(
        cohorts={0: 50},
        cells={
            CellKey(0, 0, 1): Cell(9, 900, 90_000),
            CellKey(0, 2, 2): Cell(4, 0, 0),
        },
        pairs={PairKey(0, 1, 0, 2, 2): Pair(4, 0, 0, 400)},
    )
    result = decompose(arm, arm, window=WEEK, as_of=9, alpha=0.05)
    assert [factor.ratio for factor in factors(result)] == [1, 1, 1, 1]


def test_first_conversions_without_money_are_no_purchases() -> None:
    def visits(buyers: int) -> Moments:
        nothing, order = Entry(ordinal=1, lag=0, count=1, amount=0), 500
        second = Entry(ordinal=2, lag=1, count=1, amount=order)
        return to_moments(
            [Visitor(day=0, entries=(nothing, second))] * buyers
            + [Visitor(day=0, entries=(nothing,))] * (20 - buyers)
            + [Visitor(day=0, entries=())] * 80
        )

    result = decompose(visits(10), visits(12), window=WEEK, as_of=7, alpha=0.05)
    # 20 of 100 visit, 10 or 12 of these buy once, for 500 each.
    found = [x for f in factors(result) for x in (f.control, f.treatment)]
    assert found == pytest.approx([0.2, 0.2, 0.5, 0.6, 500, 500, 50, 60])
