"""Several tests at once: Dunnett against one control, Holm, Benjamini-Hochberg."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, roots_legendre
from statsmodels.stats.multitest import fdrcorrection

from abtest.stats.results import NotEstimable

Vector = NDArray[np.float64]
Gap = TypeVar("Gap", bound=NotEstimable | None)
"""What stands where a test could not be made; it is handed back untouched."""

_LARGEST = 8.5
"""The normal density beyond it is 1e-16."""


def dunnett_critical_value(
    control_variance: float, treatment_variances: Sequence[float], *, alpha: float
) -> float:
    """Return the bound on |z| for several treatments against one control.

    Args:
        control_variance: of the control's estimated mean.
        treatment_variances: of each treatment's estimated mean.
        alpha: probability that any true null hypothesis is rejected.

    Raises:
        ValueError: no treatment, or a variance that is not positive.

    References:
        Dunnett: A multiple comparison procedure for comparing several treatments
        with a control (1955), https://doi.org/10.1080/01621459.1955.10501294
    """
    lambdas = _lambdas(control_variance, treatment_variances)
    return float(
        brentq(
            lambda c: _exceeds(c, lambdas) - alpha,
            -ndtri(alpha / 2) - 1e-6,
            -ndtri(alpha / 2 / len(lambdas)) + 1e-6,
            xtol=1e-12,
        )
    )


def dunnett_adjusted_p_values(
    statistics: Sequence[float | Gap],
    control_variance: float,
    treatment_variances: Sequence[float],
) -> tuple[float | Gap, ...]:
    """Return each treatment's p-value, corrected for having tested all of them.

    Args:
        statistics: z of each treatment against the control, or a gap.
        control_variance: of the control's estimated mean.
        treatment_variances: one for each statistic; those of gaps are not read.

    Raises:
        ValueError: lengths differ, or a variance that is needed is not positive.
    """
    tested = [
        v
        for z, v in zip(statistics, treatment_variances, strict=True)
        if isinstance(z, (int, float))
    ]
    if not tested:
        return tuple(statistics)
    lambdas = _lambdas(control_variance, tested)
    return tuple(
        _exceeds(abs(z), lambdas) if isinstance(z, (int, float)) else z
        for z in statistics
    )


def holm(p_values: Sequence[float | Gap]) -> tuple[float | Gap, ...]:
    """Return p-values corrected by Holm: controls any false alarm, any dependence.

    Written out because statsmodels' `multipletests` collects all garbage of the
    process in each call, which takes longer than a whole report.

    References:
        Holm: A simple sequentially rejective multiple test procedure (1979),
        https://www.jstor.org/stable/4615733
    """
    return _filled(p_values, _holm)


def benjamini_hochberg(p_values: Sequence[float | Gap]) -> tuple[float | Gap, ...]:
    """Return p-values corrected for the share of false finds, for explorations."""
    return _filled(p_values, lambda found: fdrcorrection(found)[1])


def _holm(p_values: Vector) -> Vector:
    order = np.argsort(p_values)
    corrected = np.empty_like(p_values)
    scaled = p_values[order] * np.arange(p_values.size, 0, -1)
    corrected[order] = np.minimum(1, np.maximum.accumulate(scaled))
    return corrected


def _filled(
    p_values: Sequence[float | Gap], correct: Callable[[Vector], Vector]
) -> tuple[float | Gap, ...]:
    """Correct what is there and leave the gaps."""
    found = np.array([p for p in p_values if isinstance(p, (int, float))])
    if not found.size:
        return tuple(p_values)
    corrected = iter(correct(found))
    return tuple(
        float(next(corrected)) if isinstance(p, (int, float)) else p for p in p_values
    )


def _lambdas(control: float, treatments: Sequence[float]) -> Vector:
    """Return lam with corr(z_i, z_j) = lam_i lam_j: the control's part of each z."""
    variances = np.asarray(treatments, dtype=float)
    if not variances.size or not control > 0 or not (variances > 0).all():
        raise ValueError(
            f"variances are {control} and {tuple(treatments)}; there must be a "
            "treatment and all must be positive"
        )
    return np.sqrt(control / (control + variances))


def _exceeds(c: float, lambdas: Vector) -> float:
    """Return P(max |z_j| > c) when no treatment differs from the control.

    Given the control's deviation u the z_j are independent; the integral over u is
    even, so its right half is doubled. Far out, where 1 - integral loses its digits,
    one test's own p-value and Bonferroni's limit hold it.
    """
    u, weight = _normal_nodes()
    # Never 0, beside however uncertain a control.
    own = np.sqrt(np.maximum(1 - lambdas**2, np.finfo(float).eps))
    shared = np.outer(u, lambdas)
    inside = ndtr((c - shared) / own) - ndtr((-c - shared) / own)
    within = 2 * float(np.dot(weight, inside.prod(axis=1)))
    alone = float(2 * ndtr(-c))
    return min(max(1 - within, alone), len(lambdas) * alone, 1.0)


@lru_cache(maxsize=1)
def _normal_nodes() -> tuple[Vector, Vector]:
    """Return nodes on [0, 8.5] and weights that hold the normal density.

    400 of them resolve a control that has a thousandth of a treatment's visitors.
    """
    x, weight = roots_legendre(400)
    u = (np.asarray(x) + 1) * (_LARGEST / 2)
    density = np.exp(-(u**2) / 2) / math.sqrt(2 * math.pi)
    return u, np.asarray(weight) * (_LARGEST / 2) * density
