"""The delay-corrected estimates: equal to what the visitors give one by one."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abtest.stats.columns import LARGEST_SUM, Columns, Process
from abtest.stats.cumulative import Means, estimate_means
from abtest.stats.delayed import (
    Measure,
    Window,
    estimate,
    estimate_mature,
    estimate_step,
    value,
)
from abtest.stats.moments import Cell, CellKey, Moments, Pair, PairKey
from abtest.stats.results import JointEstimate, NotEstimable, Reason
from tests.stats import visitors as reference
from tests.stats.agreement import WEEK, WINDOWS, assert_same, wanted
from tests.stats.vectors import estimated
from tests.stats.visitors import Visitor, crowds, to_moments, traffic


@pytest.mark.parametrize("measure", Measure)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("as_of", [9, 13, 21, 60])
def test_estimates_are_those_of_the_visitors(
    measure: Measure, window: Window, as_of: int
) -> None:
    visitors = traffic(11, visitors=1500, days=20)
    moments = to_moments(visitors)
    coordinates = wanted(window, measure)
    joint = estimate(moments, window=window, as_of=as_of, measure=measure)
    assert_same(estimated(joint), reference.pooled(visitors, coordinates, as_of))
    mature = estimate_mature(moments, window=window, as_of=as_of, measure=measure)
    assert_same(estimated(mature), reference.mature(visitors, coordinates, as_of))


@given(crowds, st.integers(0, 14), st.sampled_from(Measure), st.data())
def test_estimates_of_small_crowds_are_those_of_the_visitors(
    visitors: list[Visitor], as_of: int, measure: Measure, data: st.DataObject
) -> None:
    days = st.integers(0, 7)
    window = Window(first=data.draw(days), second=data.draw(days))
    joint = estimate(to_moments(visitors), window=window, as_of=as_of, measure=measure)
    known = [v for v in visitors if v.day <= as_of]
    if not known:
        assert joint == NotEstimable(Reason.NO_VISITORS)
    elif min(v.day for v in known) + window.longest > as_of:
        assert joint == NotEstimable(Reason.NOT_MATURE)
    elif len(known) < 2:
        assert joint == NotEstimable(Reason.TOO_FEW_VISITORS)
    else:
        expected = reference.pooled(known, wanted(window, measure), as_of)
        got = estimated(joint)
        scale = max(1.0, float(np.abs(expected.covariance).max()))
        assert got.first == pytest.approx(expected.means[0], rel=1e-12, abs=1e-12)
        assert got.second == pytest.approx(expected.means[1], rel=1e-12, abs=1e-12)
        np.testing.assert_allclose(
            [got.variance_first, got.covariance, got.variance_second],
            expected.covariance.ravel()[[0, 1, 3]],
            rtol=1e-12,
            atol=1e-12 * scale,
        )


def test_when_all_is_mature_it_is_the_sample_mean_and_covariance() -> None:
    visitors = traffic(5, visitors=800, days=10)
    joint = estimated(
        estimate(to_moments(visitors), window=WEEK, as_of=30, measure=Measure.MONEY)
    )
    each = np.column_stack(
        [
            reference.brought(visitors, w, 30).sum(axis=1)
            for w in wanted(WEEK, Measure.MONEY)
        ]
    )
    assert joint.is_mature
    assert [joint.first, joint.second] == pytest.approx(each.mean(axis=0), rel=1e-14)
    expected = np.cov(each, rowvar=False, ddof=1) / len(each)
    assert [
        joint.variance_first,
        joint.covariance,
        joint.variance_second,
    ] == pytest.approx([expected[0, 0], expected[0, 1], expected[1, 1]], rel=1e-13)


def test_maturity_of_the_estimate_needs_the_newest_visitor() -> None:
    moments = to_moments(traffic(5, visitors=200, days=10))
    almost, all_in = (
        estimated(estimate(moments, window=WEEK, as_of=day, measure=Measure.COUNT))
        for day in (15, 16)
    )
    assert (almost.is_mature, all_in.is_mature) == (False, True)


@pytest.mark.parametrize("measure", Measure)
def test_what_came_after_as_of_changes_nothing(measure: Measure) -> None:
    moments = to_moments(traffic(8, visitors=900, days=20))
    for as_of in (8, 12, 17):
        late = estimate(moments, window=WEEK, as_of=as_of, measure=measure)
        then = estimate(moments.until(as_of), window=WEEK, as_of=as_of, measure=measure)
        assert late == then


@given(crowds, st.integers(0, 14), st.randoms())
def test_the_order_of_rows_means_nothing(
    visitors: list[Visitor], as_of: int, random: Random
) -> None:
    moments = to_moments(visitors)

    def shuffled(table: Any) -> Any:  # noqa: ANN401 - any of the tables
        rows = list(table.items())
        random.shuffle(rows)
        return dict(rows)

    other = Moments(
        cohorts=shuffled(moments.cohorts),
        cells=shuffled(moments.cells),
        pairs=shuffled(moments.pairs),
        steps=shuffled(moments.steps),
    )
    for measure in Measure:
        assert estimate(moments, window=WEEK, as_of=as_of, measure=measure) == estimate(
            other, window=WEEK, as_of=as_of, measure=measure
        )


def exact_pooled(
    cohorts: Sequence[tuple[int, dict[int, int]]], as_of: int, window: int
) -> tuple[Fraction, Fraction]:
    """Mean and variance in fractions; everybody buys once, on the exposure day.

    Args:
        cohorts: exposure day, and how many paid which amount.
    """
    people = [(day, a, n) for day, paid in cohorts for a, n in paid.items()]
    total = sum(n for _, _, n in people)
    followed = [
        sum(n for day, _, n in people if as_of - day >= lag)
        for lag in range(window + 1)
    ]
    assert followed[0] == total
    mean = Fraction(sum(a * n for _, a, n in people), total)
    squares = sum((n * (a - mean) ** 2 for _, a, n in people), Fraction(0))
    return mean, squares / total / (total - 1)


@pytest.mark.parametrize("last_day", [0, 3, 5])
@pytest.mark.parametrize("price", [10_000, 10**9, 10**15])
def test_no_digit_is_lost_when_the_spread_is_small(price: int, last_day: int) -> None:
    """A float one-pass variance loses 8e-5 here at 10,000, and all of it beyond."""
    n = 100_000
    cohorts = [(day, {price - 1: n, price + 1 + day: n}) for day in range(last_day + 1)]
    moments = Moments(
        cohorts={day: 2 * n for day, _ in cohorts},
        cells={
            CellKey(day, 0, 1): Cell(
                2 * n,
                sum(a * k for a, k in paid.items()),
                sum(a * a * k for a, k in paid.items()),
            )
            for day, paid in cohorts
        },
    )
    joint = estimated(
        estimate(
            moments, window=Window(first=4, second=4), as_of=6, measure=Measure.MONEY
        )
    )
    mean, variance = exact_pooled(cohorts, 6, 4)
    assert joint.first == pytest.approx(float(mean), rel=1e-15)
    assert joint.variance_first == pytest.approx(float(variance), rel=1e-14)


@pytest.mark.parametrize("as_of", [9, 21])
def test_a_dear_currency_loses_no_digits(as_of: int) -> None:
    visitors = traffic(6, visitors=600, days=8)
    factor = 10**12
    dear = [
        replace(
            v, entries=tuple(replace(e, amount=e.amount * factor) for e in v.entries)
        )
        for v in visitors
    ]
    one, other = (
        estimated(
            estimate(to_moments(v), window=WEEK, as_of=as_of, measure=Measure.MONEY)
        )
        for v in (visitors, dear)
    )
    assert [other.first, other.second] == pytest.approx(
        [one.first * factor, one.second * factor], rel=1e-14
    )
    assert [other.variance_first, other.covariance, other.variance_second] == (
        pytest.approx(
            [
                one.variance_first * factor**2,
                one.covariance * factor**2,
                one.variance_second * factor**2,
            ],
            rel=1e-13,
        )
    )


def test_amounts_beyond_64_bits_are_read() -> None:
    huge = LARGEST_SUM * 8
    moments = Moments(
        cohorts={0: 2}, cells={CellKey(0, 0, 1): Cell(1, huge, huge * huge)}
    )
    joint = estimated(estimate(moments, window=WEEK, as_of=9, measure=Measure.MONEY))
    assert joint.first == huge / 2
    assert joint.variance_first == pytest.approx(float(huge) ** 2 / 4, rel=1e-15)


@pytest.mark.parametrize("lags", [(0, 0), (0, 4), (2, 4)])
def test_variance_is_exactly_zero_when_all_are_alike(lags: tuple[int, int]) -> None:
    cells = {
        CellKey(day, lag, ordinal): Cell(7, 70, 700)
        for day in range(3)
        for ordinal, lag in enumerate(lags, 1)
    }
    pairs = {
        PairKey(day, 1, lags[0], 2, lags[1]): Pair(7, 700, 70, 70) for day in range(3)
    }
    moments = Moments(cohorts=dict.fromkeys(range(3), 7), cells=cells, pairs=pairs)
    for measure in Measure:
        joint = estimated(estimate(moments, window=WEEK, as_of=20, measure=measure))
        assert joint.variance(0.1, 0.7) == 0


def test_refunds_count_against_the_order_but_keep_the_conversion() -> None:
    entries = (
        reference.Entry(ordinal=1, lag=1, count=1, amount=500),
        reference.Entry(ordinal=1, lag=3, count=0, amount=-500),
    )
    moments = to_moments([Visitor(day=0, entries=entries), Visitor(day=0)])
    count, money = (
        estimated(estimate(moments, window=WEEK, as_of=7, measure=measure))
        for measure in Measure
    )
    assert (count.first, money.first) == (0.5, 0)
    # The visitor whose order went back brought 500 - 500, as the other one did.
    assert (count.variance_first, money.variance_first) == (0.25, 0)


@pytest.mark.parametrize(
    ("moments", "as_of", "reason"),
    [
        (Moments(), 9, Reason.NO_VISITORS),
        (Moments(cohorts={3: 0}), 19, Reason.NO_VISITORS),
        (Moments(cohorts={3: 5}), 2, Reason.NO_VISITORS),
        (Moments(cohorts={3: 5, 4: 9}), 9, Reason.NOT_MATURE),
        (Moments(cohorts={3: 1}), 10, Reason.TOO_FEW_VISITORS),
    ],
    ids=["empty", "empty day", "later", "young", "single"],
)
def test_thin_data_are_named(moments: Moments, as_of: int, reason: Reason) -> None:
    for estimator in (estimate, estimate_mature):
        joint = estimator(moments, window=WEEK, as_of=as_of, measure=Measure.COUNT)
        assert joint == NotEstimable(reason)
    assert estimate_step(moments, "a", window=7, as_of=as_of) == NotEstimable(reason)


def test_a_second_day_does_not_make_the_first_mature() -> None:
    moments = Moments(cohorts={0: 1, 1: 50})
    joint = estimate(moments, window=WEEK, as_of=7, measure=Measure.COUNT)
    assert estimated(joint).visitors == 51
    assert estimate_mature(
        moments, window=WEEK, as_of=7, measure=Measure.COUNT
    ) == NotEstimable(Reason.TOO_FEW_VISITORS)


def test_windows_are_not_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        Window(first=-1, second=3)


def test_conversions_without_visitors_are_a_mistake() -> None:
    moments = Moments(cohorts={0: 5}, cells={CellKey(1, 0, 1): Cell(1, 0, 0)})
    with pytest.raises(ValueError, match="without visitors"):
        estimate(moments, window=WEEK, as_of=9, measure=Measure.COUNT)


@pytest.mark.parametrize("as_of", [10, 25])
def test_all_four_together_are_those_of_the_visitors(as_of: int) -> None:
    """Counts with amounts, also of the same order, on which refunds came later."""
    visitors = traffic(17, visitors=1200, days=15)
    coordinates = [
        *wanted(Window(first=5, second=8), Measure.COUNT),
        *wanted(Window(first=6, second=9), Measure.MONEY),
    ]
    means = estimate_means(
        Columns.of(to_moments(visitors)),
        [
            Process(ordinal=w.ordinal, in_money=w.money, window=w.window)
            for w in coordinates
        ],
        as_of=as_of,
        last_day=as_of,
    )
    assert isinstance(means, Means)
    expected = reference.pooled(visitors, coordinates, as_of)
    np.testing.assert_allclose(means.means, expected.means, rtol=1e-12)
    np.testing.assert_allclose(means.covariance, expected.covariance, rtol=1e-11)


def test_value_weighs_both_and_their_covariance() -> None:
    joint = JointEstimate(
        visitors=10,
        first=0.5,
        second=0.25,
        variance_first=0.04,
        covariance=0.01,
        variance_second=0.02,
        is_mature=True,
    )
    weighed = value(joint, 1.0, 3.0)
    assert (weighed.visitors, weighed.mean, weighed.is_mature) == (10, 1.25, True)
    assert weighed.variance == pytest.approx(0.04 + 9 * 0.02 + 2 * 3 * 0.01, rel=1e-15)
