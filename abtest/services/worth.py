"""At which worth of the second conversion does the winner flip?"""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtri

from abtest.services.comparison_report import CurvePoint
from abtest.services.estimates import Weighting, scaled_first
from abtest.services.weight_curve import weight_curve
from abtest.stats.breakeven import (
    break_even_weight,
    slider_critical_value,
    winner_bands,
)
from abtest.stats.results import Band, BreakEvenWeight, JointEstimate, NotEstimable


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """The tie, who wins on either side of it, and the effect in between."""

    break_even: BreakEvenWeight | NotEstimable
    bands: tuple[Band, ...] = ()
    curve: tuple[CurvePoint, ...] = ()


def describe_worth(
    pair: Sequence[JointEstimate] | NotEstimable,
    *,
    weights: Weighting,
    declared: Weighting,
    alpha: float,
) -> Worth:
    """Describe a pair of variants over all worths of the second conversion.

    Bands and curve hold for whoever moves the slider; the break-even's interval is
    that of one weight.

    Args:
        pair: estimates of control and treatment in the measure of the value.
        weights: in use; the first one stays as it is.
        declared: sets how far the weights are drawn, so that the picture stays while
            weights are tried out.
        alpha: of the intervals.
    """
    if isinstance(pair, NotEstimable):
        return Worth(break_even=pair)
    control, treated = (scaled_first(joint, weights.first) for joint in pair)
    safe = slider_critical_value(control, treated, alpha=alpha)
    largest = max(4 * abs(declared.second), 10 * abs(declared.first), 1.0)
    return Worth(
        break_even=break_even_weight(
            control, treated, critical_value=float(-ndtri(alpha / 2))
        ),
        bands=winner_bands(control, treated, critical_value=safe, largest=largest),
        curve=weight_curve(
            control, treated, unit=weights.unit, critical_value=safe, largest=largest
        ),
    )
