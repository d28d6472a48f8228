"""The delay-corrected estimates: equal to what the visitors give one by one."""

from collections.abc import Sequence
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.duration.survfunc import SurvfuncRight

from abtest.stats.columns import LARGEST_SUM, Columns, Process
from abtest.stats.cumulative import Means, estimate_means
from abtest.stats.delayed import (
    Maturity,
    Measure,
    Observed,
    Window,
    estimate,
    estimate_mature,
    estimate_step,
    maturity,
    observed,
    value,
)
from abtest.stats.moments import Cell, CellKey, Moments, Pair, PairKey
from abtest.stats.results import JointEstimate, NotEstimable, Reason, ValueEstimate
from abtest.stats.survival import kaplan_meier
from tests.stats import visitors as reference
from tests.stats.vectors import Vector, estimated, near, shared_vector
from tests.stats.visitors import Reference, Visitor, Wanted, crowds, to_moments, traffic

WINDOWS = [
    Window(first=7, second=7),
    Window(first=3, second=9),
    Window(first=9, second=3),
    Window(first=0, second=0),
]
WEEK = Window(first=7, second=7)


def wanted(window: Window, measure: Measure) -> list[Wanted]:
    money = measure is Measure.MONEY
    return [
        Wanted(ordinal=1, money=money, window=window.first),
        Wanted(ordinal=2, money=money, window=window.second),
    ]


def assert_same(joint: JointEstimate, expected: Reference) -> None:
    """To 1e-12 relative; a covariance relative to what it could be at most."""
    assert joint.visitors == expected.visitors
    np.testing.assert_allclose(
        [joint.first, joint.second], expected.means, rtol=1e-12, atol=0
    )
    variances = expected.covariance.diagonal()
    np.testing.assert_allclose(
        [
            [joint.variance_first, joint.covariance],
            [joint.covariance, joint.variance_second],
        ],
        expected.covariance,
        rtol=1e-12,
        atol=1e-12 * float(np.sqrt(variances.prod())),
    )


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


@pytest.mark.parametrize("as_of", [9, 14, 40])
@pytest.mark.parametrize("window", [0, 2, 7])
def test_steps_are_those_of_the_visitors(as_of: int, window: int) -> None:
    visitors = traffic(21, visitors=900, days=20)
    step = estimate_step(to_moments(visitors), "signup", window=window, as_of=as_of)
    known = [v for v in visitors if v.day <= as_of]
    table = reference.reached(known, "signup", window, as_of)
    expected = reference.pooled_from([table], [v.day for v in known], as_of)
    assert isinstance(step, ValueEstimate)
    assert step.visitors == len(known)
    assert step.mean == pytest.approx(expected.means[0], rel=1e-12)
    assert step.variance == pytest.approx(expected.covariance[0, 0], rel=1e-12)
    assert step.is_mature == (max(v.day for v in known) + window <= as_of)


def test_a_step_that_nobody_reached_is_reached_by_none() -> None:
    moments = to_moments(traffic(2, visitors=50, days=3))
    step = estimate_step(moments, "unheard of", window=7, as_of=20)
    assert step == ValueEstimate(visitors=50, mean=0, variance=0, is_mature=True)


@given(crowds, st.integers(0, 14), st.integers(0, 7), st.integers(0, 7))
def test_observed_counts_what_is_in(
    visitors: list[Visitor], as_of: int, first: int, second: int
) -> None:
    window = Window(first=first, second=second)
    known = [v for v in visitors if v.day <= as_of]
    first_count, second_count, first_amount, second_amount = (
        int(reference.brought(known, w, as_of).sum())
        for measure in Measure
        for w in wanted(window, measure)
    )
    assert observed(to_moments(visitors), window=window, as_of=as_of) == Observed(
        first=first_count,
        second=second_count,
        first_amount=first_amount,
        second_amount=second_amount,
    )


def test_maturity_is_the_share_of_what_is_expected() -> None:
    moments = Moments(
        cohorts={10: 100, 20: 100},
        cells={
            CellKey(10, 0, 1): Cell(10, 0, 0),
            CellKey(20, 0, 1): Cell(10, 0, 0),
            CellKey(10, 2, 2): Cell(2, 0, 0),
            CellKey(10, 6, 2): Cell(2, 0, 0),
            CellKey(20, 2, 2): Cell(2, 0, 0),
        },
    )
    # 4 of 200 within two days, and 2 of 100 after the sixth: 8 of 200 are expected.
    assert maturity(moments, window=WEEK, as_of=22) == Maturity(
        share=6 / 8,
        visitors=200,
        mature_visitors=100,
        first_complete_day=17,
        complete_day=27,
    )
    assert maturity(moments, window=WEEK, as_of=27).share == 1


def test_maturity_before_anything_can_be_expected() -> None:
    nobody = maturity(Moments(), window=WEEK, as_of=3)
    assert nobody == Maturity(
        share=None,
        visitors=0,
        mature_visitors=0,
        first_complete_day=None,
        complete_day=None,
    )
    young = Moments(cohorts={0: 9}, cells={CellKey(0, 1, 2): Cell(1, 0, 0)})
    assert maturity(young, window=WEEK, as_of=3).share is None
    without = Moments(cohorts={0: 9}, cells={CellKey(0, 1, 1): Cell(1, 0, 0)})
    assert maturity(without, window=WEEK, as_of=9).share is None


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


def km_moments(vector: Vector) -> Moments:
    inputs = vector["inputs"]
    return Moments(
        cohorts=dict(enumerate(inputs["n"])),
        cells={
            CellKey(day, lag, 2): Cell(n, 0, 0) for day, lag, n in inputs["second_at"]
        },
    )


def test_kaplan_meier_of_lifelines() -> None:
    vector = shared_vector("km_second_within_W")
    share = kaplan_meier(km_moments(vector), ordinal=2, window=6, as_of=9)
    assert isinstance(share, ValueEstimate)
    left = 1 - share.mean
    assert left == near(vector["expected"]["S_W"], vector)
    # lifelines' limits: Greenwood's variance on the scale of log(-log S).
    half = norm.isf(0.025) * np.sqrt(share.variance) / (left * np.log(left))
    assert [left ** np.exp(-half), left ** np.exp(half)] == near(
        vector["expected"]["ci_S"], vector
    )


def test_kaplan_meier_of_statsmodels() -> None:
    vector = shared_vector("km_second_within_W_greenwood_se")
    moments = km_moments(vector)
    share = kaplan_meier(moments, ordinal=2, window=6, as_of=9)
    assert isinstance(share, ValueEstimate)
    assert 1 - share.mean == near(vector["expected"]["S"], vector)
    assert np.sqrt(share.variance) == near(vector["expected"]["se"], vector)
    joint = estimated(
        estimate(
            moments,
            window=Window(first=6, second=6),
            as_of=9,
            measure=Measure.COUNT,
        )
    )
    assert abs(joint.second - share.mean) < 0.03 * np.sqrt(share.variance)


@pytest.mark.parametrize("ordinal", [1, 2])
@pytest.mark.parametrize("as_of", [8, 15, 30])
def test_kaplan_meier_equals_statsmodels_on_visitors(ordinal: int, as_of: int) -> None:
    visitors = [v for v in traffic(4, visitors=700, days=14) if v.day <= as_of]
    times, status = [], []
    for v in visitors:
        lags = [e.lag for e in v.entries if e.ordinal == ordinal and e.count]
        end = min(as_of - v.day, 7)
        seen = bool(lags) and lags[0] <= end
        times.append(lags[0] if seen else end)
        status.append(int(seen))
    peer = SurvfuncRight(np.array(times), np.array(status))
    share = kaplan_meier(to_moments(visitors), ordinal=ordinal, window=7, as_of=as_of)
    assert isinstance(share, ValueEstimate)
    assert share.mean == pytest.approx(1 - peer.surv_prob[-1], rel=1e-12)
    assert share.variance == pytest.approx(peer.surv_prob_se[-1] ** 2, rel=1e-10)


def test_kaplan_meier_when_all_have_converted() -> None:
    moments = Moments(cohorts={0: 4}, cells={CellKey(0, 1, 1): Cell(4, 0, 0)})
    assert kaplan_meier(moments, ordinal=1, window=2, as_of=9) == ValueEstimate(
        visitors=4, mean=1, variance=0, is_mature=True
    )
    assert kaplan_meier(moments, ordinal=1, window=9, as_of=3) == NotEstimable(
        Reason.NOT_MATURE
    )
