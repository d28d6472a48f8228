"""At which worth of the second conversion does the winner flip?"""

import math
from dataclasses import dataclass
from itertools import pairwise

from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from abtest.stats.results import (
    Band,
    BreakEvenKind,
    BreakEvenWeight,
    JointEstimate,
    NotEstimable,
    Reason,
    Winner,
)


def break_even_weight(
    control: JointEstimate, treatment: JointEstimate, *, critical_value: float
) -> BreakEvenWeight | NotEstimable:
    """Return the weight at which both variants tie, with all that are not excluded.

    With the first conversion worth 1 and the second worth w, the weights for which
    the test finds no difference: the w with (D1 + w D2)^2 <= c^2 Var(D1 + w D2). The
    set may reach to infinity, and then is no interval.

    Returns:
        `interval`, `rays` (all weights outside a gap; one ray where a limit is None),
        `all`, `none` (one variant wins whatever the weight), or NO_VARIANCE.

    References:
        https://doi.org/10.1111/j.2517-6161.1954.tb00159.x (Fieller)
    """
    line = _worth(control, treatment)
    if line.start_variance == line.slope_variance == 0:
        return NotEstimable(Reason.NO_VARIANCE)
    a, b, c = line.quadratic(critical_value)
    lower: float | None = None
    upper: float | None = None
    match line.roots(critical_value):
        case (lower, upper):
            kind = BreakEvenKind.INTERVAL if a > 0 else BreakEvenKind.RAYS
        case (limit,):
            kind = BreakEvenKind.RAYS
            lower, upper = (limit, None) if b > 0 else (None, limit)
        case _:
            kind = BreakEvenKind.NONE if c > 0 else BreakEvenKind.ALL
    return BreakEvenWeight(
        kind=kind,
        estimate=-line.start / line.slope if line.slope else None,
        lower=lower,
        upper=upper,
    )


def winner_bands(
    control: JointEstimate,
    treatment: JointEstimate,
    *,
    critical_value: float,
    largest: float,
) -> tuple[Band, ...]:
    """Say who wins for each worth of the second conversion, the first being worth 1.

    Args:
        control: counts or money, in the unit that the weights multiply.
        treatment: the same.
        critical_value: bound on |z|; `slider_critical_value` for whoever chooses the
            weight after having seen the data.
        largest: the bands cover the weights from 0 to here.

    Raises:
        ValueError: `largest` is not positive.
    """
    if not largest > 0:
        raise ValueError(f"largest is {largest}; it must be positive")
    return _bands(_worth(control, treatment), critical_value, largest)


def slider_critical_value(
    control: JointEstimate, treatment: JointEstimate, *, alpha: float
) -> float:
    """Return the bound on |z| that holds for all weights w >= 0 at once.

    While w goes from 0 to infinity, D1 + w D2 over its standard error is the projection
    of a standard normal point on a direction that turns by theta, the angle whose
    cosine is the correlation of D1 and D2. P(sup |z| > c) is at most

        2 (1 - Phi(c)) + theta / pi exp(-c^2 / 2)

    which is too much only by the points that are far from both ends of the turn: by
    less than a ten-thousandth of alpha = 0.05 where the correlation is 0.45 or more.

    References:
        Hotelling: Tubes and spheres in n-spaces (1939),
        https://doi.org/10.2307/2371512
    """
    _, _, v11, v12, v22 = _difference(control, treatment)
    theta = 0.0
    if v11 > 0 and v22 > 0:
        theta = math.acos(max(-1.0, min(1.0, v12 / math.sqrt(v11 * v22))))
    return float(
        brentq(
            lambda c: 2 * ndtr(-c) + theta / math.pi * math.exp(-c * c / 2) - alpha,
            -ndtri(alpha / 2) - 1e-6,
            math.sqrt(2 * math.log(2 / alpha)),
            xtol=1e-13,
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """An effect start + slope t, and the covariance of its two parts."""

    start: float
    slope: float
    start_variance: float
    covariance: float
    slope_variance: float

    def quadratic(self, c: float) -> tuple[float, float, float]:
        """Return A, B, C of A t^2 + 2 B t + C = effect^2 - c^2 variance."""
        return (
            self.slope**2 - c**2 * self.slope_variance,
            self.start * self.slope - c**2 * self.covariance,
            self.start**2 - c**2 * self.start_variance,
        )

    def roots(self, critical_value: float) -> tuple[float, ...]:
        """Return where |z| is the critical value, ascending."""
        a, b, c = self.quadratic(critical_value)
        if a == 0:
            return (-c / (2 * b),) if b else ()
        across = (
            self.slope**2 * self.start_variance
            + self.start**2 * self.slope_variance
            - 2 * self.slope * self.start * self.covariance
        )
        determinant = self.start_variance * self.slope_variance - self.covariance**2
        discriminant = across - critical_value**2 * determinant
        if discriminant < 0 and a < 0:
            return ()
        # The root far from zero first, the other one from their product: no digits
        # are lost where b^2 is much larger than a c.
        root = critical_value * math.sqrt(max(0.0, discriminant))
        far = -b - math.copysign(root, b)
        return tuple(sorted((far / a, c / far))) if far else (0.0, 0.0)

    def winner(self, t: float, critical_value: float) -> Winner:
        """Return who wins at a point."""
        effect = self.start + self.slope * t
        variance = self.start_variance + t * (
            2 * self.covariance + t * self.slope_variance
        )
        if variance <= 0 or effect**2 <= critical_value**2 * variance:
            return Winner.UNDECIDED
        return Winner.TREATMENT if effect > 0 else Winner.CONTROL


def _difference(
    control: JointEstimate, treatment: JointEstimate
) -> tuple[float, float, float, float, float]:
    """Return D1, D2 and their variance, covariance and variance."""
    return (
        treatment.first - control.first,
        treatment.second - control.second,
        treatment.variance_first + control.variance_first,
        treatment.covariance + control.covariance,
        treatment.variance_second + control.variance_second,
    )


def _worth(control: JointEstimate, treatment: JointEstimate) -> _Line:
    """Return the effect as a function of the second conversion's worth."""
    d1, d2, v11, v12, v22 = _difference(control, treatment)
    return _Line(
        start=d1, slope=d2, start_variance=v11, covariance=v12, slope_variance=v22
    )


def _bands(line: _Line, critical_value: float, largest: float) -> tuple[Band, ...]:
    """Cut the line from 0 to `largest` where the winner changes."""
    inside = [t for t in line.roots(critical_value) if 0 < t < largest]
    bands: list[Band] = []
    for lower, upper in pairwise((0.0, *inside, largest)):
        winner = line.winner((lower + upper) / 2, critical_value)
        is_same = bool(bands) and bands[-1].winner is winner
        start = bands.pop().lower if is_same else lower
        bands.append(Band(lower=start, upper=upper, winner=winner))
    return tuple(bands)
