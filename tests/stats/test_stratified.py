"""Day by day: equal to the visitors' own numbers, and fair when the split changed."""

from dataclasses import replace

import numpy as np
import pytest

from abtest.stats.delayed import Measure, Window, estimate
from abtest.stats.moments import Cell, CellKey, Moments, Pair, PairKey
from abtest.stats.results import JointEstimate, NotEstimable, Reason
from abtest.stats.stratified import estimate_stratified
from tests.stats import visitors as reference
from tests.stats.agreement import WEEK, WINDOWS, assert_same, wanted
from tests.stats.vectors import estimated
from tests.stats.visitors import to_moments, traffic


@pytest.mark.parametrize("measure", Measure)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("as_of", [10, 13, 21, 60])
def test_estimates_are_those_of_the_visitors(
    measure: Measure, window: Window, as_of: int
) -> None:
    arms = [
        traffic(31, visitors=1500, days=20),
        traffic(32, visitors=600, days=18),
        [replace(v, day=v.day + 1) for v in traffic(33, visitors=800, days=22)],
    ]
    joints = estimate_stratified(
        [to_moments(arm) for arm in arms], window=window, as_of=as_of, measure=measure
    )
    expected = reference.stratified(arms, wanted(window, measure), as_of)
    for joint, reference_joint in zip(joints, expected, strict=True):
        assert_same(estimated(joint), reference_joint)
        assert not estimated(joint).is_mature


def test_amounts_beyond_64_bits() -> None:
    visitors = traffic(6, visitors=300, days=3)
    factor = 10**12
    dear = [
        replace(
            v, entries=tuple(replace(e, amount=e.amount * factor) for e in v.entries)
        )
        for v in visitors
    ]
    cheap_joint, dear_joint = (
        estimated(
            estimate_stratified(
                [to_moments(arm)], window=WEEK, as_of=8, measure=Measure.MONEY
            )[0]
        )
        for arm in (visitors, dear)
    )
    assert dear_joint.first == pytest.approx(cheap_joint.first * factor, rel=1e-14)
    assert dear_joint.covariance == pytest.approx(
        cheap_joint.covariance * factor**2, rel=1e-13
    )


def test_one_day_is_the_plain_estimate() -> None:
    arms = [to_moments(traffic(seed, visitors=300, days=1)) for seed in (1, 2)]
    joints = estimate_stratified(arms, window=WEEK, as_of=7, measure=Measure.MONEY)
    for arm, joint in zip(arms, joints, strict=True):
        plain = estimated(estimate(arm, window=WEEK, as_of=7, measure=Measure.MONEY))
        stratified = estimated(joint)
        assert stratified.first == pytest.approx(plain.first, rel=1e-13)
        assert stratified.second == pytest.approx(plain.second, rel=1e-13)
        assert stratified.variance(1, 3) == pytest.approx(plain.variance(1, 3))


def test_the_order_of_arms_means_nothing() -> None:
    arms = [to_moments(traffic(seed, visitors=300, days=6)) for seed in (1, 2, 3)]
    for measure in Measure:
        there = estimate_stratified(arms, window=WEEK, as_of=9, measure=measure)
        back = estimate_stratified(arms[::-1], window=WEEK, as_of=9, measure=measure)
        assert there == back[::-1]


def test_days_that_an_arm_lacks_are_left_out_of_all() -> None:
    one, other = (traffic(seed, visitors=500, days=8) for seed in (1, 2))
    late = [v for v in other if v.day >= 3]
    shared = [v for v in one if v.day >= 3]
    with_early, without = (
        estimate_stratified(
            [to_moments(arm), to_moments(late)],
            window=WEEK,
            as_of=20,
            measure=Measure.COUNT,
        )
        for arm in (one, shared)
    )
    assert with_early == without


def test_an_arm_without_visitors_does_not_empty_the_others() -> None:
    arms = [to_moments(traffic(seed, visitors=200, days=4)) for seed in (1, 2)]
    two = estimate_stratified(arms, window=WEEK, as_of=12, measure=Measure.COUNT)
    three = estimate_stratified(
        [*arms, Moments()], window=WEEK, as_of=12, measure=Measure.COUNT
    )
    assert three == (*two, NotEstimable(Reason.NO_VISITORS))


@pytest.mark.parametrize(
    ("cohorts", "reasons"),
    [
        ([{}, {}], [Reason.NO_VISITORS, Reason.NO_VISITORS]),
        ([{0: 5}, {1: 5}], [Reason.NO_CONTROL_DAYS, Reason.NO_CONTROL_DAYS]),
        ([{0: 5, 8: 5}, {8: 5}], [Reason.NOT_MATURE, Reason.NOT_MATURE]),
        ([{0: 5}, {0: 1, 1: 7}], [None, Reason.TOO_FEW_VISITORS]),
        ([{0: 1}, {0: 1}], [Reason.TOO_FEW_VISITORS, Reason.TOO_FEW_VISITORS]),
    ],
    ids=["nobody", "no day in common", "young common day", "single", "two singles"],
)
def test_thin_data_are_named(
    cohorts: list[dict[int, int]], reasons: list[Reason | None]
) -> None:
    joints = estimate_stratified(
        [Moments(cohorts=c) for c in cohorts],
        window=WEEK,
        as_of=12,
        measure=Measure.COUNT,
    )
    got = [j.reason if isinstance(j, NotEstimable) else None for j in joints]
    assert got == reasons


def test_variance_is_zero_when_visitors_of_a_day_are_alike() -> None:
    moments = Moments(
        cohorts={0: 7, 4: 9},
        cells={
            CellKey(0, 0, 1): Cell(7, 21, 63),
            CellKey(0, 6, 2): Cell(7, 49, 343),
            CellKey(4, 1, 1): Cell(9, 9, 9),
        },
        pairs={PairKey(0, 1, 0, 2, 6): Pair(7, 147, 49, 21)},
    )
    (joint,) = estimate_stratified(
        [moments], window=WEEK, as_of=9, measure=Measure.MONEY
    )
    assert estimated(joint).variance(1, 1) == 0


def test_a_single_visitor_of_a_day_is_not_taken_for_certain() -> None:
    """Averaged over many tests the variance is not smaller than the real one."""
    rng = np.random.default_rng(12)
    means, variances = [], []
    for _ in range(400):
        buys = rng.random(30) < 0.3
        cells = {
            CellKey(day, 0, 1): Cell(1, 0, 0) for day in np.flatnonzero(buys).tolist()
        }
        arm = Moments(cohorts=dict.fromkeys(range(30), 1), cells=cells)
        other = Moments(cohorts=dict.fromkeys(range(30), 9))
        joint, _ = estimate_stratified(
            [arm, other], window=WEEK, as_of=60, measure=Measure.COUNT
        )
        means.append(estimated(joint).first)
        variances.append(estimated(joint).variance_first)
    assert np.mean(variances) == pytest.approx(np.var(means), rel=0.15)


def ramp(rng: np.random.Generator, day: int, share: float) -> tuple[Moments, Moments]:
    """A day of 4,000 visitors whose rate rises from day to day; no difference."""
    first_rate = 0.03 + 0.004 * day
    arms = []
    for n in (round(4000 * (1 - share)), round(4000 * share)):
        first = int(rng.binomial(n, first_rate))
        second = int(rng.binomial(first, 0.3))
        cells = {
            CellKey(day, 0, 1): Cell(first, 0, 0),
            CellKey(day, 3, 2): Cell(second, 0, 0),
        }
        pairs = {PairKey(day, 1, 0, 2, 3): Pair(second, 0, 0, 0)}
        arms.append(Moments(cohorts={day: n}, cells=cells, pairs=pairs))
    return arms[0], arms[1]


def z(control: JointEstimate, treatment: JointEstimate) -> float:
    difference = treatment.mean(1, 3) - control.mean(1, 3)
    return difference / float(
        np.sqrt(treatment.variance(1, 3) + control.variance(1, 3))
    )


def test_a_ramp_with_a_trend_raises_no_false_alarm() -> None:
    """Pooled over days it would in most experiments."""
    rng = np.random.default_rng(20)
    alarms = {"pooled": 0, "stratified": 0}
    tests = 300
    for _ in range(tests):
        days = [ramp(rng, day, 0.1 + 0.04 * day) for day in range(10)]
        arms = [sum((day[i] for day in days[1:]), start=days[0][i]) for i in range(2)]
        pooled = [
            estimated(estimate(a, window=WEEK, as_of=14, measure=Measure.COUNT))
            for a in arms
        ]
        stratified = estimate_stratified(
            arms, window=WEEK, as_of=14, measure=Measure.COUNT
        )
        alarms["pooled"] += abs(z(pooled[0], pooled[1])) > 1.96
        alarms["stratified"] += (
            abs(z(estimated(stratified[0]), estimated(stratified[1]))) > 1.96
        )
    # 5 % of 300 plus or minus three standard errors.
    assert 0.012 * tests < alarms["stratified"] < 0.088 * tests
    assert alarms["pooled"] > 0.5 * tests
