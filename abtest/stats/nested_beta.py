"""The exact posterior of the weighted value when everybody has been followed."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import (
    betainc,
    betaincinv,
    betaln,
    ndtr,
    roots_legendre,
    xlog1py,
    xlogy,
)

from abtest.stats.results import BayesianResult, Interval

Vector = NDArray[np.float64]

_SCORES = np.linspace(-8.0, 8.0, 65)
"""Normal scores at which the repeat rate is taken."""

_EDGES = np.array([-9, -6, -4, -2, -1, 0, 1, 2, 4, 6, 9, 13, 18, 25, 40.0])
"""Where integrals are cut, in standard deviations; the upper tail is the long one."""

_NODES, _WEIGHTS = roots_legendre(12)


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedBeta:
    """Posterior of p (w1 + w2 r): the share p converts, and r of these once more.

    p and r are independent and beta distributed with these parameters.
    """

    first: tuple[float, float]
    repeat: tuple[float, float]
    first_weight: float
    second_weight: float

    @property
    def mean(self) -> float:
        """Mean of the value per visitor."""
        p, _ = _moments(*self.first)
        r, _ = _moments(*self.repeat)
        return p * (self.first_weight + self.second_weight * r)

    @property
    def variance(self) -> float:
        """Variance of the value per visitor."""
        w1, w2 = self.first_weight, self.second_weight
        _, p2 = _moments(*self.first)
        r, r2 = _moments(*self.repeat)
        return p2 * (w1**2 + 2 * w1 * w2 * r + w2**2 * r2) - self.mean**2

    def distribution(self, value: Vector) -> Vector:
        """Return the probability that the value per visitor is at most this."""
        worth, weights = self._worth()
        share = np.clip(value[:, None] / worth, 0.0, 1.0)
        distribution: Vector = betainc(*self.first, share) @ weights
        return distribution

    def density(self, value: Vector) -> Vector:
        """Return the density of the value per visitor."""
        a, b = self.first
        worth, weights = self._worth()
        share = np.clip(value[:, None] / worth, 0.0, 1.0)
        log_density = xlogy(a - 1, share) + xlog1py(b - 1, -share) - betaln(a, b)
        inside = np.where(share < 1, np.exp(log_density), 0.0)
        density: Vector = inside @ (weights / worth)
        return density

    def _worth(self) -> tuple[Vector, Vector]:
        """Return what a customer is worth at each repeat rate, with probabilities."""
        rate = betaincinv(*self.repeat, ndtr(_SCORES))
        weights = np.exp(-(_SCORES**2) / 2)
        return self.first_weight + self.second_weight * rate, weights / weights.sum()


def nested_beta(
    visitors: int,
    first: int,
    second: int,
    *,
    first_weight: float,
    second_weight: float,
    first_prior: tuple[float, float] = (1.0, 1.0),
    repeat_prior: tuple[float, float] = (1.0, 1.0),
) -> NestedBeta:
    """Return the posterior from the counts of fully followed visitors.

    Args:
        visitors: followed for the whole window.
        first: of these, with a first conversion.
        second: of those, with a second one.
        first_weight: worth of a first conversion.
        second_weight: worth of a second one.
        first_prior: parameters of the beta prior of the first conversion's rate; with
            (a, b + c) here and (b, c) for repeats the prior is Dirichlet's.
        repeat_prior: the same for the rate of second conversions among customers.

    Raises:
        ValueError: not second <= first <= visitors, or a prior that is not positive.
    """
    if not 0 <= second <= first <= visitors:
        raise ValueError(f"{second} <= {first} <= {visitors} does not hold")
    if min(*first_prior, *repeat_prior) <= 0:
        raise ValueError("the parameters of a beta prior must be positive")
    return NestedBeta(
        first=(first_prior[0] + first, first_prior[1] + visitors - first),
        repeat=(repeat_prior[0] + second, repeat_prior[1] + first - second),
        first_weight=first_weight,
        second_weight=second_weight,
    )


def compare_nested_beta(
    control: NestedBeta, treatment: NestedBeta, *, alpha: float
) -> BayesianResult:
    """Compare a treatment with the control by quadrature, without random numbers.

    Raises:
        ValueError: a negative weight, or no positive one.
    """
    arms = (control, treatment)
    weights = [w for arm in arms for w in (arm.first_weight, arm.second_weight)]
    if min(weights) < 0 or not (max(weights[:2]) > 0 and max(weights[2:]) > 0):
        raise ValueError(f"weights {weights} must not be negative, nor all zero")
    edges = np.concatenate([a.mean + math.sqrt(a.variance) * _EDGES for a in arms])
    largest = max(a.first_weight + a.second_weight for a in arms)
    edges = np.sort(np.append(edges.clip(0.0, largest), largest))
    half = np.diff(edges)[:, None] / 2
    x = (edges[:-1, None] + half * (1 + _NODES)).ravel()
    dx = (half * _WEIGHTS).ravel()
    below_control, below_treatment = (arm.distribution(x) for arm in arms)
    density = treatment.density(x) * dx
    wins = min(1.0, float(density @ below_control))

    def wins_by(difference: float) -> float:
        """Return the probability that the treatment is better by more than this."""
        return float(density @ control.distribution(x - difference))

    return BayesianResult(
        probability_to_be_best=wins,
        probability_to_beat_control=wins,
        expected_loss=float((below_treatment * (1 - below_control)) @ dx),
        expected_loss_of_control=float((below_control * (1 - below_treatment)) @ dx),
        credible_interval=Interval(
            lower=brentq(lambda d: wins_by(d) - 1 + alpha / 2, -largest, largest),
            upper=brentq(lambda d: wins_by(d) - alpha / 2, -largest, largest),
        ),
        prior="beta",
    )


def _moments(a: float, b: float) -> tuple[float, float]:
    """Return a beta distribution's mean and mean square."""
    mean = a / (a + b)
    return mean, mean * (a + 1) / (a + b + 1)
