"""The curve of the value's difference over the worth of a second conversion."""

import math

import pytest

from abtest.services.weight_curve import STEPS, weight_curve
from abtest.stats.results import JointEstimate


def joint(first: float, second: float) -> JointEstimate:
    return JointEstimate(
        visitors=1000,
        first=first,
        second=second,
        variance_first=4e-6,
        covariance=1e-6,
        variance_second=2e-6,
        is_mature=True,
    )


def test_the_curve_is_the_effect_at_every_worth() -> None:
    curve = weight_curve(
        joint(0.10, 0.02), joint(0.08, 0.03), unit=1.0, critical_value=2.0, largest=6.0
    )
    assert len(curve) == STEPS + 1
    assert (curve[0].weight, curve[-1].weight) == (0.0, 6.0)
    # -0.02 + 0.01 w: the variants tie at a worth of 2.
    for point in curve:
        assert point.effect == pytest.approx(-0.02 + 0.01 * point.weight)
    # At a worth of 2 each variance is 4 + 2 x 2 x 1 + 4 x 2 millionths.
    (tie,) = (point for point in curve if point.weight == pytest.approx(2.0))
    assert tie.upper == pytest.approx(2.0 * math.sqrt(2 * 16e-6))
    assert tie.lower == pytest.approx(-tie.upper)


def test_money_is_told_in_major_units() -> None:
    curve = weight_curve(
        joint(100, 20), joint(110, 25), unit=0.01, critical_value=2.0, largest=4.0
    )
    assert curve[0].effect == pytest.approx(0.10)
    assert curve[-1].effect == pytest.approx(0.30)
