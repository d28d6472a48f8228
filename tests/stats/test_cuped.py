"""Variance reduction against tea-tasting and a computation visitor by visitor."""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from abtest.stats.cuped import adjust
from abtest.stats.delayed import Measure, Window, estimate
from abtest.stats.moments import (
    Cell,
    CellKey,
    CovariateCell,
    CovariateCohort,
    Moments,
    Pair,
    PairKey,
)
from abtest.stats.results import FrequentistResult, JointEstimate, NotEstimable, Reason
from tests.stats.vectors import Vector, limits, near, peer_vector, shared_vector

Column = NDArray[np.float64]
WINDOW = Window(first=6, second=10)


def single_day(arm: dict[str, float]) -> Moments:
    """Everything on one day at lag 0."""
    key = CellKey(0, 0, 1)
    n, sy, qy, sx, qx, sxy = (
        round(arm[k]) for k in ("n", "sy", "qy", "sx", "qx", "sxy")
    )
    return Moments(
        cohorts={0: n},
        cells={key: Cell(sy, sy, qy)},
        covariate_cohorts={0: CovariateCohort(sx, qx)},
        covariate_cells={key: CovariateCell(sxy, sxy)},
    )


@pytest.mark.parametrize(
    "vector",
    [
        shared_vector("cuped"),
        peer_vector("tea_tasting_customers.json", "cuped_money"),
        peer_vector("tea_tasting_customers.json", "cuped_negative"),
    ],
    ids=lambda vector: vector["name"],
)
def test_mature_data_give_the_result_of_tea_tasting(vector: Vector) -> None:
    found = adjust(
        single_day(vector["inputs"]["A"]),
        single_day(vector["inputs"]["B"]),
        window=Window(first=0, second=0),
        as_of=0,
        measure=Measure.MONEY,
        first_weight=1,
        second_weight=1,
        alpha=0.05,
    )
    assert isinstance(found, FrequentistResult)
    assert found.method == "cuped"
    expected = vector["expected"]
    assert found.effect == near(expected["diff"], vector)
    assert limits(found.confidence_interval) == near(expected["ci"], vector)
    assert found.p_value == near(expected["p"], vector)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crowd:
    """Visitors one by one; a lag of 99 means never."""

    day: Column
    covariate: Column
    lags: NDArray[np.int64]
    amounts: NDArray[np.int64]

    def moments(self) -> Moments:
        cohorts: Counter[int] = Counter()
        totals: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        cells: dict[CellKey, list[int]] = defaultdict(lambda: [0, 0, 0])
        crossed: dict[CellKey, list[int]] = defaultdict(lambda: [0, 0])
        pairs: dict[PairKey, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for i in range(self.day.size):
            day, x = int(self.day[i]), int(self.covariate[i])
            cohorts[day] += 1
            totals[day][0] += x
            totals[day][1] += x * x
            paid = [int(a) for a in self.amounts[i]]
            at = [int(lag) for lag in self.lags[i]]
            for ordinal in (1, 2):
                if at[ordinal - 1] < 99:
                    key = CellKey(day, at[ordinal - 1], ordinal)
                    amount = paid[ordinal - 1]
                    for place, add in enumerate((1, amount, amount**2)):
                        cells[key][place] += add
                    crossed[key][0] += x
                    crossed[key][1] += x * amount
            if at[1] < 99:
                pair = pairs[PairKey(day, 1, at[0], 2, at[1])]
                for place, add in enumerate((1, paid[0] * paid[1], paid[1], paid[0])):
                    pair[place] += add
        return Moments(
            cohorts=cohorts,
            cells={k: Cell(*c) for k, c in cells.items()},
            pairs={k: Pair(*p) for k, p in pairs.items()},
            covariate_cohorts={d: CovariateCohort(*t) for d, t in totals.items()},
            covariate_cells={k: CovariateCell(*c) for k, c in crossed.items()},
        )

    def until(self, as_of: int) -> "Crowd":
        chosen = self.day <= as_of
        return Crowd(
            day=self.day[chosen],
            covariate=self.covariate[chosen],
            lags=self.lags[chosen],
            amounts=self.amounts[chosen],
        )

    def influence(
        self, as_of: int, measure: Measure, weights: tuple[float, float]
    ) -> tuple[float, Column]:
        """The delay-corrected mean and each visitor's influence on it."""
        follow_up = as_of - self.day
        mean, influence = 0.0, np.zeros(self.day.size)
        for lag in range(WINDOW.longest + 1):
            value = np.zeros(self.day.size)
            limits = (WINDOW.first, WINDOW.second)
            for place, (limit, weight) in enumerate(zip(limits, weights, strict=True)):
                if lag <= limit:
                    worth = self.amounts[:, place] if measure is Measure.MONEY else 1
                    value += weight * worth * (self.lags[:, place] == lag)
            followed = follow_up >= lag
            share = float(followed.mean())
            step = float(value[followed].mean())
            mean += step
            influence += np.where(followed, (value - step) / share, 0.0)
        return mean, influence


def crowd(rng: np.random.Generator, n: int, *, lift: float = 1.0) -> Crowd:
    """Returning visitors (covariate above 0) convert several times as often."""
    covariate = np.asarray(rng.poisson(0.5, n) * 100, dtype=np.float64)
    rate = np.minimum(0.9, 0.08 * lift * (1 + covariate / 40))
    first = np.where(rng.random(n) < rate, rng.geometric(0.5, n) - 1, 99)
    repeats = (first < 99) & (rng.random(n) < 0.4)
    second = np.where(repeats, first + rng.geometric(0.3, n) - 1, 99)
    return Crowd(
        day=rng.integers(0, 14, n).astype(float),
        covariate=covariate,
        lags=np.stack([first, second], axis=1),
        amounts=rng.integers(500, 20_000, (n, 2)),
    )


def compared(
    control: Moments,
    treatment: Moments,
    *,
    as_of: int,
    measure: Measure = Measure.COUNT,
) -> FrequentistResult | NotEstimable:
    return adjust(
        control,
        treatment,
        window=WINDOW,
        as_of=as_of,
        measure=measure,
        first_weight=0.7,
        second_weight=2.5,
        alpha=0.05,
    )


@pytest.mark.parametrize("measure", Measure)
@pytest.mark.parametrize("as_of", [10, 15, 40])
def test_sums_give_what_visitors_one_by_one_give(as_of: int, measure: Measure) -> None:
    rng = np.random.default_rng(3)
    control, treatment = crowd(rng, 400), crowd(rng, 300, lift=1.3)
    known = [one.until(as_of) for one in (control, treatment)]
    parts = [one.influence(as_of, measure, (0.7, 2.5)) for one in known]
    everybody = np.concatenate([mean + influence for mean, influence in parts])
    x = np.concatenate([one.covariate for one in known])
    theta = np.cov(everybody, x)[0, 1] / x.var(ddof=1)
    means, variances = zip(
        *(
            (
                mean - theta * (one.covariate.mean() - x.mean()),
                np.var(influence - theta * one.covariate, ddof=1) / one.day.size,
            )
            for one, (mean, influence) in zip(known, parts, strict=True)
        ),
        strict=True,
    )
    found = compared(
        control.moments(), treatment.moments(), as_of=as_of, measure=measure
    )
    assert isinstance(found, FrequentistResult)
    assert found.effect == pytest.approx(means[1] - means[0], rel=1e-11)
    assert found.standard_error == pytest.approx(math.sqrt(sum(variances)), rel=1e-11)
    assert (found.degrees_of_freedom is None) == (as_of < 24)


@pytest.mark.parametrize("as_of", [12, 40])
def test_what_the_covariate_explains_leaves_the_error(as_of: int) -> None:
    rng = np.random.default_rng(4)
    arms = [crowd(rng, 4_000).moments() for _ in range(2)]
    found = compared(*arms, as_of=as_of)
    plain = [
        estimate(arm, window=WINDOW, as_of=as_of, measure=Measure.COUNT) for arm in arms
    ]
    assert isinstance(found, FrequentistResult)
    variance = sum(
        joint.variance(0.7, 2.5) for joint in plain if isinstance(joint, JointEstimate)
    )
    assert found.standard_error**2 < 0.95 * variance


def test_swapping_the_arms_turns_the_sign_and_keeps_p() -> None:
    rng = np.random.default_rng(5)
    one, other = crowd(rng, 500).moments(), crowd(rng, 700, lift=1.2).moments()
    here, there = compared(one, other, as_of=14), compared(other, one, as_of=14)
    assert isinstance(here, FrequentistResult)
    assert isinstance(there, FrequentistResult)
    assert here.effect == pytest.approx(-there.effect)
    assert here.p_value == pytest.approx(there.p_value)


def test_without_a_covariate_there_is_nothing_to_adjust() -> None:
    arm = crowd(np.random.default_rng(6), 200).moments()
    missing = replace(arm, covariate_cohorts={}, covariate_cells={})
    assert compared(missing, missing, as_of=30) == NotEstimable(Reason.NO_COVARIATE)
    same = replace(
        arm,
        covariate_cohorts={
            day: CovariateCohort(3 * n, 9 * n) for day, n in arm.cohorts.items()
        },
        covariate_cells={
            key: CovariateCell(3 * cell.conversions, 3 * cell.total)
            for key, cell in arm.cells.items()
        },
    )
    assert compared(same, same, as_of=30) == NotEstimable(Reason.NO_COVARIATE)


def test_what_cannot_be_estimated_cannot_be_adjusted() -> None:
    arm = crowd(np.random.default_rng(7), 200).moments()
    assert compared(arm, arm, as_of=9) == NotEstimable(Reason.NOT_MATURE)
    assert compared(arm, Moments(), as_of=30) == NotEstimable(Reason.NO_VISITORS)
    nobody = replace(arm, cells={}, pairs={}, covariate_cells={})
    assert compared(nobody, nobody, as_of=30) == NotEstimable(Reason.NO_VARIANCE)


@pytest.mark.slow
@pytest.mark.parametrize("as_of", [12, 40])
def test_intervals_hold_the_truth_in_95_of_100(as_of: int) -> None:
    rng = np.random.default_rng(8)
    held = 0
    for _ in range(1_000):
        result = compared(
            crowd(rng, 1_000).moments(), crowd(rng, 1_000).moments(), as_of=as_of
        )
        assert isinstance(result, FrequentistResult)
        lower, upper = limits(result.confidence_interval)
        held += lower <= 0 <= upper
    assert held / 1_000 == pytest.approx(0.95, abs=0.021)
