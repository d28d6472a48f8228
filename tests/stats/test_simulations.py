"""False alarms and coverage, counted: the delay trap, small arms, uneven splits."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from abtest.stats.delayed import Measure, Window, estimate, observed, value
from abtest.stats.frequentist import compare, compare_pooled_null
from abtest.stats.moments import Cell, CellKey, Moments, Pair, PairKey
from abtest.stats.results import FrequentistResult, JointEstimate
from tests.stats.vectors import estimated, joint, limits, result_of

pytestmark = pytest.mark.slow

WINDOW = Window(first=60, second=60)
FIRST_DAY_TO_DECIDE = 60
WEIGHTS = (1.0, 3.0)


def arrivals(
    rng: np.random.Generator, *, visitors: int, repeat: float, mean_gap: float
) -> Moments:
    """Six weeks of traffic; 5 % buy, and `repeat` of these again within 60 days.

    The gap to the second purchase is exponential, cut so that it ends within the
    window: the mean gap changes when people come back, not how many do.
    """
    cohorts = np.bincount(rng.integers(0, 42, visitors), minlength=42)
    buyers = rng.binomial(visitors, 0.05)
    day = rng.integers(0, 42, buyers)
    later = np.minimum(rng.geometric(0.2, buyers), 14)
    lag = np.where(rng.random(buyers) < 0.7, 0, later)
    again = rng.random(buyers) < repeat
    room = -np.expm1(-(61 - lag) / mean_gap)
    gap = np.floor(-mean_gap * np.log1p(-rng.random(buyers) * room)).astype(np.int64)
    first = _counted(day, lag)
    second = _counted(day[again], (lag + gap)[again])
    both = _counted(day[again], lag[again], (lag + gap)[again])
    cells = {CellKey(d, n, 1): Cell(k, 0, 0) for (d, n), k in first.items()}
    cells |= {CellKey(d, n, 2): Cell(k, 0, 0) for (d, n), k in second.items()}
    return Moments(
        cohorts=dict(enumerate(cohorts.tolist())),
        cells=cells,
        pairs={
            PairKey(d, 1, a, 2, b): Pair(k, 0, 0, 0) for (d, a, b), k in both.items()
        },
    )


def _counted(*columns: NDArray[np.int64]) -> dict[tuple[int, ...], int]:
    keys, counts = np.unique(np.column_stack(columns), axis=0, return_counts=True)
    return dict(zip(map(tuple, keys.tolist()), counts.tolist(), strict=True))


def corrected(control: Moments, treatment: Moments) -> FrequentistResult:
    joints = (
        estimated(
            estimate(
                arm, window=WINDOW, as_of=FIRST_DAY_TO_DECIDE, measure=Measure.COUNT
            )
        )
        for arm in (control, treatment)
    )
    return result_of(compare(*(value(j, *WEIGHTS) for j in joints), alpha=0.05))


def plain(control: Moments, treatment: Moments) -> FrequentistResult:
    """What a count of everything so far says, visitors of yesterday included."""
    joints: list[JointEstimate] = []
    for arm in (control, treatment):
        seen = observed(arm, window=WINDOW, as_of=FIRST_DAY_TO_DECIDE)
        counts = {"n": arm.visitors, "c1": seen.first, "c2": seen.second}
        joints.append(joint(counts))
    return result_of(compare(*(value(j, *WEIGHTS) for j in joints), alpha=0.05))


def error(share: float, tests: int) -> float:
    """Three and a half standard errors of a simulated share."""
    return 3.5 * math.sqrt(share * (1 - share) / tests)


def test_slower_second_purchases_are_no_difference() -> None:
    rng = np.random.default_rng(2024)
    tests = 1000
    alarms = {"corrected": 0, "plain": 0}
    for _ in range(tests):
        arms = [
            arrivals(rng, visitors=20_000, repeat=0.25, mean_gap=gap)
            for gap in (20.0, 40.0)
        ]
        alarms["corrected"] += corrected(*arms).p_value < 0.05
        alarms["plain"] += plain(*arms).p_value < 0.05
    print(f"delay trap, {tests} tests, seed 2024: {alarms}")  # noqa: T201 - a table
    assert alarms["corrected"] / tests == pytest.approx(0.05, abs=error(0.05, tests))
    assert alarms["plain"] / tests > 0.08


def test_the_wrong_winner_is_not_crowned() -> None:
    """Back sooner but less often: worth 4 % less, and ahead while time is short."""
    rng = np.random.default_rng(7)
    tests = 200
    crowned = {"corrected": 0, "plain": 0}
    for _ in range(tests):
        control = arrivals(rng, visitors=80_000, repeat=0.25, mean_gap=60.0)
        treatment = arrivals(rng, visitors=80_000, repeat=0.225, mean_gap=8.0)
        for name, judge in (("corrected", corrected), ("plain", plain)):
            result = judge(control, treatment)
            crowned[name] += result.p_value < 0.05 and result.effect > 0
    print(f"wrong winner, {tests} tests, seed 7: {crowned}")  # noqa: T201 - a table
    assert crowned["corrected"] <= 1
    assert crowned["plain"] > tests / 2


@pytest.mark.parametrize("second_weight", [3.0, 10.0])
def test_a_small_arm_with_few_second_conversions_is_no_difference(
    second_weight: float,
) -> None:
    rng = np.random.default_rng(11)
    tests = 4000
    alarms = {"pooled": 0, "own": 0}
    for _ in range(tests):
        arms = []
        for visitors in (5400, 600):
            first = int(rng.binomial(visitors, 0.05))
            second = int(rng.binomial(first, 0.2))
            arms.append(joint({"n": visitors, "c1": first, "c2": second}))
        pooled = compare_pooled_null(
            *arms, first_weight=1.0, second_weight=second_weight, alpha=0.05
        )
        own = compare(*(value(j, 1.0, second_weight) for j in arms), alpha=0.05)
        alarms["pooled"] += result_of(pooled).p_value < 0.05
        alarms["own"] += result_of(own).p_value < 0.05
    print(f"90/10, w2 {second_weight}, {tests} tests, seed 11: {alarms}")  # noqa: T201 - a table
    assert alarms["pooled"] / tests == pytest.approx(0.05, abs=error(0.05, tests))
    assert alarms["own"] > alarms["pooled"]


def test_intervals_of_small_arms_cover_what_they_should() -> None:
    """300 visitors an arm, 15 first and 3 second conversions, no difference."""
    rng = np.random.default_rng(5)
    tests = 4000
    covered = {"difference": 0, "lift": 0}
    bounded = 0
    for _ in range(tests):
        arms = []
        for _ in range(2):
            first = int(rng.binomial(300, 0.05))
            second = int(rng.binomial(first, 0.2))
            arms.append(joint({"n": 300, "c1": first, "c2": second}))
        result = result_of(compare(*(value(j, *WEIGHTS) for j in arms), alpha=0.05))
        lower, upper = limits(result.confidence_interval)
        covered["difference"] += lower <= 0 <= upper
        if result.relative_confidence_interval is not None:
            bounded += 1
            lower, upper = limits(result.relative_confidence_interval)
            covered["lift"] += lower <= 0 <= upper
    print(f"300 an arm, {tests} tests, seed 5: {covered}, {bounded} bounded")  # noqa: T201 - a table
    assert covered["difference"] / tests == pytest.approx(0.95, abs=error(0.05, tests))
    assert covered["lift"] / bounded == pytest.approx(0.95, abs=error(0.05, bounded))
