"""The exact posterior of the weighted value when everybody has been followed."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.polynomial.chebyshev import chebpts1, chebval, chebvander
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

_POINTS = chebpts1(24)
_TO_COEFFICIENTS = np.linalg.inv(chebvander(_POINTS, 23))

_SMOOTH = 25.0
"""Parameters of a beta distribution from which on it has no corners that matter."""


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
        mixture = _mixture(self)
        share = mixture.share(value).clip(0.0, 1.0)
        distribution: Vector = betainc(*mixture.inner, share) @ mixture.weights
        return distribution

    def density(self, value: Vector) -> Vector:
        """Return the density of the value per visitor."""
        mixture = _mixture(self)
        a, b = mixture.inner
        share = mixture.share(value)
        inside = (share >= 0) & (share < 1)
        share = np.where(inside, share, 0.5)
        log_density = xlogy(a - 1, share) + xlog1py(b - 1, -share) - betaln(a, b)
        density: Vector = np.where(inside, np.exp(log_density), 0.0) @ (
            mixture.weights * mixture.scale
        )
        return density


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Mixture:
    """The value given one of the two rates, taken at normal scores of the other one.

    Attributes:
        inner: parameters of the rate that spreads the value more: its distribution is
            exact, and wide enough to fill the gaps between the scores.
        scale, shift: value x scale + shift is that rate, for each score.
        weights: probabilities of the scores.
    """

    inner: tuple[float, float]
    scale: Vector
    shift: float
    weights: Vector

    def share(self, value: Vector) -> Vector:
        """Return the inner rate that gives each value at each score."""
        return value[:, None] * self.scale + self.shift


@lru_cache(maxsize=64)
def _mixture(arm: NestedBeta) -> _Mixture:
    """Decide which rate is taken at its scores."""
    weights = np.exp(-(_SCORES**2) / 2)
    weights /= weights.sum()
    (p, p2), (r, r2) = _moments(*arm.first), _moments(*arm.repeat)
    worth = arm.first_weight + arm.second_weight * r
    spread_of_repeat = arm.second_weight * math.sqrt(r2 - r**2) / worth
    if math.sqrt(p2 - p**2) / p >= spread_of_repeat:
        rate = betaincinv(*arm.repeat, ndtr(_SCORES))
        return _Mixture(
            inner=arm.first,
            scale=1 / (arm.first_weight + arm.second_weight * rate),
            shift=0.0,
            weights=weights,
        )
    share = betaincinv(*arm.first, ndtr(_SCORES))
    return _Mixture(
        inner=arm.repeat,
        scale=1 / (share * arm.second_weight),
        shift=-arm.first_weight / arm.second_weight,
        weights=weights,
    )


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
    control_curve, treatment_curve = (_curve(arm) for arm in arms)
    below_control, below_treatment = control_curve(x), treatment_curve(x)
    density = treatment.density(x) * dx
    wins = min(1.0, float(density @ below_control))

    def wins_by(difference: float) -> float:
        """Return the probability that the treatment is better by more than this."""
        return float(density @ control_curve(x - difference))

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


def _curve(arm: NestedBeta) -> Callable[[Vector], Vector]:
    """Return the distribution function; from a table where it is smooth.

    Finding the limits of an interval asks for it fifty times at hundreds of points.
    """
    if min(_mixture(arm).inner) < _SMOOTH:
        return arm.distribution
    edges, coefficients = _table(arm)

    def curve(value: Vector) -> Vector:
        piece = np.searchsorted(edges, value, side="right").clip(1, edges.size - 1)
        low, high = edges[piece - 1], edges[piece]
        place = ((2 * value - low - high) / (high - low)).clip(-1.0, 1.0)
        found: Vector = chebval(place, coefficients[:, piece - 1], tensor=False)
        return np.where(value < edges[0], 0.0, found.clip(0.0, 1.0))

    return curve


@lru_cache(maxsize=64)
def _table(arm: NestedBeta) -> tuple[Vector, Vector]:
    """Return edges, and the distribution function's Chebyshev series between them."""
    largest = arm.first_weight + arm.second_weight
    edges = np.unique((arm.mean + math.sqrt(arm.variance) * _EDGES).clip(0.0, largest))
    half = np.diff(edges)[:, None] / 2
    points = edges[:-1, None] + half * (1 + _POINTS)
    values = arm.distribution(points.ravel()).reshape(points.shape)
    return edges, _TO_COEFFICIENTS @ values.T


def _moments(a: float, b: float) -> tuple[float, float]:
    """Return a beta distribution's mean and mean square."""
    mean = a / (a + b)
    return mean, mean * (a + 1) / (a + b + 1)
