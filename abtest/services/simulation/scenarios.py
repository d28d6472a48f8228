"""Situations in which an A/B test may mislead, each with its truth."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """How the visitors of one variant behave.

    Attributes:
        first: factor on the rate of first conversions.
        repeat: factor on the share of them that buys again within the window.
        delay: mean days between first and second conversion before the window cuts it.
        novelty: extra factor on the first rate on the first exposure day; it halves
            every `exposure_days / 6` days.
        share_from, share_to: traffic share on the first and from the middle day on.
    """

    first: float = 1.0
    repeat: float = 1.0
    delay: float = 10.0
    novelty: float = 0.0
    share_from: float = 0.5
    share_to: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One situation.

    Attributes:
        visitors_per_day: both variants together.
        trend: relative growth of the first rate from the first to the last day.
        order_sigma: spread of the logarithm of order values; 0 decides by points.
    """

    name: str
    summary: str
    control: Arm = Arm()
    treatment: Arm = Arm()
    visitors_per_day: int = 700
    exposure_days: int = 28
    first_rate: float = 0.05
    repeat_rate: float = 0.25
    window_days: int = 30
    second_weight: float = 3.0
    trend: float = 0.0
    order_sigma: float = 0.0

    @property
    def arms(self) -> tuple[Arm, Arm]:
        """Control and treatment."""
        return self.control, self.treatment

    def visitors(self, arm: Arm) -> NDArray[np.int64]:
        """Return the arm's visitors on each exposure day."""
        days = np.arange(self.exposure_days)
        share = np.where(days < self.exposure_days / 2, arm.share_from, arm.share_to)
        return np.rint(share * self.visitors_per_day).astype(np.int64)

    def first_rates(self, arm: Arm) -> Days:
        """Return the probability of a first conversion by exposure day."""
        days = np.arange(self.exposure_days)
        trend = 1 + self.trend * days / max(self.exposure_days - 1, 1)
        fresh = 1 + arm.novelty * 0.5 ** (days / (self.exposure_days / 6))
        return self.first_rate * arm.first * trend * fresh

    def value(self, arm: Arm, visitors: NDArray[np.int64]) -> float:
        """Return the true value per visitor, averaged over the given visitors.

        With money, the mean of a lognormal order with log-mean 3.5.
        """
        repeat = self.repeat_rate * arm.repeat
        worth = 1 + self.second_weight * repeat
        if self.order_sigma:
            worth = (1 + repeat) * float(np.exp(3.5 + self.order_sigma**2 / 2))
        rates = self.first_rates(arm)
        return float(worth * (rates * visitors).sum() / visitors.sum())

    @property
    def effect(self) -> float:
        """The true difference of the value, over the days of both variants alike.

        Days are weighted by all their visitors, as day-stratified estimates are.
        """
        everybody = self.visitors(self.control) + self.visitors(self.treatment)
        return self.value(self.treatment, everybody) - self.value(
            self.control, everybody
        )


SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(name="null", summary="both variants are alike"),
        Scenario(
            name="delay_trap",
            summary="same customers, but b's come back later",
            treatment=Arm(delay=20.0),
        ),
        Scenario(
            name="better_slower",
            summary="b wins a quarter more second conversions, later",
            treatment=Arm(repeat=1.25, delay=20.0),
        ),
        Scenario(
            name="wrong_winner",
            summary="b's customers come back sooner, but 10 % fewer of them",
            control=Arm(delay=60.0),
            treatment=Arm(repeat=0.9, delay=8.0),
            visitors_per_day=3800,
            exposure_days=42,
            window_days=60,
        ),
        Scenario(
            name="fewer_but_loyal",
            summary="b gives up 8 % of the first conversions and wins 40 % more repeats",
            treatment=Arm(first=0.92, repeat=1.4),
        ),
        Scenario(
            name="ramp_with_trend",
            summary="no difference; b's share grows while rates rise",
            control=Arm(share_from=0.9, share_to=0.5),
            treatment=Arm(share_from=0.1, share_to=0.5),
            trend=0.6,
        ),
        Scenario(
            name="novelty",
            summary="b's first conversions are 30 % higher at the start and fade",
            treatment=Arm(novelty=0.3),
        ),
        Scenario(
            name="heavy_money",
            summary="both alike, order values with a very heavy tail",
            order_sigma=1.8,
        ),
        Scenario(
            name="small",
            summary="both alike, 300 visitors each",
            visitors_per_day=22,
            exposure_days=27,
        ),
        Scenario(
            name="split_90_10",
            summary="both alike, one visitor in ten sees b",
            control=Arm(share_from=0.9, share_to=0.9),
            treatment=Arm(share_from=0.1, share_to=0.1),
        ),
    )
}
