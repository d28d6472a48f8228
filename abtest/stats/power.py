"""How many visitors an effect needs when every outcome is known at once."""

import math
from dataclasses import dataclass

from scipy.special import ndtri
from statsmodels.stats.power import normal_sample_size_one_tail

from abtest.stats.results import NotEstimable, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderValue:
    """What an order brings: mean and standard deviation.

    The default counts orders instead of money.
    """

    mean: float = 1.0
    sd: float = 0.0


COUNTED = OrderValue()


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What is known of the page today.

    Attributes:
        first_rate: share of visitors who convert within the window.
        repeat_rate: share of those who convert a second time within the window.
        first_order: value of a first order; counting without money by default.
        second_order: value of a second order; independent of the first one's.
    """

    first_rate: float
    repeat_rate: float
    first_order: OrderValue = COUNTED
    second_order: OrderValue = COUNTED

    def __post_init__(self) -> None:
        if not (0 < self.first_rate < 1 and 0 <= self.repeat_rate <= 1):
            raise ValueError(
                f"first_rate is {self.first_rate} and repeat_rate {self.repeat_rate}; "
                "the first must lie between 0 and 1, the second not outside"
            )

    @property
    def second_rate(self) -> float:
        """Share of visitors who convert a second time within the window."""
        return self.first_rate * self.repeat_rate

    def mean(self, first_weight: float, second_weight: float) -> float:
        """Return the expected value of a visitor."""
        return (
            first_weight * self.first_rate * self.first_order.mean
            + second_weight * self.second_rate * self.second_order.mean
        )

    def variance(self, first_weight: float, second_weight: float) -> float:
        """Return the variance of the value between visitors."""
        first, second = self.first_order, self.second_order
        squares = (
            first_weight**2 * self.first_rate * (first.mean**2 + first.sd**2)
            + second_weight**2 * self.second_rate * (second.mean**2 + second.sd**2)
            + 2 * first_weight * second_weight
            * self.second_rate * first.mean * second.mean
        )  # fmt: skip
        return squares - self.mean(first_weight, second_weight) ** 2


def sample_size(
    baseline: Baseline,
    first_weight: float,
    second_weight: float,
    *,
    effect: float,
    alpha: float,
    power: float,
    ratio: float = 1.0,
) -> int | NotEstimable:
    """Return the visitors the control needs to detect a relative effect on the value.

    (z_{alpha/2} + z_power)^2 (1 + 1/ratio) Var / (effect x mean)^2. Weights (1, 0)
    plan for the first conversion alone, (0, 1) for the second alone.

    Args:
        baseline: what is known of the page today.
        first_weight: worth of a first conversion, or its margin.
        second_weight: worth of a second conversion, or its margin.
        effect: relative, 0.1 for 10 %.
        alpha: two-sided.
        power: probability to detect the effect.
        ratio: visitors of the treatment per visitor of the control.
    """
    mean = baseline.mean(first_weight, second_weight)
    if mean <= 0:
        return NotEstimable(Reason.NOT_POSITIVE)
    visitors: float = normal_sample_size_one_tail(
        effect * mean,
        power,
        alpha / 2,
        std_null=_pair_deviation(baseline, first_weight, second_weight, ratio=ratio),
    )
    return math.ceil(visitors)


def minimum_detectable_effect(
    baseline: Baseline,
    first_weight: float,
    second_weight: float,
    *,
    visitors: float,
    alpha: float,
    power: float,
    ratio: float = 1.0,
) -> float | NotEstimable:
    """Return the relative effect that so many visitors of the control can detect.

    The inverse of `sample_size`, same arguments.
    """
    mean = baseline.mean(first_weight, second_weight)
    if mean <= 0:
        return NotEstimable(Reason.NOT_POSITIVE)
    deviation = _pair_deviation(baseline, first_weight, second_weight, ratio=ratio)
    return (
        detectable_effect(deviation / math.sqrt(visitors), alpha=alpha, power=power)
        / mean
    )


def detectable_effect(standard_error: float, *, alpha: float, power: float) -> float:
    """Return the effect that a test with this standard error detects, absolute."""
    return float(ndtri(1 - alpha / 2) + ndtri(power)) * standard_error


def _pair_deviation(
    baseline: Baseline, first_weight: float, second_weight: float, *, ratio: float
) -> float:
    """Return the deviation of one control visitor less `ratio` treatment visitors."""
    return math.sqrt(baseline.variance(first_weight, second_weight) * (1 + 1 / ratio))
