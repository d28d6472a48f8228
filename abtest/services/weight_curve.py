"""The difference in value as a function of what a second conversion is worth."""

from abtest.services.comparison_report import CurvePoint
from abtest.stats.results import JointEstimate

STEPS = 60
"""Pieces of the curve: fine enough for a chart as wide as a page."""


def weight_curve(
    control: JointEstimate,
    treatment: JointEstimate,
    *,
    unit: float,
    critical_value: float,
    largest: float,
) -> tuple[CurvePoint, ...]:
    """Return effect and interval for weights from 0 to `largest`.

    Args:
        control: estimates whose first conversion is expressed in its worth.
        treatment: the same.
        unit: what one unit of the estimates is in units of the report.
        critical_value: bound on |z| that holds for all weights together.
    """
    points = []
    for step in range(STEPS + 1):
        weight = largest * step / STEPS
        effect = treatment.mean(1.0, weight) - control.mean(1.0, weight)
        variance = treatment.variance(1.0, weight) + control.variance(1.0, weight)
        half_width = critical_value * variance**0.5
        points.append(
            CurvePoint(
                weight=weight,
                effect=effect * unit,
                lower=(effect - half_width) * unit,
                upper=(effect + half_width) * unit,
            )
        )
    return tuple(points)
