"""Two-sided tests of "no difference" and the intervals that agree with them."""

import math
from dataclasses import replace
from enum import StrEnum

from scipy.special import ndtr, ndtri, stdtr, stdtrit

from abtest.stats.results import (
    FrequentistResult,
    Interval,
    JointEstimate,
    NotEstimable,
    Reason,
    ValueEstimate,
)

BALANCED_SHARE = 0.3
"""A split of 70/30 or more even needs no pooled variance."""

ENOUGH_SECOND_CONVERSIONS = 60
"""From here on the smaller arm's own variance is known well enough."""

_LARGEST_LOG = 700.0
"""Of what can be written as a number."""


class Method(StrEnum):
    """Which variance and which distribution a test used."""

    WELCH = "welch"
    NORMAL = "normal"
    POOLED_VARIANCE = "pooled_variance"
    AVERAGED_VARIANCE = "averaged_variance"
    POOLED_PROPORTIONS = "pooled_proportions"


def compare(
    control: ValueEstimate | NotEstimable,
    treatment: ValueEstimate | NotEstimable,
    *,
    alpha: float,
    critical_value: float | None = None,
) -> FrequentistResult | NotEstimable:
    """Test treatment minus control: Welch's t when all is mature, normal otherwise.

    Both intervals, of the difference and of the lift, hold the values that the same
    test does not reject: they exclude zero exactly when p < alpha. An arm whose
    visitors are all alike cannot tell its own error and borrows the pooled variance;
    when that is so in both arms nothing can be said.

    Args:
        control: a mean and the variance of that mean, in points or minor units.
        treatment: the same unit.
        alpha: two-sided error rate.
        critical_value: replaces the quantile of both intervals, for a weight chosen
            after the start or for a repeated look; the p-value stays that of one test.

    Raises:
        ValueError: alpha does not lie between 0 and 1.

    References:
        https://doi.org/10.1093/biomet/34.1-2.28 (Welch's degrees of freedom)
    """
    if isinstance(control, NotEstimable):
        return control
    if isinstance(treatment, NotEstimable):
        return treatment
    if min(control.visitors, treatment.visitors) < 2:
        return NotEstimable(Reason.TOO_FEW_VISITORS)
    are_alike = (control.variance == 0, treatment.variance == 0)
    if all(are_alike):
        return NotEstimable(Reason.NO_VARIANCE)
    if any(are_alike):
        return _compare_pooled(
            control, treatment, alpha=alpha, critical_value=critical_value
        )
    is_mature = control.is_mature and treatment.is_mature
    return _judge(
        control,
        treatment,
        degrees=_welch_degrees(control, treatment) if is_mature else None,
        alpha=alpha,
        critical_value=critical_value,
        method=Method.WELCH if is_mature else Method.NORMAL,
    )


def compare_pooled_null(
    control: JointEstimate,
    treatment: JointEstimate,
    *,
    first_weight: float,
    second_weight: float,
    alpha: float,
    critical_value: float | None = None,
) -> FrequentistResult | NotEstimable:
    """Test with the variance that both arms share when there is no difference.

    The variance of a single visitor's value is pooled over both arms, each with its
    visitors less one, and divided by each arm's visitors: Student's test when all is
    mature. The intervals put the same variance into the same formulas as `compare`
    does and therefore exclude zero exactly when p < alpha.

    Raises:
        ValueError: alpha does not lie between 0 and 1.

    References:
        https://doi.org/10.1093/biomet/6.1.1 (Student)
    """
    control_value, treatment_value = (
        ValueEstimate(
            visitors=joint.visitors,
            mean=joint.mean(first_weight, second_weight),
            variance=joint.variance(first_weight, second_weight),
            is_mature=joint.is_mature,
        )
        for joint in (control, treatment)
    )
    return _compare_pooled(
        control_value, treatment_value, alpha=alpha, critical_value=critical_value
    )


def compare_averaged(
    control: ValueEstimate, treatment: ValueEstimate, *, alpha: float
) -> FrequentistResult | NotEstimable:
    """Test with the mean of the arms' own variance and of that which they share.

    For an uneven split while visitors are still being followed. A small arm's own
    variance is low together with its estimate, and "worse" is said too often; the
    shared one takes the arms to be alike in when their conversions come, and "better"
    is said too often where the small arm's come later. The mean of both was measured
    to raise about one alarm in twenty in either case (docs/statistics.md, section 3).

    Raises:
        ValueError: alpha does not lie between 0 and 1.
    """
    if min(control.variance, treatment.variance) == 0:
        return _compare_pooled(control, treatment, alpha=alpha, critical_value=None)
    shared = _with_pooled_variance(control, treatment)
    averaged = (
        replace(arm, variance=(arm.variance + pooled.variance) / 2)
        for arm, pooled in zip((control, treatment), shared, strict=True)
    )
    return _judge(
        *averaged,
        degrees=None,
        alpha=alpha,
        critical_value=None,
        method=Method.AVERAGED_VARIANCE,
    )


def needs_pooled_null(
    control_visitors: int, treatment_visitors: int, smaller_arm_second: int
) -> bool:
    """Whether the smaller arm is too small a part to rely on its own variance.

    Args:
        control_visitors: in the control.
        treatment_visitors: in the treatment.
        smaller_arm_second: second conversions in the arm with fewer visitors.
    """
    total = control_visitors + treatment_visitors
    is_uneven = min(control_visitors, treatment_visitors) < BALANCED_SHARE * total
    return is_uneven and smaller_arm_second < ENOUGH_SECOND_CONVERSIONS


def with_floor(
    control: ValueEstimate, treatment: ValueEstimate
) -> tuple[ValueEstimate, ValueEstimate]:
    """Return the estimates with the variance that both share, where that is larger.

    For looks at a very unequal split: a small arm that lacks late conversions by mere
    chance would take its low estimate for precise.
    """
    total = control.visitors + treatment.visitors
    if min(control.visitors, treatment.visitors) >= BALANCED_SHARE * total:
        return control, treatment
    shared = _with_pooled_variance(control, treatment)
    return max((control, treatment), shared, key=lambda pair: _variance(*pair))


def pooled_proportion_test(
    control_count: int,
    control_n: int,
    treatment_count: int,
    treatment_n: int,
    *,
    alpha: float = 0.05,
) -> FrequentistResult | NotEstimable:
    """Test two proportions as the usual online calculators do, for comparison.

    Normal distribution, variance p (1 - p) of both arms taken together.

    Raises:
        ValueError: alpha does not lie between 0 and 1.
    """
    if min(control_n, treatment_n) < 1:
        return NotEstimable(Reason.NO_VISITORS)
    p = (control_count + treatment_count) / (control_n + treatment_n)
    control, treatment = (
        ValueEstimate(
            visitors=n, mean=count / n, variance=p * (1 - p) / n, is_mature=False
        )
        for count, n in ((control_count, control_n), (treatment_count, treatment_n))
    )
    return _judge(
        control,
        treatment,
        degrees=None,
        alpha=alpha,
        critical_value=None,
        method=Method.POOLED_PROPORTIONS,
    )


def fieller_interval(
    control_mean: float,
    control_variance: float,
    treatment_mean: float,
    treatment_variance: float,
    *,
    critical_value: float,
) -> Interval | None:
    """Return the lifts that the test of treatment - (1 + lift) control keeps.

    With D the difference and c the critical value these are the L for which
    (D - L V_A)^2 <= c^2 (s_B^2 + (1 + L)^2 s_A^2), written A L^2 - 2 B L + C <= 0.

    Returns:
        None when the control's mean is not positive or not distinct enough from zero
        for the set to be bounded (Fieller's g >= 1).

    References:
        https://doi.org/10.1111/j.2517-6161.1954.tb00159.x
    """
    c = critical_value
    a = (control_mean - c * math.sqrt(control_variance)) * (
        control_mean + c * math.sqrt(control_variance)
    )
    if control_mean <= 0 or not a > 0:
        return None
    margin = c * math.sqrt(control_variance + treatment_variance)
    difference = treatment_mean - control_mean
    b = control_mean * difference + c**2 * control_variance
    root = c * math.sqrt(a * treatment_variance + treatment_mean**2 * control_variance)
    # One limit is far / a, the other one the product of both, C / A, over the first:
    # its sign is then that of C, which is what decides about zero in the interval of
    # the difference too.
    far = b + math.copysign(root, b)
    if far == 0:
        return Interval(lower=0.0, upper=0.0)
    near = (difference - margin) * (difference + margin) / far
    lower, upper = sorted((far / a, near))
    return Interval(lower=lower, upper=upper)


def log_delta_interval(
    control_mean: float,
    control_variance: float,
    treatment_mean: float,
    treatment_variance: float,
    *,
    critical_value: float,
) -> Interval | None:
    """Return the lift's interval by the delta method on the log of the ratio.

    It may contradict the p-value where Fieller's cannot.

    Returns:
        None when one of the means is not positive; no upper limit when it would be
        larger than any number.
    """
    if control_mean <= 0 or treatment_mean <= 0:
        return None
    log_ratio = math.log(treatment_mean / control_mean)
    half = critical_value * math.sqrt(
        control_variance / control_mean**2 + treatment_variance / treatment_mean**2
    )
    highest = log_ratio + half
    return Interval(
        lower=math.expm1(log_ratio - half),
        upper=math.expm1(highest) if highest < _LARGEST_LOG else None,
    )


def _compare_pooled(
    control: ValueEstimate,
    treatment: ValueEstimate,
    *,
    alpha: float,
    critical_value: float | None,
) -> FrequentistResult | NotEstimable:
    """Give both arms the variance per visitor that they have in common."""
    is_mature = control.is_mature and treatment.is_mature
    return _judge(
        *_with_pooled_variance(control, treatment),
        degrees=control.visitors + treatment.visitors - 2 if is_mature else None,
        alpha=alpha,
        critical_value=critical_value,
        method=Method.POOLED_VARIANCE,
    )


def _with_pooled_variance(
    control: ValueEstimate, treatment: ValueEstimate
) -> tuple[ValueEstimate, ValueEstimate]:
    per_visitor = sum(
        arm.variance * arm.visitors * (arm.visitors - 1) for arm in (control, treatment)
    ) / (control.visitors + treatment.visitors - 2)
    return (
        replace(control, variance=per_visitor / control.visitors),
        replace(treatment, variance=per_visitor / treatment.visitors),
    )


def _variance(control: ValueEstimate, treatment: ValueEstimate) -> float:
    """Return the variance of the difference."""
    return control.variance + treatment.variance


def _judge(
    control: ValueEstimate,
    treatment: ValueEstimate,
    *,
    degrees: float | None,
    alpha: float,
    critical_value: float | None,
    method: Method,
) -> FrequentistResult | NotEstimable:
    """Turn two means and the variances to use into a test with its intervals."""
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}; it must lie between 0 and 1")
    variance = control.variance + treatment.variance
    if variance == 0:
        return NotEstimable(Reason.NO_VARIANCE)
    effect = treatment.mean - control.mean
    standard_error = math.sqrt(variance)
    statistic = effect / standard_error
    if critical_value is None:
        critical_value = -_quantile(alpha / 2, degrees)
    half = critical_value * standard_error
    return FrequentistResult(
        effect=effect,
        standard_error=standard_error,
        confidence_interval=Interval(lower=effect - half, upper=effect + half),
        relative_effect=effect / control.mean if control.mean > 0 else None,
        relative_confidence_interval=fieller_interval(
            control.mean,
            control.variance,
            treatment.mean,
            treatment.variance,
            critical_value=critical_value,
        ),
        statistic=statistic,
        p_value=2 * _distribution(-abs(statistic), degrees),
        degrees_of_freedom=degrees,
        # Its plain text: whoever reads a result needs no statistics loaded.
        method=method.value,
    )


def _welch_degrees(control: ValueEstimate, treatment: ValueEstimate) -> float:
    """Return Welch and Satterthwaite's degrees of freedom."""
    total = control.variance + treatment.variance
    shares = ((arm.variance / total, arm.visitors) for arm in (control, treatment))
    return 1 / sum(share**2 / (n - 1) for share, n in shares)


def _quantile(probability: float, degrees: float | None) -> float:
    """Return Student's quantile, the normal one without degrees of freedom."""
    if degrees is None:
        return float(ndtri(probability))
    return float(stdtrit(degrees, probability))


def _distribution(value: float, degrees: float | None) -> float:
    """Return Student's distribution function, the normal one without degrees."""
    if degrees is None:
        return float(ndtr(value))
    return float(stdtr(degrees, value))
