"""Posteriors: those of other programs, and probabilities that add up to one."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from abtest.stats.bayesian import LiftPrior, compare_all
from abtest.stats.delayed import value
from abtest.stats.results import (
    BayesianResult,
    Interval,
    NotEstimable,
    Reason,
    ValueEstimate,
)
from tests.stats.vectors import joint, limits, near, peer_vector, shared_vector

PRIORS = [None, LiftPrior(), LiftPrior(mean=0.1, standard_deviation=0.02)]


def arm(mean: float, variance: float) -> ValueEstimate:
    return ValueEstimate(visitors=1000, mean=mean, variance=variance, is_mature=False)


def posterior(result: object) -> BayesianResult:
    assert isinstance(result, BayesianResult)
    return result


arms = st.lists(
    st.builds(arm, st.floats(0.5, 2), st.floats(-3, 0).map(lambda x: 10**x)),
    min_size=2,
    max_size=4,
)


def test_flat_prior_of_gbstats() -> None:
    vector = shared_vector("V_bayes_flat_prior_abs")
    estimates = [value(joint(vector["inputs"][key]), 1.0, 3.0) for key in "AB"]
    control, treatment = map(posterior, compare_all(estimates, alpha=0.05))
    expected = vector["expected"]
    assert treatment.probability_to_be_best == near(expected["p_B_best"], vector)
    assert treatment.probability_to_beat_control == near(expected["p_B_best"], vector)
    assert treatment.expected_loss == near(expected["loss_ship_B"], vector)
    assert treatment.expected_loss_of_control == near(expected["loss_keep_A"], vector)
    assert limits(treatment.credible_interval) == near(expected["ci"], vector)
    assert control == BayesianResult(
        probability_to_be_best=control.probability_to_be_best,
        probability_to_beat_control=0,
        expected_loss=treatment.expected_loss_of_control,
        expected_loss_of_control=treatment.expected_loss_of_control,
        credible_interval=Interval(lower=0, upper=0),
        prior="flat",
    )


@pytest.mark.parametrize("case", ["article", "small", "tilted", "uneven"])
def test_prior_of_the_lift_of_gbstats(case: str) -> None:
    vector = peer_vector("gbstats_lift_prior.json", f"lift_prior_{case}")
    inputs, expected = vector["inputs"], vector["expected"]
    estimates = []
    for key in "AB":
        n, total, squares = (inputs[key][k] for k in ("n", "sum", "sum_squares"))
        variance = (n * squares - total**2) / n / (n - 1) / n
        estimates.append(arm(total / n, variance))
    prior = LiftPrior(
        mean=inputs["prior"]["mean"],
        standard_deviation=math.sqrt(inputs["prior"]["variance"]),
    )
    _, treatment = map(posterior, compare_all(estimates, alpha=0.05, prior=prior))
    assert treatment.probability_to_be_best == near(expected["chance_to_win"], vector)
    assert treatment.probability_to_beat_control == near(
        expected["chance_to_win"], vector
    )
    assert limits(treatment.credible_interval) == near(
        expected["credible_interval"], vector
    )
    assert treatment.expected_loss == near(expected["loss_ship_B"], vector)
    assert treatment.expected_loss_of_control == near(expected["loss_keep_A"], vector)
    assert treatment.prior == str(prior)


@given(arms.map(lambda found: found[:2]))
def test_two_arms_have_the_textbooks_closed_form(pair: list[ValueEstimate]) -> None:
    control, treatment = map(posterior, compare_all(pair, alpha=0.1))
    se = math.sqrt(pair[0].variance + pair[1].variance)
    z = (pair[1].mean - pair[0].mean) / se
    assert treatment.probability_to_be_best == pytest.approx(norm.cdf(z), abs=1e-12)
    assert treatment.expected_loss == pytest.approx(
        se * (norm.pdf(z) - z * norm.sf(z)), rel=1e-8, abs=1e-12
    )
    assert control.expected_loss == pytest.approx(
        se * (norm.pdf(z) + z * norm.cdf(z)), rel=1e-8, abs=1e-12
    )


def test_several_arms_are_those_of_the_multivariate_normal() -> None:
    """P(j is best) is an orthant probability of the differences from j (scipy)."""
    estimates = [arm(1.0, 0.01), arm(1.1, 0.02), arm(1.05, 0.0004), arm(0.9, 0.05)]
    means = np.array([e.mean for e in estimates])
    covariance = np.diag([e.variance for e in estimates])
    for j, result in enumerate(compare_all(estimates, alpha=0.05)):
        away = np.delete(np.eye(4), j, axis=0) - np.eye(4)[j]
        peer = multivariate_normal(away @ means, away @ covariance @ away.T)
        best = posterior(result).probability_to_be_best
        assert best == pytest.approx(peer.cdf(np.zeros(3)), abs=2e-5)


def drawn(
    estimates: list[ValueEstimate], prior: LiftPrior, draws: int
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Draws from the posterior of all means, by its precision matrix."""
    control, *treatments = estimates
    size = len(estimates)
    precision = np.diag([1 / e.variance for e in estimates])
    pull = np.array([e.mean / e.variance for e in estimates])
    m = prior.mean * control.mean
    spread = prior.standard_deviation * control.mean
    for j in range(1, len(treatments) + 1):
        difference = np.zeros(size)
        difference[[0, j]] = -1, 1
        precision += np.outer(difference, difference) / spread**2
        pull += difference * m / spread**2
    covariance = np.linalg.inv(precision)
    rng = np.random.default_rng(4)
    drawn_means: np.ndarray[tuple[int, int], np.dtype[np.float64]] = (
        rng.multivariate_normal(covariance @ pull, covariance, draws)
    )
    return drawn_means


def test_several_arms_with_a_prior_are_those_of_drawn_posteriors() -> None:
    estimates = [arm(1.0, 0.01), arm(1.3, 0.02), arm(1.1, 0.0004), arm(0.9, 0.05)]
    prior = LiftPrior(mean=0.05, standard_deviation=0.15)
    means = drawn(estimates, prior, 1_000_000)
    results = [
        posterior(result) for result in compare_all(estimates, alpha=0.1, prior=prior)
    ]
    shares = np.bincount(means.argmax(axis=1)) / len(means)
    assert [r.probability_to_be_best for r in results] == pytest.approx(
        shares, abs=0.002
    )
    losses = (means.max(axis=1)[:, None] - means).mean(axis=0)
    assert [r.expected_loss for r in results] == pytest.approx(losses, rel=0.01)
    for j in (1, 2, 3):
        difference = means[:, j] - means[:, 0]
        assert results[j].probability_to_beat_control == pytest.approx(
            (difference > 0).mean(), abs=0.002
        )
        assert limits(results[j].credible_interval) == pytest.approx(
            np.quantile(difference, [0.05, 0.95]), abs=0.002
        )


@given(arms, st.sampled_from(PRIORS))
def test_probabilities_to_be_best_add_up_to_one(
    estimates: list[ValueEstimate], prior: LiftPrior | None
) -> None:
    results = [posterior(r) for r in compare_all(estimates, alpha=0.05, prior=prior)]
    total = sum(r.probability_to_be_best for r in results)
    assert total == pytest.approx(1, abs=1e-9)
    for result in results:
        assert 0 <= result.probability_to_be_best <= 1
        assert result.expected_loss >= 0
        assert result.expected_loss_of_control == results[0].expected_loss


def test_the_order_of_treatments_means_nothing() -> None:
    control = arm(1.0, 0.01)
    treatments = [arm(1.1, 0.02), arm(1.05, 0.0004), arm(0.9, 0.05)]
    for prior in PRIORS:
        _, *first = compare_all([control, *treatments], alpha=0.05, prior=prior)
        for order in permutations(range(3)):
            _, *other = compare_all(
                [control, *(treatments[i] for i in order)], alpha=0.05, prior=prior
            )
            for i, result in zip(order, other, strict=True):
                there, here = posterior(first[i]), posterior(result)
                assert here.probability_to_be_best == pytest.approx(
                    there.probability_to_be_best, rel=1e-11
                )
                assert here.expected_loss == pytest.approx(
                    there.expected_loss, rel=1e-11
                )


def test_arms_of_very_different_precision() -> None:
    """A step in a smooth density: the quadrature must see both."""
    control, treatment = arm(1.0, 1.0), arm(1.5, 1e-12)
    _, sharp = compare_all([control, treatment], alpha=0.05)
    assert posterior(sharp).probability_to_be_best == pytest.approx(
        norm.cdf(0.5), abs=1e-10
    )
    third = arm(0.0, 1e-10)
    _, sharp, _ = compare_all([control, treatment, third], alpha=0.05)
    assert posterior(sharp).probability_to_be_best == pytest.approx(
        norm.cdf(0.5), abs=1e-10
    )


GOOD = arm(1.0, 0.1)
FLAT = arm(1.0, 0.0)
YOUNG = NotEstimable(Reason.NOT_MATURE)
NO_VARIANCE = NotEstimable(Reason.NO_VARIANCE)
ALONE = NotEstimable(Reason.NOT_APPLICABLE)


@pytest.mark.parametrize(
    ("estimates", "expected"),
    [
        ([YOUNG, GOOD, FLAT], [YOUNG, YOUNG, NO_VARIANCE]),
        ([FLAT, GOOD, YOUNG], [NO_VARIANCE, NO_VARIANCE, YOUNG]),
        ([GOOD, YOUNG, FLAT], [ALONE, YOUNG, NO_VARIANCE]),
        ([GOOD], [ALONE]),
    ],
    ids=["young control", "flat control", "no treatment left", "control alone"],
)
def test_what_cannot_be_said_is_named(
    estimates: list[ValueEstimate | NotEstimable], expected: list[NotEstimable]
) -> None:
    assert list(compare_all(estimates, alpha=0.05)) == expected


def test_an_arm_that_cannot_be_estimated_is_left_out() -> None:
    control, young, treatment = compare_all([GOOD, YOUNG, GOOD], alpha=0.05)
    assert young == YOUNG
    assert (control, treatment) == compare_all([GOOD, GOOD], alpha=0.05)


def test_a_lift_needs_a_positive_control() -> None:
    results = compare_all([arm(-1.0, 0.1), GOOD], alpha=0.05, prior=LiftPrior())
    assert results == (NotEstimable(Reason.NOT_POSITIVE),) * 2
    assert isinstance(
        compare_all([arm(-1.0, 0.1), GOOD], alpha=0.05)[1], BayesianResult
    )


def test_a_prior_has_a_spread() -> None:
    with pytest.raises(ValueError, match="positive"):
        LiftPrior(standard_deviation=0.0)


def test_a_prior_that_leaves_nothing_of_the_data() -> None:
    """Every arm is then the control, whichever is better in the data."""
    sure = LiftPrior(standard_deviation=1e-12)
    results = compare_all([GOOD, arm(9.0, 0.1), arm(2.0, 0.1)], alpha=0.05, prior=sure)
    for result in results:
        assert isinstance(result, BayesianResult)
        assert result.expected_loss == pytest.approx(0.0, abs=1e-9)
