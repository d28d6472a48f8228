"""Whole experiments day by day: sequential looks and adaptive shares, late buyers."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from abtest.stats.adaptive import thompson_shares
from abtest.stats.delayed import Measure, Window, estimate, value
from abtest.stats.design import DelayCurve, expected_estimate
from abtest.stats.frequentist import compare
from abtest.stats.moments import Cell, CellKey, Moments, Pair, PairKey
from abtest.stats.power import Baseline
from abtest.stats.results import JointEstimate, NotEstimable, ValueEstimate
from abtest.stats.sequential import Look, analyze_looks
from abtest.stats.stratified import estimate_stratified
from tests.stats.vectors import estimated, limits, result_of

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """How visitors of one variant behave; repeats come within the window."""

    first_rate: float
    repeat_rate: float
    gap_mean: float
    window: int


@dataclass(slots=True, eq=False)
class Arm:
    """Counts of one variant, filled day by day."""

    cohorts: dict[int, int] = field(default_factory=dict)
    first: Counter[tuple[int, int]] = field(default_factory=Counter)
    second: Counter[tuple[int, int]] = field(default_factory=Counter)
    both: Counter[tuple[int, int, int]] = field(default_factory=Counter)

    def receive(
        self, rng: np.random.Generator, shop: Shop, day: int, visitors: int
    ) -> None:
        """70 % of the buyers buy at once, the rest within a fortnight."""
        self.cohorts[day] = visitors
        buyers = int(rng.binomial(visitors, shop.first_rate))
        late = np.minimum(rng.geometric(0.2, buyers), min(14, shop.window))
        first = np.where(rng.random(buyers) < 0.7, 0, late)
        left = -np.expm1(-(shop.window - first + 1) / shop.gap_mean)
        gap = np.floor(-np.log1p(-rng.random(buyers) * left) * shop.gap_mean)
        again = rng.random(buyers) < shop.repeat_rate
        for one, wait, repeats in zip(first, gap, again, strict=True):
            self.first[day, int(one)] += 1
            if repeats:
                self.second[day, int(one + wait)] += 1
                self.both[day, int(one), int(one + wait)] += 1

    def moments(self) -> Moments:
        cells = {
            CellKey(d, lag, 1): Cell(n, 0, 0) for (d, lag), n in self.first.items()
        }
        for (day, lag), n in self.second.items():
            cells[CellKey(day, lag, 2)] = Cell(n, 0, 0)
        return Moments(
            cohorts=dict(self.cohorts),
            cells=cells,
            pairs={
                PairKey(d, 1, one, 2, two): Pair(n, 0, 0, 0)
                for (d, one, two), n in self.both.items()
            },
        )


def value_of(joint: JointEstimate | NotEstimable) -> ValueEstimate:
    """Three points for a second conversion."""
    return value(estimated(joint), 1, 3)


def look(arms: list[Moments], window: Window, day: int, *, ends: bool) -> Look:
    control, treatment = (
        value_of(estimate(arm, window=window, as_of=day, measure=Measure.COUNT))
        for arm in arms
    )
    return Look(
        day=day,
        effect=treatment.mean - control.mean,
        standard_error=math.sqrt(control.variance + treatment.variance),
        control_mean=control.mean,
        control_variance=control.variance,
        treatment_mean=treatment.mean,
        treatment_variance=treatment.variance,
        is_scheduled_end=ends,
    )


def is_stopped(looks: list[Look], planned: float) -> bool:
    """Whether an interval excludes zero at any look; below 1.9 none can."""
    for k, one in enumerate(looks, 1):
        if abs(one.effect) > 1.9 * one.standard_error:
            result = analyze_looks(looks[:k], planned_information=planned, alpha=0.05)
            lower, upper = limits(result.confidence_interval)
            if not lower <= 0 <= upper:
                return True
    return False


@pytest.mark.parametrize(
    ("slower", "planned_too"), [(10, 1.0), (20, 1.0), (10, 0.7), (10, 1.3)], ids=str
)
def test_daily_looks_at_late_buyers_raise_five_false_alarms_in_a_hundred(
    slower: float, planned_too: float, record_property: Callable[[str, object], None]
) -> None:
    """28 looks from the first possible day, each on its own information path.

    Equal pages, or a second one whose repeats come half as fast, and a plan that is
    right, or expects 30 % less or more information than there will be.
    """
    rng = np.random.default_rng(21)
    window = Window(first=30, second=30)
    baseline = Baseline(first_rate=0.03, repeat_rate=0.2)
    delay = DelayCurve.exponential(30)
    end = expected_estimate([357] * 28, baseline, delay, window=window, as_of=57)
    planned = planned_too / (2 * estimated(end).variance(1, 3))
    alarms, experiments = 0, 1_000
    for _ in range(experiments):
        arms = []
        for gap_mean in (10, slower):
            arm = Arm()
            shop = Shop(first_rate=0.03, repeat_rate=0.2, gap_mean=gap_mean, window=30)
            for day in range(28):
                arm.receive(rng, shop, day, 357)
            arms.append(arm.moments())
        looks = [look(arms, window, day, ends=day == 57) for day in range(30, 58)]
        alarms += is_stopped(looks, planned)
    record_property("type_one_error", alarms / experiments)
    assert alarms / experiments == pytest.approx(0.05, abs=3 * math.sqrt(0.0475 / 1e3))


WINDOW = Window(first=14, second=14)


def adaptive_experiment(
    rng: np.random.Generator, shops: list[Shop], *, is_adaptive: bool
) -> tuple[list[Moments], float]:
    """42 days, 900 visitors a day, new shares each week; conversion falls by a third.

    Returns the moments and the value lost against always showing the best variant.
    """
    arms = [Arm() for _ in shops]
    values = [shop.first_rate * (1 + 3 * shop.repeat_rate) for shop in shops]
    shares = tuple(1 / len(shops) for _ in shops)
    regret = 0.0
    for day in range(42):
        trend = 1.2 - 0.4 * day / 41
        if is_adaptive and day % 7 == 0 and day > WINDOW.longest:
            known = estimate_stratified(
                [arm.moments() for arm in arms],
                window=WINDOW,
                as_of=day - 1,
                measure=Measure.COUNT,
            )
            found = thompson_shares([value_of(j) for j in known], minimum_share=0.1)
            assert isinstance(found, tuple)
            shares = found
        for arm, shop, share, worth in zip(arms, shops, shares, values, strict=True):
            today = Shop(
                first_rate=shop.first_rate * trend,
                repeat_rate=shop.repeat_rate,
                gap_mean=shop.gap_mean,
                window=shop.window,
            )
            visitors = round(900 * share)
            arm.receive(rng, today, day, visitors)
            regret += visitors * trend * (max(values) - worth)
    return [arm.moments() for arm in arms], regret


def page(lift: float, gap_mean: float = 4) -> Shop:
    return Shop(
        first_rate=0.1, repeat_rate=0.3 * lift, gap_mean=gap_mean, window=WINDOW.longest
    )


def test_adaptive_shares_lose_less_than_equal_ones() -> None:
    """The best page is the one whose repeats are slowest to come."""
    rng = np.random.default_rng(22)
    pages = [page(1.0), page(0.8), page(1.6, 12)]
    lost = {
        is_adaptive: sum(
            adaptive_experiment(rng, pages, is_adaptive=is_adaptive)[1]
            for _ in range(100)
        )
        for is_adaptive in (True, False)
    }
    assert lost[True] < 0.75 * lost[False]


@pytest.mark.parametrize("lift", [1.0, 1.3])
def test_stratified_intervals_after_adaptive_shares_are_honest(lift: float) -> None:
    rng = np.random.default_rng(23)
    pages = [page(1.0), page(lift)]
    true = 0.1 * 3 * 0.3 * (lift - 1)
    held, experiments = 0, 1_000
    for _ in range(experiments):
        moments, _ = adaptive_experiment(rng, pages, is_adaptive=True)
        known = estimate_stratified(
            moments, window=WINDOW, as_of=56, measure=Measure.COUNT
        )
        result = compare(*(value_of(joint) for joint in known), alpha=0.05)
        lower, upper = limits(result_of(result).confidence_interval)
        held += lower <= true <= upper
    assert held / experiments == pytest.approx(0.95, abs=3 * math.sqrt(0.0475 / 1e3))
