"""How probable it is that a variant is the best, and what a wrong choice costs.

Nothing here may stop an experiment: these numbers are not corrected for looking often.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr, ndtri, roots_legendre

from abtest.stats.results import (
    BayesianResult,
    Interval,
    NotEstimable,
    Reason,
    ValueEstimate,
)

Vector = NDArray[np.float64]

_EDGES = np.arange(-9.0, 10.0, 3.0)
"""Where integrals over a normal density are cut, in standard deviations."""

_NODES, _WEIGHTS = roots_legendre(12)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftPrior:
    """What is believed of every lift before the experiment: a normal distribution."""

    mean: float = 0.0
    standard_deviation: float = 0.3

    def __post_init__(self) -> None:
        if not self.standard_deviation > 0:
            raise ValueError(f"{self} must have a positive standard deviation")

    def __str__(self) -> str:
        return f"lift ~ normal({self.mean:g}, {self.standard_deviation:g})"


def compare_all(
    estimates: Sequence[ValueEstimate | NotEstimable],
    *,
    alpha: float,
    prior: LiftPrior | None = None,
) -> tuple[BayesianResult | NotEstimable, ...]:
    """Compare all variants, each mean being normal around its estimate.

    Args:
        estimates: the control first.
        alpha: the credible interval leaves out alpha / 2 on either side.
        prior: of each treatment's lift, in units of the control's estimated mean;
            None is a flat prior. Several treatments have independent priors.

    Returns:
        For each variant its result; the control never beats itself, and its difference
        from itself is exactly 0. Or why there is none: the variant's own reason,
        NO_VARIANCE, NOT_POSITIVE (a lift needs a positive control), NOT_APPLICABLE
        (nobody to compare with). What the control lacks, all lack.

    References:
        Gelman et al.: Bayesian data analysis (2013), ch. 2 and 5,
        https://doi.org/10.1201/b16018
    """
    usable = [_usable(estimate) for estimate in estimates]
    control = usable[0]
    if isinstance(control, ValueEstimate) and prior is not None and control.mean <= 0:
        control = NotEstimable(Reason.NOT_POSITIVE)
    if isinstance(control, NotEstimable):
        return tuple(e if isinstance(e, NotEstimable) else control for e in usable)
    treatments = [e for e in usable[1:] if isinstance(e, ValueEstimate)]
    if not treatments:
        refused = [e for e in usable if isinstance(e, NotEstimable)]
        return (NotEstimable(Reason.NOT_APPLICABLE), *refused)
    posterior = _Posterior.of(control, treatments, prior)
    best, loss = posterior.best_and_loss()
    quantile = -ndtri(alpha / 2)
    means = np.array([0.0, *posterior.difference])
    sds = np.array([0.0, *posterior.difference_sd])
    beats = (0.0, *ndtr(means[1:] / sds[1:]).tolist())
    results = (
        BayesianResult(
            probability_to_be_best=min(float(best[i]), 1.0),
            probability_to_beat_control=beats[i],
            expected_loss=float(loss[i]),
            expected_loss_of_control=float(loss[0]),
            credible_interval=Interval(
                lower=float(means[i] - quantile * sds[i]),
                upper=float(means[i] + quantile * sds[i]),
            ),
            prior="flat" if prior is None else str(prior),
        )
        for i in range(len(means))
    )
    return tuple(e if isinstance(e, NotEstimable) else next(results) for e in usable)


def _usable(estimate: ValueEstimate | NotEstimable) -> ValueEstimate | NotEstimable:
    """Refuse an estimate without variance: it would be certain of itself."""
    if isinstance(estimate, ValueEstimate) and estimate.variance <= 0:
        return NotEstimable(Reason.NO_VARIANCE)
    return estimate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Posterior:
    """The control's mean, and the treatments' given it.

    Given that the control's mean is x, a treatment's is normal around intercept +
    slope x. With a flat prior the slopes are 0: all variants are independent.
    """

    control: float
    control_sd: float
    intercepts: Vector
    slopes: Vector
    sds: Vector

    @classmethod
    def of(
        cls,
        control: ValueEstimate,
        treatments: Sequence[ValueEstimate],
        prior: LiftPrior | None,
    ) -> "_Posterior":
        """Combine estimates and prior.

        With y_j, v_j the treatments' estimates, and the prior N(m, t^2) of their
        differences from the control, y_j - m is an observation of the control with
        variance v_j + t^2, and given the control the prior keeps the share
        k = t^2 / (v_j + t^2) of what y_j says.
        """
        y = np.array([treatment.mean for treatment in treatments])
        v = np.array([treatment.variance for treatment in treatments])
        if prior is None:
            return cls(
                control=control.mean,
                control_sd=math.sqrt(control.variance),
                intercepts=y,
                slopes=np.zeros_like(y),
                sds=np.sqrt(v),
            )
        m = prior.mean * control.mean
        t2 = (prior.standard_deviation * control.mean) ** 2
        k = t2 / (v + t2)
        precision = 1 / control.variance + (1 / (v + t2)).sum()
        mean = control.mean / control.variance + ((y - m) / (v + t2)).sum()
        return cls(
            control=float(mean / precision),
            control_sd=math.sqrt(1 / precision),
            intercepts=(1 - k) * m + k * y,
            slopes=1 - k,
            sds=np.sqrt(k * v),
        )

    @property
    def difference(self) -> Vector:
        """Mean of each treatment minus control."""
        return self.intercepts + (self.slopes - 1) * self.control

    @property
    def difference_sd(self) -> Vector:
        """Standard deviation of each treatment minus control."""
        sd: Vector = np.hypot(self.sds, (self.slopes - 1) * self.control_sd)
        return sd

    def best_and_loss(self) -> tuple[Vector, Vector]:
        """Return each variant's probability to be best and its expected loss."""
        if not self.slopes.any():
            means = np.array([[self.control, *self.intercepts]])
            best, loss = _compete(means, np.array([self.control_sd, *self.sds]))
            return best[0], loss[0]
        # Cut the control's density also where a treatment ties with it.
        # A prior may leave so little of the data that a treatment never ties.
        kept = np.maximum(1 - self.slopes, np.finfo(float).eps)
        ties, widths = self.intercepts / kept, self.sds / kept
        own = self.control + self.control_sd * _EDGES
        cuts = (ties + np.multiply.outer(_EDGES, widths)).ravel()
        x, weights = _nodes(np.append(own, cuts.clip(own[0], own[-1]))[None])
        weights = weights[0] * _density((x[0] - self.control) / self.control_sd)
        best, loss = _compete(
            self.intercepts + np.multiply.outer(x[0], self.slopes), self.sds, x[0]
        )
        return weights @ best / self.control_sd, weights @ loss / self.control_sd


def _compete(
    means: Vector, sds: Vector, known: Vector | None = None
) -> tuple[Vector, Vector]:
    """Let independent normals compete for the largest value, row by row.

    The probability to be it is the integral of a density times the others'
    distribution functions, the expected distance to it that of the own distribution
    function times (1 - the product of the others').

    Args:
        means: rows x competitors.
        sds: of the competitors, in all rows.
        known: for each row the value of one more competitor, without uncertainty.

    Returns:
        Probability and distance, rows x competitors; the known one comes first.
    """
    edges = (means[..., None] + sds[:, None] * _EDGES).reshape(len(means), -1)
    if known is not None:
        edges = np.column_stack([edges, known])
    x, weights = _nodes(edges)
    z = (x[:, None] - means[..., None]) / sds[:, None]
    log_cdf = log_ndtr(z)
    others = log_cdf.sum(axis=1, keepdims=True) - log_cdf
    if known is not None:
        below = (x < known[:, None])[:, None]
        others = np.where(below, -np.inf, others)
    best = np.exp(others) * _density(z) / sds[:, None] @ weights[..., None]
    loss = np.exp(log_cdf) * -np.expm1(others) @ weights[..., None]
    if known is None:
        return best[..., 0], loss[..., 0]
    gain = np.where(below[:, 0], 0.0, -np.expm1(log_cdf.sum(axis=1)))
    ahead = ndtr((known[:, None] - means) / sds).prod(axis=1)
    return (
        np.column_stack([ahead, best[..., 0]]),
        np.column_stack([(gain * weights).sum(axis=1), loss[..., 0]]),
    )


def _nodes(edges: Vector) -> tuple[Vector, Vector]:
    """Return places and weights of Gauss and Legendre between the edges of each row."""
    edges = np.sort(edges, axis=1)
    half = np.diff(edges, axis=1)[..., None] / 2
    places = edges[:, :-1, None] + half * (1 + _NODES)
    weights = half * _WEIGHTS
    return places.reshape(len(edges), -1), weights.reshape(len(edges), -1)


def _density(z: Vector) -> Vector:
    """Return the standard normal density."""
    density: Vector = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return density
