"""Situations in which an A/B test may mislead, each with its truth."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Days = NDArray[np.float64]

LOG_MEAN = 3.5
"""Mean logarithm of an order value in major units: the median order is 33."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """How the visitors of one variant behave.

    Attributes:
        first: factor on the rate of first conversions.
        repeat: factor on the share of them that buys again within the window.
        delay: mean days between first and second conversion before the window cuts it.
        novelty: extra factor on the first rate on the first exposure day; it halves
            every `exposure_days / 6` days.
        share_from, share_to: part of the traffic until the middle day, and from it on.
        refunds: share of first orders that are taken back later in the window.
        lost: share of second conversions that cannot be joined to the visitor.
    """

    first: float = 1.0
    repeat: float = 1.0
    delay: float = 10.0
    novelty: float = 0.0
    share_from: float = 0.5
    share_to: float = 0.5
    refunds: float = 0.0
    lost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One situation; the first arm is the control.

    Attributes:
        visitors_per_day: all variants together.
        trend: relative growth of the first rate from the first to the last day.
        order_sigma: spread of the logarithm of order values; 0 decides by points.
        order_cap: most that an order counts for, in major units.
        smallest_effect: relative effect that the plan wants to find.
    """

    name: str
    summary: str
    arms: tuple[Arm, ...] = (Arm(), Arm())
    visitors_per_day: int = 700
    exposure_days: int = 28
    first_rate: float = 0.05
    repeat_rate: float = 0.25
    window_days: int = 30
    second_weight: float = 3.0
    trend: float = 0.0
    order_sigma: float = 0.0
    order_cap: float | None = None
    smallest_effect: float = 0.2

    def shares(self) -> Days:
        """Return each arm's part of the traffic by exposure day; arms x days."""
        is_early = np.arange(self.exposure_days) < self.exposure_days / 2
        parts = np.array(
            [np.where(is_early, arm.share_from, arm.share_to) for arm in self.arms]
        )
        shares: Days = parts / parts.sum(axis=0)
        return shares

    def first_rates(self, arm: Arm) -> Days:
        """Return the probability of a first conversion by exposure day."""
        days = np.arange(self.exposure_days)
        trend = 1 + self.trend * days / max(self.exposure_days - 1, 1)
        fresh = 1 + arm.novelty * 0.5 ** (days / (self.exposure_days / 6))
        rates: Days = self.first_rate * arm.first * trend * fresh
        return rates

    def value(self, arm: Arm) -> float:
        """Return the true value per visitor if everybody were sent to the arm.

        Second conversions that are lost count: nobody sees them, but they were worth
        as much. Money is in major units.
        """
        repeat = self.repeat_rate * arm.repeat
        worth = 1 + self.second_weight * repeat
        if self.order_sigma:
            worth = (1 - arm.refunds + repeat) * self._order_value()
        return float(worth * self.first_rates(arm).mean())

    @property
    def effects(self) -> tuple[float, ...]:
        """The true differences from the control, one for each treatment."""
        control, *treated = (self.value(arm) for arm in self.arms)
        return tuple(value - control for value in treated)

    def _order_value(self) -> float:
        """Return the mean of min(order, cap), the order being lognormal."""
        mean = float(np.exp(LOG_MEAN + self.order_sigma**2 / 2))
        if self.order_cap is None:
            return mean
        z = (np.log(self.order_cap) - LOG_MEAN) / self.order_sigma
        return float(mean * ndtr(z - self.order_sigma) + self.order_cap * ndtr(-z))


_RAMP = (Arm(share_from=0.9), Arm(share_from=0.1))

SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(name="null", summary="both variants are alike"),
        Scenario(
            name="delay_trap",
            summary="same customers, but b's come back later",
            arms=(Arm(), Arm(delay=20.0)),
        ),
        Scenario(
            name="better_slower",
            summary="b wins a quarter more second conversions, later",
            arms=(Arm(), Arm(repeat=1.25, delay=20.0)),
        ),
        Scenario(
            name="wrong_winner",
            summary="b's customers come back sooner, but 10 % fewer of them",
            arms=(Arm(delay=60.0), Arm(repeat=0.9, delay=8.0)),
            visitors_per_day=3800,
            exposure_days=42,
            window_days=60,
            smallest_effect=0.1,
        ),
        Scenario(
            name="fewer_but_loyal",
            summary="b loses 8 % of the first conversions and wins 40 % more repeats",
            arms=(Arm(), Arm(first=0.92, repeat=1.4)),
        ),
        Scenario(
            name="ramp_with_trend",
            summary="both alike; b's share grows while rates rise",
            arms=_RAMP,
            trend=0.6,
        ),
        Scenario(
            name="novelty",
            summary="b's first conversions are 30 % higher at the start and fade",
            arms=(Arm(), Arm(novelty=0.3)),
        ),
        Scenario(
            name="heavy_money",
            summary="both alike, order values with a very heavy tail",
            order_sigma=1.8,
        ),
        Scenario(
            name="capped_money",
            summary="the same orders, but none counts for more than 2,000",
            order_sigma=1.8,
            order_cap=2000.0,
        ),
        Scenario(
            name="refunds",
            summary="both alike, a fifth of the first orders is taken back later",
            arms=(Arm(refunds=0.2), Arm(refunds=0.2)),
            order_sigma=0.8,
        ),
        Scenario(
            name="small",
            summary="both alike, 300 visitors each",
            visitors_per_day=20,
            exposure_days=30,
        ),
        Scenario(
            name="split_90_10",
            summary="both alike, one visitor in ten sees b",
            arms=(Arm(share_from=0.9, share_to=0.9), Arm(share_from=0.1, share_to=0.1)),
        ),
        Scenario(
            name="three_treatments",
            summary="four variants, all alike",
            arms=(Arm(), Arm(), Arm(), Arm()),
            visitors_per_day=1400,
        ),
        Scenario(
            name="still_enrolling",
            summary="both alike but for b's delay; visitors come for eight weeks",
            arms=(Arm(), Arm(delay=20.0)),
            visitors_per_day=400,
            exposure_days=56,
        ),
        Scenario(
            name="lost_alike",
            summary="both alike, and 30 % of second conversions are never joined",
            arms=(Arm(lost=0.3), Arm(lost=0.3)),
        ),
        Scenario(
            name="lost_unlike",
            summary="both alike, but b's second conversions are joined more often",
            arms=(Arm(lost=0.3), Arm(lost=0.1)),
        ),
        Scenario(
            name="slow_tenth",
            summary="one visitor in ten sees b, whose customers come back later",
            arms=(
                Arm(share_from=0.9, share_to=0.9),
                Arm(share_from=0.1, share_to=0.1, delay=20.0),
            ),
        ),
    )
}
