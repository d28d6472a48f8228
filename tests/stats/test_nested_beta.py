"""The exact posterior against scipy's distributions and against draws from it."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from abtest.stats.bayesian import compare_all
from abtest.stats.delayed import value
from abtest.stats.nested_beta import NestedBeta, compare_nested_beta, nested_beta
from abtest.stats.results import BayesianResult
from tests.stats.vectors import joint, limits, near, shared_vector

Counts = tuple[int, int, int]


def arm(
    counts: Counts, first_weight: float = 1.0, second_weight: float = 3.0
) -> NestedBeta:
    return nested_beta(*counts, first_weight=first_weight, second_weight=second_weight)


def draws(posterior: NestedBeta, seed: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    p = rng.beta(*posterior.first, 1_000_000)
    r = rng.beta(*posterior.repeat, 1_000_000)
    drawn: NDArray[np.float64] = p * (
        posterior.first_weight + posterior.second_weight * r
    )
    return drawn


def test_moments_of_scipys_dirichlet() -> None:
    vector = shared_vector("V_posterior_dirichlet_moments")
    a = vector["inputs"]["A"]
    posterior = nested_beta(
        a["n"],
        a["c1"],
        a["c2"],
        first_weight=1.0,
        second_weight=3.0,
        repeat_prior=(0.5, 0.5),
    )
    assert posterior.mean == near(vector["expected"]["mean"], vector)
    assert posterior.variance == near(vector["expected"]["var"], vector)


def test_distribution_of_one_conversion_alone_is_scipys_beta() -> None:
    posterior = arm((50, 12, 4), second_weight=0.0)
    peer = stats.beta(13, 39)
    x = np.linspace(0.01, 0.99, 23)
    assert posterior.distribution(x) == pytest.approx(peer.cdf(x), rel=1e-12)
    assert posterior.density(x) == pytest.approx(peer.pdf(x), rel=1e-11)
    assert posterior.distribution(np.array([-1.0, 2.0])).tolist() == [
        0,
        pytest.approx(1),
    ]


@pytest.mark.parametrize(
    ("control", "treatment", "weights"),
    [
        ((300, 15, 3), (300, 22, 9), (1.0, 3.0)),
        ((20_000, 1000, 250), (20_200, 930, 326), (1.0, 3.0)),
        ((20_000, 1000, 250), (200, 9, 3), (1.0, 3.0)),
        ((50, 0, 0), (40, 2, 0), (1.0, 3.0)),
        ((300, 15, 3), (300, 22, 9), (0.0, 1.0)),
        ((300, 15, 3), (300, 22, 9), (1.0, 0.0)),
    ],
)
def test_comparison_is_that_of_drawn_posteriors(
    control: Counts, treatment: Counts, weights: tuple[float, float]
) -> None:
    arms = arm(control, *weights), arm(treatment, *weights)
    result = compare_nested_beta(*arms, alpha=0.1)
    difference = draws(arms[1], 1) - draws(arms[0], 2)
    assert result.probability_to_beat_control == pytest.approx(
        (difference > 0).mean(), abs=0.002
    )
    assert result.expected_loss == pytest.approx(
        np.maximum(-difference, 0).mean(), rel=0.02
    )
    assert result.expected_loss_of_control == pytest.approx(
        np.maximum(difference, 0).mean(), rel=0.02
    )
    scale = difference.std()
    assert np.array(limits(result.credible_interval)) / scale == pytest.approx(
        np.quantile(difference, [0.05, 0.95]) / scale, abs=0.01
    )


def test_swapping_the_arms_turns_the_result() -> None:
    one, other = arm((300, 15, 3)), arm((280, 22, 9))
    there = compare_nested_beta(one, other, alpha=0.05)
    back = compare_nested_beta(other, one, alpha=0.05)
    assert there.probability_to_be_best + back.probability_to_be_best == pytest.approx(
        1, abs=1e-9
    )
    assert there.expected_loss == pytest.approx(back.expected_loss_of_control, rel=1e-9)
    lower, upper = limits(there.credible_interval)
    assert limits(back.credible_interval) == pytest.approx([-upper, -lower], rel=1e-9)
    gained = there.expected_loss_of_control - there.expected_loss
    assert gained == pytest.approx(other.mean - one.mean, rel=1e-9)


def test_with_many_visitors_it_is_the_normal_posterior() -> None:
    counts: tuple[Counts, Counts] = ((200_000, 10_000, 2500), (202_000, 10_100, 2700))
    exact = compare_nested_beta(arm(counts[0]), arm(counts[1]), alpha=0.05)
    estimates = [
        value(joint(dict(zip(("n", "c1", "c2"), c, strict=True))), 1.0, 3.0)
        for c in counts
    ]
    _, normal = compare_all(estimates, alpha=0.05)
    assert isinstance(normal, BayesianResult)
    assert exact.probability_to_be_best == pytest.approx(
        normal.probability_to_be_best, abs=0.002
    )
    assert math.sqrt(arm(counts[0]).variance) == pytest.approx(
        math.sqrt(estimates[0].variance), rel=0.001
    )


@pytest.mark.parametrize("counts", [(10, 11, 0), (10, 5, 6), (10, 5, -1)])
def test_counts_are_nested(counts: Counts) -> None:
    with pytest.raises(ValueError, match="does not hold"):
        arm(counts)


def test_priors_are_positive() -> None:
    with pytest.raises(ValueError, match="prior"):
        nested_beta(9, 3, 1, first_weight=1, second_weight=1, repeat_prior=(0.0, 1.0))


@pytest.mark.parametrize("weights", [(-1.0, 3.0), (0.0, 0.0), (1.0, -0.1)])
def test_a_comparison_needs_weights_that_are_not_negative(
    weights: tuple[float, float],
) -> None:
    with pytest.raises(ValueError, match="weights"):
        compare_nested_beta(
            arm((9, 3, 1), *weights), arm((9, 3, 1), *weights), alpha=0.05
        )


@pytest.mark.parametrize(
    ("control", "treatment", "weights"),
    [
        ((20_000, 1000, 250), (20_000, 1000, 0), (0.0, 1.0)),
        ((20_000, 1000, 2), (20_000, 1000, 4), (0.0, 1.0)),
        ((20_000, 1000, 1), (20_000, 900, 3), (0.01, 1.0)),
    ],
)
def test_rare_second_conversions_may_carry_all_the_weight(
    control: Counts, treatment: Counts, weights: tuple[float, float]
) -> None:
    """The repeat rate spreads the value far more than the first conversions do."""
    arms = arm(control, *weights), arm(treatment, *weights)
    result = compare_nested_beta(*arms, alpha=0.1)
    drawn = draws(arms[0], 1), draws(arms[1], 2)
    difference = drawn[1] - drawn[0]
    assert result.probability_to_beat_control == pytest.approx(
        (difference > 0).mean(), abs=0.002
    )
    scale = difference.std()
    assert np.array(limits(result.credible_interval)) / scale == pytest.approx(
        np.quantile(difference, [0.05, 0.95]) / scale, abs=0.01
    )
    for posterior, values in zip(arms, drawn, strict=True):
        places = np.quantile(values, [0.01, 0.3, 0.9])
        assert posterior.distribution(places) == pytest.approx(
            [0.01, 0.3, 0.9], abs=0.002
        )
        middle, half = places[1], values.std() / 20
        near_it = np.abs(values - middle) < half
        assert posterior.density(np.array([middle]))[0] == pytest.approx(
            near_it.mean() / (2 * half), rel=0.03
        )
