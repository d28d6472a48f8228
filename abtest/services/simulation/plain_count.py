"""What a count of everything seen so far says: the way of tools without follow-up."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from abtest.services.simulation.scenarios import Scenario
from abtest.services.simulation.traffic import Draw, Entries, capped


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainCount:
    """Sums over all visitors so far, recent ones included as if they were done.

    Attributes:
        first, second: conversions seen.
        total, squares: of the visitors' values, in points or minor units.
    """

    visitors: int
    first: int
    second: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        """Value per visitor."""
        return self.total / self.visitors

    @property
    def variance(self) -> float:
        """Variance of that mean."""
        spread = self.squares - self.total**2 / self.visitors
        return spread / (self.visitors - 1) / self.visitors


def count_plainly(drawn: Draw, scenario: Scenario, *, day: int) -> PlainCount:
    """Count what is in at the end of a day.

    Args:
        day: of the experiment, 0 being its first one.
    """
    value = np.zeros(drawn.day.size)
    counts = []
    for one in drawn.seen():
        is_in = (one.lag >= 0) & (drawn.day + one.lag <= day)
        value += is_in * _worth(one, scenario)
        counts.append(int(is_in.sum()))
    return PlainCount(
        visitors=int(drawn.visitors[: day + 1].sum()),
        first=counts[0],
        second=counts[2],
        total=float(value.sum()),
        squares=float((value**2).sum()),
    )


def direction(control: PlainCount, treated: PlainCount, *, alpha: float) -> int:
    """Return 1 if Welch's z calls the treatment better, -1 if worse, 0 if neither."""
    variance = control.variance + treated.variance
    if variance <= 0:
        return 0
    z = (treated.mean - control.mean) / math.sqrt(variance)
    if abs(z) <= -ndtri(alpha / 2):
        return 0
    return 1 if z > 0 else -1


def _worth(one: Entries, scenario: Scenario) -> np.ndarray | float:
    """Return what each entry is worth, as the experiment weighs it."""
    if scenario.order_sigma:
        return capped(one.amount, scenario)
    if one.is_refund:
        return 0.0
    return 1.0 if one.ordinal == 1 else scenario.second_weight
