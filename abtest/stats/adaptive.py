"""Adaptive allocation: send more visitors to variants that are probably best."""

from collections.abc import Sequence

from abtest.stats.bayesian import compare_all
from abtest.stats.results import NotEstimable, ValueEstimate


def thompson_shares(
    estimates: Sequence[ValueEstimate | NotEstimable], *, minimum_share: float
) -> tuple[float, ...] | NotEstimable:
    """Return the shares of the next visitors: the probability of being best.

    The estimates are the delay-corrected weighted values: second conversions still to
    come are missing data there, not failures, and widen the posterior instead of
    lowering it. The probabilities come from quadrature, not from draws: the same data
    give the same shares. Part of the traffic is split evenly, so that no variant
    starves and each day has visitors of all of them; the analysis afterwards has to be
    stratified by day.

    Args:
        estimates: one for each variant.
        minimum_share: that every variant keeps.

    Returns:
        Shares that add up to 1, or the reason why the present ones must stay.

    Raises:
        ValueError: the minimum shares alone take more than all.

    References:
        Russo et al.: A tutorial on Thompson sampling (2018),
        https://arxiv.org/abs/1707.02038
    """
    reserved = minimum_share * len(estimates)
    if not 0 < reserved <= 1:
        raise ValueError(
            f"minimum_share is {minimum_share}; positive, and at most 1 in all"
        )
    for estimate in estimates:
        if isinstance(estimate, NotEstimable):
            return estimate
    shares: list[float] = []
    for result in compare_all(estimates, alpha=0.05):
        if isinstance(result, NotEstimable):
            return result
        shares.append(minimum_share + (1 - reserved) * result.probability_to_be_best)
    return tuple(shares)
