"""The break-even weight agrees with the test at every weight."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from abtest.stats.breakeven import (
    break_even_weight,
    slider_critical_value,
    winner_bands,
)
from abtest.stats.delayed import value
from abtest.stats.frequentist import compare
from abtest.stats.results import (
    Band,
    BreakEvenKind,
    BreakEvenWeight,
    JointEstimate,
    NotEstimable,
    Reason,
    Winner,
)
from tests.stats.vectors import joint, near, result_of, shared_vector


def arm(
    first: float,
    second: float,
    variances: tuple[float, float, float] = (1.0, 0.25, 0.5),
) -> JointEstimate:
    return JointEstimate(
        visitors=1000,
        first=first,
        second=second,
        variance_first=variances[0],
        covariance=variances[1],
        variance_second=variances[2],
        is_mature=False,
    )


@st.composite
def arms(draw: st.DrawFn) -> JointEstimate:
    spread_first, spread_second = (draw(st.floats(0.05, 3)) for _ in range(2))
    correlation = draw(st.floats(-0.9, 0.95))
    return arm(
        draw(st.floats(-9, 9)),
        draw(st.floats(-9, 9)),
        (
            spread_first**2,
            correlation * spread_first * spread_second,
            spread_second**2,
        ),
    )


NOTHING = arm(0, 0, (0, 0, 0))


def z(control: JointEstimate, treatment: JointEstimate, w1: float, w2: float) -> float:
    test = compare(value(control, w1, w2), value(treatment, w1, w2), alpha=0.05)
    return result_of(test).statistic


def test_limits_of_statsmodels() -> None:
    vector = shared_vector("breakeven_weight_fieller")
    weight = break_even_weight(
        joint(vector["inputs"]["A"]),
        joint(vector["inputs"]["B"]),
        critical_value=1.959963984540054,
    )
    assert isinstance(weight, BreakEvenWeight)
    assert weight.kind is BreakEvenKind.INTERVAL
    assert weight.estimate == near(vector["expected"]["w_star"], vector)
    assert [weight.lower, weight.upper] == near(vector["expected"]["ci"], vector)


@given(arms(), arms(), st.floats(1, 3))
def test_the_test_is_undecided_exactly_within_the_set(
    control: JointEstimate, treatment: JointEstimate, bound: float
) -> None:
    weight = break_even_weight(control, treatment, critical_value=bound)
    assert isinstance(weight, BreakEvenWeight)
    for w in [*np.linspace(-20, 20, 81).tolist(), -1e4, 1e4]:
        statistic = abs(z(control, treatment, 1.0, w))
        if abs(statistic - bound) > 1e-6:
            assert (statistic < bound) == contains(weight, w)
    if weight.estimate is not None and abs(weight.estimate) < 1e6:
        assert z(control, treatment, 1.0, weight.estimate) == pytest.approx(0, abs=1e-6)


def contains(weight: BreakEvenWeight, w: float) -> bool:
    lower = -math.inf if weight.lower is None else weight.lower
    upper = math.inf if weight.upper is None else weight.upper
    match weight.kind:
        case BreakEvenKind.INTERVAL:
            return lower <= w <= upper
        case BreakEvenKind.RAYS:
            return w <= lower or w >= upper
        case BreakEvenKind.ALL:
            return True
        case BreakEvenKind.NONE:
            return False


@pytest.mark.parametrize(
    ("treatment", "kind", "estimate"),
    [
        (arm(-30, 10), BreakEvenKind.INTERVAL, 3),
        (arm(-30, 0.5), BreakEvenKind.RAYS, 60),
        (arm(0.5, 0.5), BreakEvenKind.ALL, -1),
        (arm(0.5, 0), BreakEvenKind.ALL, None),
        (arm(30, 0, (1, 0, 0)), BreakEvenKind.NONE, None),
        (arm(0.5, 0, (1, 0, 0)), BreakEvenKind.ALL, None),
    ],
    ids=[
        "interval",
        "rays",
        "all",
        "no difference in the second",
        "no second conversions, first decides",
        "no second conversions, nothing decides",
    ],
)
def test_the_shape_of_the_set(
    treatment: JointEstimate, kind: BreakEvenKind, estimate: float | None
) -> None:
    weight = break_even_weight(NOTHING, treatment, critical_value=2)
    assert isinstance(weight, BreakEvenWeight)
    assert (weight.kind, weight.estimate) == (kind, estimate)
    has_limits = kind in (BreakEvenKind.INTERVAL, BreakEvenKind.RAYS)
    assert (weight.lower is not None, weight.upper is not None) == (
        has_limits,
        has_limits,
    )


@pytest.mark.parametrize("sign", [1, -1])
def test_a_single_ray_has_one_limit(sign: int) -> None:
    """D2 is exactly its bound: A = 0 and one limit is at infinity."""
    treatment = arm(6.0, sign * 2.0, (1.0, 0.0, 1.0))
    weight = break_even_weight(NOTHING, treatment, critical_value=2)
    # (6 + 2 w)^2 <= 4 (1 + w^2) up to w = -32 / 24, and its mirror image.
    limit = -sign * 4 / 3
    assert weight == BreakEvenWeight(
        kind=BreakEvenKind.RAYS,
        estimate=-sign * 3.0,
        lower=limit if sign > 0 else None,
        upper=None if sign > 0 else limit,
    )


def test_a_tie_at_no_weight_at_all_is_the_interval_of_zero() -> None:
    weight = break_even_weight(
        NOTHING, arm(0.0, 5.0, (0.0, 0.0, 1.0)), critical_value=2
    )
    assert weight == BreakEvenWeight(
        kind=BreakEvenKind.INTERVAL, estimate=0, lower=0, upper=0
    )


def test_without_variance_there_is_no_break_even() -> None:
    assert break_even_weight(
        NOTHING, arm(1, -1, (0, 0, 0)), critical_value=2
    ) == NotEstimable(Reason.NO_VARIANCE)
    bands = winner_bands(NOTHING, arm(1, -1, (0, 0, 0)), critical_value=2, largest=5)
    assert bands == (Band(lower=0, upper=5, winner=Winner.UNDECIDED),)


def assert_bands(
    bands: tuple[Band, ...],
    largest: float,
    statistic_at: list[tuple[float, float]],
    bound: float,
) -> None:
    """The bands cover everything, each point in the one that the test says."""
    assert [bands[0].lower, bands[-1].upper] == [0, largest]
    for left, right in pairwise(bands):
        assert left.upper == right.lower
        assert left.winner is not right.winner
    for place, statistic in statistic_at:
        inside = [b.winner for b in bands if b.lower < place < b.upper]
        if inside and abs(abs(statistic) - bound) > 1e-6:
            ahead = Winner.TREATMENT if statistic > 0 else Winner.CONTROL
            assert inside == [ahead if abs(statistic) > bound else Winner.UNDECIDED]


@given(arms(), arms(), st.floats(1, 3), st.floats(0.5, 40))
def test_bands_say_what_the_test_says_at_each_weight(
    control: JointEstimate, treatment: JointEstimate, bound: float, largest: float
) -> None:
    bands = winner_bands(control, treatment, critical_value=bound, largest=largest)
    places = np.linspace(0, largest, 37).tolist()
    statistics = [(w, z(control, treatment, 1, w)) for w in places]
    assert_bands(bands, largest, statistics, bound)


def test_bands_of_a_clear_case() -> None:
    control, treatment = arm(0, 0), arm(-30, 10, (1.0, 0.25, 0.5))
    bands = winner_bands(control, treatment, critical_value=2, largest=20)
    assert [band.winner for band in bands] == [
        Winner.CONTROL,
        Winner.UNDECIDED,
        Winner.TREATMENT,
    ]


@pytest.mark.parametrize("largest", [0.0, -1.0, math.nan])
def test_bands_need_a_positive_end(largest: float) -> None:
    with pytest.raises(ValueError, match="largest"):
        winner_bands(NOTHING, arm(1, 1), critical_value=2, largest=largest)


def exceeds(bound: float, theta: float) -> float:
    """P(sup |z| > bound) over an arc, by adding up directions of a normal point."""
    turns = np.linspace(0, math.pi, 200_001)[:-1]
    # The nearest direction of the arc, or of its opposite, to where the point lies.
    apart = np.clip(turns - theta, 0, None)
    nearest = np.cos(np.minimum(apart, math.pi - turns))
    nearest = np.where(turns <= theta, 1.0, np.abs(nearest))
    with np.errstate(divide="ignore"):
        return float(np.exp(-(bound**2) / 2 / nearest**2).mean())


@pytest.mark.parametrize(
    ("correlation", "alpha", "spared"),
    [
        (0.9, 0.05, 1e-5),
        (0.9, 0.2, 1e-3),
        (0.45, 0.01, 1e-5),
        (0.45, 0.05, 1e-4),
        (0.0, 0.05, 0.004),
        (-0.5, 0.05, 0.04),
    ],
)
def test_slider_bound_holds_for_all_weights_at_once(
    correlation: float, alpha: float, spared: float
) -> None:
    treatment = arm(0, 0, (4.0, correlation * 2 * 3, 9.0))
    bound = slider_critical_value(NOTHING, treatment, alpha=alpha)
    real = exceeds(bound, math.acos(correlation))
    assert alpha * (1 - spared) <= real <= alpha * (1 + 1e-6)


@pytest.mark.parametrize(
    "variances", [(1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (1.0, 2.0, 4.0)]
)
def test_slider_bound_of_a_single_direction_is_the_plain_one(
    variances: tuple[float, float, float],
) -> None:
    bound = slider_critical_value(NOTHING, arm(0, 0, variances), alpha=0.05)
    assert bound == pytest.approx(1.959963984540054, rel=1e-9)


@given(arms(), arms(), st.floats(0.001, 0.4))
def test_slider_bound_is_between_the_plain_one_and_scheffe_of_the_plane(
    control: JointEstimate, treatment: JointEstimate, alpha: float
) -> None:
    assume(control.covariance + treatment.covariance >= 0)
    bound = slider_critical_value(control, treatment, alpha=alpha)
    plain = slider_critical_value(NOTHING, arm(0, 0, (1, 0, 0)), alpha=alpha)
    assert plain <= bound + 1e-9
    assert bound <= math.sqrt(-2 * math.log(alpha))
