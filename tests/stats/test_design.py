"""Expected standard errors against the estimator itself, fed with expected counts."""

import math
from itertools import pairwise

import numpy as np
import pytest

from abtest.stats.delayed import Measure, Window, estimate
from abtest.stats.design import (
    DelayCurve,
    baseline_from_history,
    design_standard_error,
    expected_estimate,
)
from abtest.stats.moments import Cell, CellKey, Moments, Pair, PairKey
from abtest.stats.power import Baseline, OrderValue
from abtest.stats.results import JointEstimate, NotEstimable, Reason

FIRST = (0.5, 0.8, 0.95, 1.0)
GAP = (0.1, 0.3, 0.35, 0.6, 0.9, 1.0)
DELAY = DelayCurve(first=FIRST, gap=GAP)
SHOP = Baseline(
    first_rate=0.05,
    repeat_rate=0.3,
    first_order=OrderValue(mean=4_000, sd=1_000),
    second_order=OrderValue(mean=6_000, sd=3_000),
)


def shares(curve: tuple[float, ...]) -> list[float]:
    return [late - early for early, late in pairwise((0.0, *curve))]


def expected_counts(schedule: list[int], window: Window) -> Moments:
    """Cohorts in which everything happens exactly as often as expected."""
    first = {
        lag: share for lag, share in enumerate(shares(FIRST)) if lag <= window.first
    }
    scale = sum(first.values())
    joint = {
        (lag, lag + gap): one * two
        for lag, one in first.items()
        for gap, two in enumerate(shares(GAP))
        if lag + gap <= window.second
    }
    both = sum(joint.values())
    one, two = SHOP.first_order, SHOP.second_order
    cells: dict[CellKey, Cell] = {}
    pairs: dict[PairKey, Pair] = {}
    for day, n in enumerate(schedule):
        for lag, share in first.items():
            count = round(n * SHOP.first_rate * share / scale)
            cells[CellKey(day, lag, 1)] = Cell(
                count, round(count * one.mean), round(count * (one.mean**2 + one.sd**2))
            )
        seconds = dict.fromkeys(range(window.second + 1), 0)
        for (early, late), share in joint.items():
            count = round(n * SHOP.second_rate * share / both)
            seconds[late] += count
            pairs[PairKey(day, 1, early, 2, late)] = Pair(
                count,
                round(count * one.mean * two.mean),
                round(count * two.mean),
                round(count * one.mean),
            )
        for lag, count in seconds.items():
            cells[CellKey(day, lag, 2)] = Cell(
                count, round(count * two.mean), round(count * (two.mean**2 + two.sd**2))
            )
    return Moments(cohorts=dict(enumerate(schedule)), cells=cells, pairs=pairs)


@pytest.mark.parametrize("as_of", [6, 8, 11, 15, 30])
@pytest.mark.parametrize(
    "window", [Window(first=6, second=6), Window(first=2, second=6)], ids=str
)
@pytest.mark.parametrize("measure", Measure)
def test_expectation_is_what_the_estimator_says_of_expected_counts(
    as_of: int, window: Window, measure: Measure
) -> None:
    schedule = [10**9, 3 * 10**9, 2 * 10**9, 10**9, 5 * 10**9, 10**9, 10**9] * 2
    found = estimate(
        expected_counts(schedule, window), window=window, as_of=as_of, measure=measure
    )
    shop = SHOP
    if measure is Measure.COUNT:
        shop = Baseline(first_rate=SHOP.first_rate, repeat_rate=SHOP.repeat_rate)
    planned = expected_estimate(schedule, shop, DELAY, window=window, as_of=as_of)
    assert isinstance(found, JointEstimate)
    assert isinstance(planned, JointEstimate)
    assert planned.visitors == found.visitors
    assert planned.is_mature == found.is_mature
    for name in ("first", "second", "variance_first", "covariance", "variance_second"):
        assert getattr(planned, name) == pytest.approx(getattr(found, name), rel=1e-6)


def test_everybody_mature_leaves_the_variance_of_a_mean() -> None:
    window = Window(first=6, second=6)
    error = design_standard_error(
        [1_000, 3_000],
        SHOP,
        DELAY,
        window=window,
        as_of=7,
        first_weight=1,
        second_weight=3,
    )
    assert error == pytest.approx(math.sqrt(SHOP.variance(1, 3) / 4_000))


def test_recent_visitors_narrow_the_error_before_they_are_mature() -> None:
    window = Window(first=6, second=6)

    def error(as_of: int) -> float:
        found = design_standard_error(
            [1_000] * 60,
            SHOP,
            DELAY,
            window=window,
            as_of=as_of,
            first_weight=1,
            second_weight=3,
        )
        assert isinstance(found, float)
        return found

    errors = [error(day) for day in range(6, 60)]
    assert errors == sorted(errors, reverse=True)
    mature_only = math.sqrt(SHOP.variance(1, 3) / 1_000)
    assert errors[0] < 0.7 * mature_only


@pytest.mark.parametrize("schedule", [[0.0, 0.0, 100.0], [100.0]], ids=str)
def test_before_the_window_has_passed_there_is_no_estimate(
    schedule: list[float],
) -> None:
    window = Window(first=6, second=6)
    assert design_standard_error(
        schedule, SHOP, DELAY, window=window, as_of=5, first_weight=1, second_weight=3
    ) == NotEstimable(Reason.NOT_MATURE)


def test_the_default_curve_is_exponential_after_the_first_conversion() -> None:
    curve = DelayCurve.exponential(60)
    assert len(curve.gap) == len(curve.first) == 61
    assert curve.first[0] == pytest.approx(0.7)
    assert curve.first[14:] == pytest.approx([1.0] * 47)
    survivors = 1 - np.array(curve.gap)
    assert survivors[1:] / survivors[:-1] == pytest.approx(
        np.full(60, math.exp(-1 / 20))
    )
    shorter = DelayCurve.exponential(60, gap_mean=5)
    assert shorter.gap[4] == pytest.approx(1 - math.exp(-1))
    assert DelayCurve.exponential(0).gap == pytest.approx((1 - math.exp(-1),))


@pytest.mark.parametrize("as_of", [7, 9, 40])
def test_history_gives_the_curve_back_though_recent_visitors_are_not_mature(
    as_of: int,
) -> None:
    window = Window(first=8, second=8)
    history = expected_counts([10**9] * 10, window)
    moved = Moments(
        cohorts={day + 1_000: n for day, n in history.cohorts.items()},
        cells={k._replace(day=k.day + 1_000): c for k, c in history.cells.items()},
        pairs={k._replace(day=k.day + 1_000): p for k, p in history.pairs.items()},
    )
    if as_of < 8:
        assert DelayCurve.from_history(
            moved, window=window, as_of=1_000 + as_of
        ) == NotEstimable(Reason.NOT_MATURE)
        return
    curve = DelayCurve.from_history(moved, window=window, as_of=1_000 + as_of)
    assert isinstance(curve, DelayCurve)
    known = np.array(curve.first) / curve.first[-1]
    assert known[: len(FIRST)] == pytest.approx(np.array(FIRST), rel=1e-6)
    gaps = np.array(curve.gap) / curve.gap[-1]
    assert gaps[: len(GAP)] == pytest.approx(np.array(GAP), rel=1e-6)


def test_history_ignores_where_a_refund_meets_a_conversion() -> None:
    history = Moments(
        cohorts={0: 1_000},
        cells={
            CellKey(0, 0, 1): Cell(10, 1_000, 100_000),
            CellKey(0, 1, 2): Cell(4, 400, 40_000),
            CellKey(0, 5, 1): Cell(0, -100, 10_000),
        },
        pairs={
            PairKey(0, 1, 0, 1, 5): Pair(0, -10_000, -100, 0),
            PairKey(0, 1, 0, 2, 1): Pair(4, 40_000, 400, 400),
            PairKey(0, 1, 5, 2, 1): Pair(0, -10_000, 0, -100),
        },
    )
    curve = DelayCurve.from_history(history, window=Window(first=6, second=6), as_of=20)
    assert isinstance(curve, DelayCurve)
    assert curve.first == pytest.approx([0.01] * 7)
    assert curve.gap == pytest.approx([0.0, *[0.004] * 6])


def test_history_without_a_second_conversion_has_no_curve() -> None:
    history = Moments(cohorts={0: 10}, cells={CellKey(0, 0, 1): Cell(1, 0, 0)})
    assert DelayCurve.from_history(
        history, window=Window(first=6, second=6), as_of=20
    ) == NotEstimable(Reason.NO_CONVERSIONS)


@pytest.mark.parametrize("measure", Measure)
def test_history_gives_the_baseline_back(measure: Measure) -> None:
    window = Window(first=8, second=8)
    history = expected_counts([10**9] * 10, window)
    found = baseline_from_history(history, window=window, as_of=9, measure=measure)
    assert isinstance(found, Baseline)
    assert found.first_rate == pytest.approx(SHOP.first_rate, rel=1e-6)
    assert found.repeat_rate == pytest.approx(SHOP.repeat_rate, rel=1e-6)
    if measure is Measure.COUNT:
        assert (found.first_order, found.second_order) == (OrderValue(), OrderValue())
    else:
        orders = (found.first_order, found.second_order)
        for order, expected in zip(
            orders, (SHOP.first_order, SHOP.second_order), strict=True
        ):
            assert order.mean == pytest.approx(expected.mean, rel=1e-6)
            assert order.sd == pytest.approx(expected.sd, rel=1e-6)


def test_history_without_conversions_or_time_has_no_baseline() -> None:
    window = Window(first=6, second=6)

    def baseline(history: Moments, as_of: int) -> Baseline | NotEstimable:
        return baseline_from_history(
            history, window=window, as_of=as_of, measure=Measure.MONEY
        )

    visits = Moments(cohorts={0: 10})
    assert baseline(visits, 20) == NotEstimable(Reason.NO_CONVERSIONS)
    assert baseline(visits, 5) == NotEstimable(Reason.NOT_MATURE)
    once = Moments(cohorts={0: 10}, cells={CellKey(0, 0, 1): Cell(1, 50, 2_500)})
    found = baseline(once, 20)
    assert isinstance(found, Baseline)
    assert found.first_order == OrderValue(mean=50, sd=0)
    assert found.second_order == OrderValue(mean=0)
    assert found.repeat_rate == 0


@pytest.mark.parametrize(
    ("first", "gap", "name"),
    [
        ((), (1.0,), "first"),
        ((0.5, 0.4), (1.0,), "first"),
        ((-0.1, 1.0), (1.0,), "first"),
        ((1.0,), (0.0, 0.0), "gap"),
    ],
    ids=str,
)
def test_curves_that_do_not_rise_are_refused(
    first: tuple[float, ...], gap: tuple[float, ...], name: str
) -> None:
    with pytest.raises(ValueError, match=f"{name} must rise"):
        DelayCurve(first=first, gap=gap)


def test_a_curve_beyond_the_window_is_refused() -> None:
    late = DelayCurve(first=(1.0,), gap=(0.0, 0.0, 0.0, 1.0))
    with pytest.raises(ValueError, match="no second conversion"):
        expected_estimate(
            [100.0], SHOP, late, window=Window(first=2, second=2), as_of=9
        )
