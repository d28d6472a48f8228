"""The floor under the variance of a small arm, against the pooled test."""

import pytest
from scipy.stats import norm

from abtest.stats.frequentist import (
    Method,
    compare_averaged,
    compare_pooled_null,
    with_floor,
)
from abtest.stats.results import JointEstimate, ValueEstimate
from tests.stats.vectors import result_of


def arm(visitors: int, spread: float) -> ValueEstimate:
    """Visitors whose values have this variance."""
    return ValueEstimate(
        visitors=visitors, mean=0.1, variance=spread / visitors, is_mature=False
    )


def as_joint(value: ValueEstimate) -> JointEstimate:
    return JointEstimate(
        visitors=value.visitors,
        first=value.mean,
        second=0.0,
        variance_first=value.variance,
        covariance=0.0,
        variance_second=0.0,
        is_mature=value.is_mature,
    )


@pytest.mark.parametrize("swapped", [False, True], ids=["small b", "small a"])
def test_a_small_arm_with_little_spread_gets_the_pooled_variance(
    *, swapped: bool
) -> None:
    pair = arm(9000, 0.5), arm(1000, 0.2)
    control, treatment = pair[::-1] if swapped else pair
    floored = with_floor(control, treatment)
    pooled = result_of(
        compare_pooled_null(
            *(as_joint(one) for one in (control, treatment)),
            first_weight=1.0,
            second_weight=0.0,
            alpha=0.05,
        )
    )
    variance = sum(one.variance for one in floored)
    assert variance**0.5 == pytest.approx(pooled.standard_error, rel=1e-12)
    assert [one.mean for one in floored] == [0.1, 0.1]


@pytest.mark.parametrize(
    ("control", "treatment"),
    [
        (arm(9000, 0.5), arm(1000, 0.8)),
        (arm(7000, 0.5), arm(3000, 0.1)),
        (arm(5000, 0.5), arm(5000, 0.1)),
    ],
    ids=["wide enough", "70/30", "even"],
)
def test_all_others_keep_their_own(
    control: ValueEstimate, treatment: ValueEstimate
) -> None:
    assert with_floor(control, treatment) == (control, treatment)


def test_averaged_variance_lies_half_way() -> None:
    """By hand: spreads per visitor 4 and 10, pooled (8999 x 4 + 999 x 10) / 9998."""
    control = ValueEstimate(visitors=9000, mean=1.0, variance=4 / 9000, is_mature=False)
    treated = ValueEstimate(
        visitors=1000, mean=1.2, variance=10 / 1000, is_mature=False
    )
    pooled = (8999 * 4 + 999 * 10) / 9998
    expected = ((4 + pooled) / 2 / 9000 + (10 + pooled) / 2 / 1000) ** 0.5
    result = result_of(compare_averaged(control, treated, alpha=0.05))
    assert result.standard_error == pytest.approx(expected, rel=1e-12)
    assert result.p_value == pytest.approx(2 * norm.sf(0.2 / expected), rel=1e-9)
    assert result.method == Method.AVERAGED_VARIANCE
    alike = ValueEstimate(visitors=1000, mean=0.0, variance=0.0, is_mature=False)
    borrowed = result_of(compare_averaged(control, alike, alpha=0.05))
    assert borrowed.method == Method.POOLED_VARIANCE
    assert borrowed.standard_error == pytest.approx(
        (8999 * 4 / 9998 * (1 / 9000 + 1 / 1000)) ** 0.5, rel=1e-12
    )
