"""How visitors of a shop behave: when they come, when they buy, for how much."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum, auto

import numpy as np

WEEKDAYS = (1.13, 1.10, 0.97, 0.99, 0.86, 0.94, 1.02)
"""Traffic from Monday to Sunday relative to the mean.

First purchases by weekday in the CDNOW purchase log (see `GAP_DAYS`).
"""

GAP_SHARES = (0.0, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 1.0)
GAP_DAYS = (1.0, 2.0, 3.0, 8.0, 18.0, 36.0, 51.0, 55.0, 60.0)
"""Quantiles of the days between first and second purchase, of those within 60 days.

Measured in the purchase log of the CDNOW sample: 2,357 customers of an online shop,
of whom 601 (25.5 %) buy on a second day within 60 days. Half of these 601 gaps are
at most 18 days, nine tenths at most 51; the log has nothing below a day.

References:
    https://www.brucehardie.com/notes/026/
"""

LATER_SHARE = 0.3
"""Of those who do not buy again within 60 days, how many do later (CDNOW: 30.6 %)."""

LATER_DAYS = (61.0, 300.0)

ORDER_SPREAD = 0.73
"""Standard deviation of the logarithm of an order's value (CDNOW: 0.726)."""

SAME_VISIT = 0.7
"""Share of first purchases made in the visit that saw the page."""

DEVICES = (("mobile", 0.6), ("desktop", 0.4))
"""What visitors come with, and how many of them."""

SOURCES = (("search", 0.45), ("social", 0.25), ("newsletter", 0.15), (None, 0.15))
"""Where visitors come from; None for those who typed the address."""

_THINKING_DAYS = 4.0
_DAY_SECONDS = 86_400
_VISIT_SECONDS = 900.0
_STEP_SECONDS = 150.0


class Pace(StrEnum):
    """How soon a visitor does the next thing."""

    AT_ONCE = auto()
    SOON = auto()
    LATER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One thing a visitor may do after the one before it.

    Attributes:
        step: the funnel step that is reached.
        rate: probability, given the stage before.
        pace: within minutes; in the same visit or within some days; or after a gap as
            between purchases.
        value: median order value, major units; None for steps without money.
    """

    step: str
    rate: float
    pace: Pace = Pace.SOON
    value: float | None = None


def visitors_on(day: date, mean: float, rng: np.random.Generator) -> int:
    """Draw the number of visitors of a day."""
    return int(rng.poisson(mean * WEEKDAYS[day.weekday()]))


def second_of_day(rng: np.random.Generator) -> int:
    """Draw a time of day: few before seven, most in the evening."""
    return int(rng.triangular(6.5 * 3600, 20 * 3600, _DAY_SECONDS - 1))


def at_once(rng: np.random.Generator) -> int:
    """Draw the seconds from one page to the next."""
    return 20 + int(rng.exponential(_STEP_SECONDS))


def soon(rng: np.random.Generator) -> tuple[int, int]:
    """Draw how long a visitor thinks: whole days, and seconds within the visit."""
    if rng.random() < SAME_VISIT:
        return 0, 60 + int(rng.exponential(_VISIT_SECONDS))
    return int(rng.geometric(1 / _THINKING_DAYS)), 0


def gap(rng: np.random.Generator) -> int:
    """Draw the days until a second purchase that comes within 60 days."""
    return round(float(np.interp(rng.random(), GAP_SHARES, GAP_DAYS)))


def later_gap(rng: np.random.Generator) -> int:
    """Draw the days until a second purchase that comes after 60 days."""
    return int(rng.uniform(*LATER_DAYS))


def order_value(median: float, rng: np.random.Generator) -> int:
    """Draw an order's value in cents, with the heavy tail that orders have."""
    return round(100 * median * float(np.exp(ORDER_SPREAD * rng.standard_normal())))
