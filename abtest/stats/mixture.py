"""Always-valid inference: the two-sided normal mixture, in all its parametrisations."""

import math

from abtest.stats.results import Interval


def normal_mixture_bound(v: float, v_opt: float, *, alpha: float) -> float:
    """Return the bound that a sum with variance `v` never crosses, at any time.

    sqrt((v + rho) ln((v + rho) / (rho alpha^2))), tightest where v = v_opt.

    References:
        Howard et al.: Time-uniform, nonparametric, nonasymptotic confidence
        sequences (2021), https://arxiv.org/abs/1810.08240
    """
    rho = v_opt / _optimal_ratio(alpha)
    return math.sqrt((v + rho) * (math.log1p(v / rho) - 2 * math.log(alpha)))


def mixture_half_width(standard_error: float, *, tau: float, alpha: float) -> float:
    """Return half the width of the confidence sequence at this look.

    se sqrt((1 + 1/x) (2 ln(1/alpha) + ln(1 + x))) with x = tau^2 / se^2.

    Args:
        standard_error: of the effect, at this look.
        tau: standard deviation of the mixture, in units of the effect: the smallest
            effect worth finding.
        alpha: error over all looks that will ever be made.

    References:
        Waudby-Smith et al.: Time-uniform central limit theory and asymptotic
        confidence sequences, https://arxiv.org/abs/2103.06476
    """
    x = _ratio(standard_error, tau)
    widening = (1 + 1 / x) * (math.log1p(x) - 2 * math.log(alpha))
    return standard_error * math.sqrt(widening)


def mixture_interval(
    effect: float, standard_error: float, *, tau: float, alpha: float
) -> Interval:
    """Return the interval that holds the true effect at all looks at once."""
    half = mixture_half_width(standard_error, tau=tau, alpha=alpha)
    return Interval(lower=effect - half, upper=effect + half)


def mixture_p_value(effect: float, standard_error: float, *, tau: float) -> float:
    """Return the always-valid p-value; below alpha when the interval excludes zero.

    sqrt(1 + x) exp(-z^2 x / (2 (1 + x))), at most 1.

    References:
        Johari et al.: Peeking at A/B tests (2017),
        https://doi.org/10.1145/3097983.3097992
    """
    x = _ratio(standard_error, tau)
    z = effect / standard_error
    return math.exp(min(0.0, math.log1p(x) / 2 - z**2 * x / (2 * (1 + x))))


def _optimal_ratio(alpha: float) -> float:
    return -2 * math.log(alpha) + math.log1p(-2 * math.log(alpha))


def _ratio(standard_error: float, tau: float) -> float:
    if standard_error <= 0 or tau <= 0:
        raise ValueError(
            f"standard_error {standard_error} and tau {tau} must be positive"
        )
    return (tau / standard_error) ** 2
