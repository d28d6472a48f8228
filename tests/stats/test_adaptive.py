"""Adaptive shares: probabilities to be best, a floor, and what they save."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from abtest.stats.adaptive import thompson_shares
from abtest.stats.results import NotEstimable, Reason, ValueEstimate


def value(mean: float, variance: float = 1.0) -> ValueEstimate:
    return ValueEstimate(visitors=1_000, mean=mean, variance=variance, is_mature=False)


def test_two_variants_share_by_the_probability_to_be_better() -> None:
    shares = thompson_shares([value(5.0, 0.3), value(6.0, 0.7)], minimum_share=0.1)
    better = norm.cdf(1.0)
    assert shares == pytest.approx((0.1 + 0.8 * (1 - better), 0.1 + 0.8 * better))


def test_four_variants_share_as_often_as_they_win_in_draws() -> None:
    means, variances = [1.0, 1.4, 1.6, 0.2], [0.3, 0.2, 0.8, 2.0]
    shares = thompson_shares(
        [value(m, v) for m, v in zip(means, variances, strict=True)],
        minimum_share=0.05,
    )
    rng = np.random.default_rng(9)
    draws = rng.normal(means, np.sqrt(variances), (400_000, 4)).argmax(axis=1)
    wins = np.bincount(draws, minlength=4) / draws.size
    assert shares == pytest.approx(tuple(0.05 + 0.8 * wins), abs=0.003)


@settings(deadline=None)
@given(
    means=st.lists(st.floats(-5, 5), min_size=2, max_size=5),
    spread=st.floats(0.01, 3),
    floor=st.floats(0.01, 0.2),
)
def test_shares_add_up_and_nobody_starves(
    means: list[float], spread: float, floor: float
) -> None:
    estimates = [value(mean, spread) for mean in means]
    shares = thompson_shares(estimates, minimum_share=floor)
    assert isinstance(shares, tuple)
    assert sum(shares) == pytest.approx(1)
    assert min(shares) >= floor - 1e-9
    assert shares[int(np.argmax(means))] == pytest.approx(max(shares))
    turned = thompson_shares(estimates[::-1], minimum_share=floor)
    assert turned == pytest.approx(shares[::-1], abs=1e-6)


def test_while_a_variant_is_not_known_the_shares_stay() -> None:
    waiting = NotEstimable(Reason.NOT_MATURE)
    assert thompson_shares([value(1.0), waiting], minimum_share=0.1) == waiting
    assert thompson_shares([waiting, value(1.0)], minimum_share=0.1) == waiting
    alike = [value(0.0, 0.0), value(0.0, 0.0)]
    assert thompson_shares(alike, minimum_share=0.1) == NotEstimable(Reason.NO_VARIANCE)


@pytest.mark.parametrize("floor", [0.0, -0.1, 0.51])
def test_the_floor_must_leave_something(floor: float) -> None:
    with pytest.raises(ValueError, match="minimum_share is"):
        thompson_shares([value(1.0), value(2.0)], minimum_share=floor)
