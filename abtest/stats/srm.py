"""Sample ratio mismatch: did the variants get the shares of traffic they should?"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, gammaln

from abtest.stats.results import NotEstimable, Reason

Phase = tuple[Sequence[int], Sequence[float]]
"""Visitors of each variant who came while one split was in force, and the split."""

CONCENTRATION = 1000.0
"""How close to the planned split the alternative is: 1.6 percentage points at 50/50."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """Evidence against the planned split, over all phases.

    Attributes:
        visitors: in all phases and variants.
        e_value: may be looked at daily; 1 / e_value bounds the chance of a false alarm
            ever. Values beyond the range of floats stay at its end.
        log10_e_value: the same without an end.
        p_value: chi-square, for one look; NO_VISITORS, or NOT_APPLICABLE when a single
            variant gets everybody.
        observed: shares of the visitors.
        expected: shares planned, phases weighed by their visitors.
    """

    visitors: int
    e_value: float
    log10_e_value: float
    p_value: float | NotEstimable
    observed: tuple[float, ...]
    expected: tuple[float, ...]


def check_phases(phases: Sequence[Phase]) -> SampleRatio | NotEstimable:
    """Check all phases together, each against its own split.

    E-values of phases multiply, chi-squares and their degrees of freedom add up.

    Returns:
        NO_VISITORS while nobody has come.

    Raises:
        ValueError: impossible counts or shares, or phases of differing length.
    """
    visitors = sum(sum(counts) for counts, _ in phases)
    if not visitors:
        return NotEstimable(Reason.NO_VISITORS)
    log10 = sum(log10_e_value(counts, shares) for counts, shares in phases)
    read = [_read(counts, shares) for counts, shares in phases]
    observed = np.sum([n for n, _ in read], axis=0)
    expected = np.sum([n.sum() * w for n, w in read], axis=0)
    return SampleRatio(
        visitors=visitors,
        e_value=_from_log10(log10),
        log10_e_value=log10,
        p_value=_p_value(phases),
        observed=tuple((observed / visitors).tolist()),
        expected=tuple((expected / visitors).tolist()),
    )


def e_value(
    counts: Sequence[int],
    shares: Sequence[float],
    *,
    concentration: float = CONCENTRATION,
) -> float:
    """Return the evidence against the planned split; see `log10_e_value`."""
    return _from_log10(log10_e_value(counts, shares, concentration=concentration))


def log10_e_value(
    counts: Sequence[int],
    shares: Sequence[float],
    *,
    concentration: float = CONCENTRATION,
) -> float:
    """Return log10 of the evidence against the planned split.

    The likelihood of the counts when the split itself is random, Dirichlet around the
    plan, over their likelihood under the plan. Under the plan it exceeds x ever, in
    however many looks, with probability 1 / x at most.

    Args:
        counts: visitors of each variant.
        shares: planned shares, in any unit.
        concentration: of the Dirichlet distribution; larger is nearer to the plan.

    Returns:
        Infinity when a variant without a share has visitors.

    Raises:
        ValueError: a negative count or share, no positive share, differing lengths.

    References:
        Lindon and Malek: Anytime-valid inference for multinomial count data (2022),
        https://arxiv.org/abs/2011.03567
    """
    n, w = _read(counts, shares)
    if n[w == 0].any():
        return math.inf
    n, w = n[w > 0], w[w > 0]
    k = concentration
    log_e = gammaln(k) - gammaln(k + n.sum())
    log_e += (gammaln(k * w + n) - gammaln(k * w) - n * np.log(w)).sum()
    return float(log_e) / math.log(10)


def chi_square_p_value(
    counts: Sequence[int], shares: Sequence[float]
) -> float | NotEstimable:
    """Return the p-value of Pearson's test of the planned split, for one look.

    Returns:
        NO_VISITORS, or NOT_APPLICABLE when a single variant gets everybody.

    Raises:
        ValueError: a negative count or share, no positive share, differing lengths.
    """
    return _p_value([(counts, shares)])


def _p_value(phases: Sequence[Phase]) -> float | NotEstimable:
    """Add up the chi-squares of the phases that have visitors."""
    chi_square = 0.0
    degrees = 0
    visitors = 0.0
    for counts, shares in phases:
        n, w = _read(counts, shares)
        if n[w == 0].any():
            return 0.0
        expected = n.sum() * w[w > 0]
        if n.sum():
            chi_square += float(((n[w > 0] - expected) ** 2 / expected).sum())
            degrees += expected.size - 1
        visitors += n.sum()
    if not visitors:
        return NotEstimable(Reason.NO_VISITORS)
    if not degrees:
        return NotEstimable(Reason.NOT_APPLICABLE)
    return float(chdtrc(degrees, chi_square))


def _read(
    counts: Sequence[int], shares: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return counts and shares as arrays, the shares adding up to 1."""
    n, w = np.array(counts, dtype=np.float64), np.array(shares, dtype=np.float64)
    if n.shape != w.shape or (n < 0).any() or (w < 0).any() or not w.sum() > 0:
        raise ValueError(
            f"counts {counts} and shares {shares} must be equally many and not "
            "negative, and a share positive"
        )
    return n, w / w.sum()


def _from_log10(log10: float) -> float:
    """Return 10 to the power, kept within the range of floats."""
    least, most = sys.float_info.min_10_exp, sys.float_info.max_10_exp
    return math.pow(10.0, min(max(log10, least), most))
