"""What all visitors did in a stretch of time, and what they cost: plain sums."""

from dataclasses import dataclass
from datetime import date

from abtest.domain.experiment import ExperimentKey
from abtest.domain.funnel import StepKey


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTraffic:
    """What happened at one step.

    Attributes:
        persons: who reached the step.
        continued: of these, who also reached the step before; at the first step
            everybody.
        orders: distinct conversions that told an order number or a value.
        revenue: of these orders, refunds taken off, minor units.
    """

    step: StepKey
    persons: int
    continued: int
    orders: int
    revenue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Sums over all persons, in experiments or not.

    Attributes:
        visitors: persons who were exposed to an experiment or reached a step.
        buyers: persons with an order at one of the steps.
        orders_squares: sum over persons of orders squared.
        revenue_squares: sum over persons of revenue squared.
        orders_revenue: sum over persons of orders x revenue.
    """

    visitors: int
    steps: tuple[StepTraffic, ...]
    buyers: int = 0
    orders_squares: int = 0
    revenue_squares: int = 0
    orders_revenue: int = 0

    @property
    def orders(self) -> int:
        """Orders at all of the steps."""
        return sum(step.orders for step in self.steps)

    @property
    def revenue(self) -> int:
        """Revenue at all of the steps, minor units."""
        return sum(step.revenue for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSum:
    """Money spent on traffic on one day for one thing; minor units of `currency`."""

    day: date
    experiment: ExperimentKey | None
    source: str | None
    currency: str
    amount: int
