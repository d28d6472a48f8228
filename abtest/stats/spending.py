"""Group sequential bounds: how much error may be spent at each look."""

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import assert_never

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, roots_legendre

Vector = NDArray[np.float64]

LARGEST_BOUND = 8.0
"""|z| beyond this has probability 1e-15: no double can spend less."""

_FEWEST_NODES, _MOST_NODES = 20, 400

_NEXT_TO_NOTHING = 1e-14
"""More than this is spent before `LARGEST_BOUND`."""

_LARGEST_STEP = 6.0

_NEARLY = 1e-7
"""Newton's next step after one that is smaller would be the square of it."""

_ROOT_2_PI = math.sqrt(2 * math.pi)


class Spending(StrEnum):
    """How alpha is spread over the information."""

    OBRIEN_FLEMING = "obrien_fleming"
    POCOCK = "pocock"
    POWER = "power"


def spent_alpha(
    fraction: float, *, alpha: float, spending: Spending, rho: float
) -> float:
    """Return the two-sided error spent once `fraction` of the information is in.

    O'Brien-Fleming type 4(1 - Phi(z_{alpha/4} / sqrt t)), Pocock type
    alpha ln(1 + (e - 1) t), power family alpha t^rho. From 100 % on, all of it.

    References:
        Lan, DeMets: Discrete sequential boundaries for clinical trials (1983),
        https://doi.org/10.1093/biomet/70.3.659
    """
    t = min(1.0, fraction)
    match spending:
        case Spending.OBRIEN_FLEMING:
            return float(4 * ndtr(ndtri(alpha / 4) / math.sqrt(t)))
        case Spending.POCOCK:
            return alpha * math.log1p((math.e - 1) * t)
        case Spending.POWER:
            return alpha * float(t**rho)
    assert_never(spending)


def spending_bounds(
    fractions: tuple[float, ...],
    *,
    alpha: float,
    spending: Spending = Spending.OBRIEN_FLEMING,
    rho: float = 2.0,
    is_ended: bool = False,
) -> tuple[float, ...]:
    """Return the two-sided bound on |z| for each look.

    Args:
        fractions: information at each look / planned information, rising. The last
            may pass 1: everything is spent there, and its correlation with the
            earlier looks is that of the information it really has.
        alpha: two-sided error over all looks together.
        spending: the family.
        rho: exponent of the power family.
        is_ended: the last look is the scheduled end: spend the rest there, however
            little information has come in.

    Raises:
        ValueError: fractions are empty, not rising, not positive, or more than the
            last one reaches 1; alpha is not between 0 and 1.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}; it must lie between 0 and 1")
    if not fractions or max(fractions[:-1], default=0.0) >= 1:
        raise ValueError(f"fractions are {fractions}; only the last may reach 1")
    if not all(earlier < later for earlier, later in pairwise((0.0, *fractions))):
        raise ValueError(f"fractions are {fractions}; they must rise from above 0")
    spent = [spent_alpha(t, alpha=alpha, spending=spending, rho=rho) for t in fractions]
    if is_ended:
        spent[-1] = alpha
    return bounds(fractions, tuple(spent))


@lru_cache(maxsize=1024)
def bounds(times: tuple[float, ...], spent: tuple[float, ...]) -> tuple[float, ...]:
    """Return the bounds at which a Brownian motion has crossed with these errors.

    The density of the motion that has not yet crossed is carried from look to look
    (Armitage, McPherson, Rowe 1969, https://doi.org/10.2307/2343787). It is even, so
    half of it is kept, on Gauss-Legendre nodes between 0 and the bound: inside the
    bounds it is analytic, and as many nodes as are taken here are exact to 1e-11,
    however near each other the looks are.

    Args:
        times: variances of the motion, rising.
        spent: probability of having crossed by each time, not falling.
    """
    found = [_first_bound(spent[0])]
    steps = [math.sqrt(after - before) for before, after in pairwise(times)]
    edge = found[0] * math.sqrt(times[0])
    x, weight = _nodes(edge, min(steps[:1], default=edge))
    mass = weight * _normal_density(x, math.sqrt(times[0]))
    for i, (known, total) in enumerate(pairwise(spent)):
        sd, scale = steps[i], math.sqrt(times[i + 1])
        crossing = _Crossing(
            x=np.concatenate([x, -x]) / sd, mass=np.tile(mass, 2), scale=scale / sd
        )
        found.append(crossing.bound(total - known, near=edge / scale))
        if i + 1 < len(steps):
            edge = found[-1] * scale
            y, weight = _nodes(edge, min(sd, steps[i + 1]))
            apart, across = np.subtract.outer(y, x), np.add.outer(y, x)
            step = _normal_density(apart, sd) + _normal_density(across, sd)
            x, mass = y, weight * (step @ mass)
    return tuple(found)


def _first_bound(error: float) -> float:
    return float(min(LARGEST_BOUND, -ndtri(error / 2)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Crossing:
    """How probable it is to be beyond a bound after one more step.

    Attributes:
        x: where the motion may stand before it, on either side, in standard deviations
            of the step.
        mass: probabilities of standing there.
        scale: the motion's standard deviation after the step, in those of the step.
    """

    x: Vector
    mass: Vector
    scale: float

    def probability(self, z: float) -> float:
        """Return the probability to be beyond +-z standard deviations."""
        return float(2 * np.dot(self.mass, ndtr(self.x - z * self.scale)))

    def bound(self, error: float, *, near: float) -> float:
        """Return the bound that is crossed with the given probability.

        By Newton's method on the logarithm: it is concave, so that the method ends.

        Args:
            error: probability.
            near: where the search begins.
        """
        if error < _NEXT_TO_NOTHING and self.probability(LARGEST_BOUND) >= error:
            return LARGEST_BOUND
        z, wanted = min(near, LARGEST_BOUND), math.log(error)
        while True:
            away = self.x - z * self.scale
            beyond = float(np.dot(self.mass, ndtr(away)))
            density = float(np.dot(self.mass, np.exp(-(away**2) / 2))) * self.scale
            change = (math.log(2 * beyond) - wanted) * beyond * _ROOT_2_PI / density
            # Coming from below it would jump to where the logarithm has no digits.
            change = min(change, _LARGEST_STEP / self.scale)
            following = min(max(z + change, 0.0), LARGEST_BOUND)
            if abs(following - z) < _NEARLY:
                return following
            z = following


def _normal_density(x: Vector, sd: float) -> Vector:
    return np.exp((x / sd) ** 2 / -2) / (sd * _ROOT_2_PI)


def _nodes(edge: float, sd: float) -> tuple[Vector, Vector]:
    """Return Gauss-Legendre nodes and weights on [0, edge] for steps of this size."""
    needed = min(_FEWEST_NODES + 1.6 * edge / sd, _MOST_NODES)
    x, weight = _legendre(8 * math.ceil(needed / 8))
    return (x + 1) * (edge / 2), weight * (edge / 2)


@lru_cache(maxsize=64)
def _legendre(number: int) -> tuple[Vector, Vector]:
    x, weight = roots_legendre(number)
    return np.asarray(x), np.asarray(weight)
