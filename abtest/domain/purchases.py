"""All purchases of a person, beyond the two that the report counts; pure."""

from collections.abc import Collection
from dataclasses import dataclass
from operator import attrgetter

from abtest.domain.experiment import Experiment, VariantKey, VisitorId
from abtest.domain.funnel import LaterStep, StepKey, StepKind
from abtest.domain.visitor import (
    History,
    OutcomePlan,
    distinct_orders,
    entries_of,
    local_day,
)

_in_time = attrgetter("at", "id")

_BUYING = frozenset(
    {StepKind.ACTIVATOR, StepKind.MAIN, StepKind.UPSELL, StepKind.REACTIVATION}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One order, with what it brought and what went back.

    Attributes:
        payments: (local day, minor units), the day of the order first; what follows
            are refunds, which are negative. Refunds never exceed the order, and an
            order that was sent back is still one.
    """

    step: StepKey
    payments: tuple[tuple[int, int], ...]

    @property
    def day(self) -> int:
        """Day of the order, days since 1970-01-01."""
        return self.payments[0][0]

    def amount(self, as_of: int) -> int:
        """Return what was left of it at the end of a day, minor units."""
        return sum(amount for day, amount in self.payments if day <= as_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditedPurchases:
    """What an exposed visitor bought since; at least one purchase, oldest first.

    Attributes:
        day: local day of the exposure, days since 1970-01-01.
    """

    visitor: VisitorId
    variant: VariantKey
    day: int
    purchases: tuple[Purchase, ...]


def purchase_steps(experiment: Experiment) -> frozenset[StepKey]:
    """Return the steps at which somebody buys.

    They are those of a buying kind. Where no step has one, they are those of the
    goal that were not said to be a visit or a lead.
    """
    buying = {step.key for step in experiment.funnel if step.kind in _BUYING}
    if buying:
        return frozenset(buying)
    second = experiment.goal.second
    goal = {experiment.goal.first}
    if isinstance(second, LaterStep):
        goal.add(second.step)
    kinds = {step.key: step.kind for step in experiment.funnel}
    return frozenset(
        step for step in goal if kinds.get(step, StepKind.CUSTOM) is StepKind.CUSTOM
    )


def purchases(history: History, plan: OutcomePlan) -> tuple[Purchase, ...]:
    """Return the orders among the conversions, as `resolve` understands them.

    The same order at the same step counts once; money in other currencies than the
    plan's is none; an order counts for at most the plan's cap.
    """
    refunds = sorted({r.id: r for r in history.refunds}.values(), key=_in_time)
    return tuple(
        Purchase(
            step=conversion.step,
            payments=tuple(
                (entry.lag, entry.amount)
                # Lags from day 0 are days.
                for entry in entries_of(1, conversion, refunds, 0, plan)
            ),
        )
        for conversion in distinct_orders(history.conversions)
    )


def credited_purchases(
    history: History, plan: OutcomePlan, steps: Collection[StepKey]
) -> CreditedPurchases | None:
    """Return the purchases that are credited to one of the person's visitors.

    As in `resolve`: to the visitor exposed first, from that exposure on.

    Args:
        steps: at which somebody buys, see `purchase_steps`.
    """
    if not history.exposures:
        return None
    exposure = min(history.exposures, key=_in_time)
    orders = [
        c
        for c in distinct_orders(c for c in history.conversions if c.step in steps)
        if c.at >= exposure.at
    ]
    if not orders:
        return None
    bought = History(
        exposures=history.exposures, conversions=orders, refunds=history.refunds
    )
    return CreditedPurchases(
        visitor=exposure.visitor,
        variant=exposure.variant,
        day=local_day(exposure.at, plan.time_zone),
        purchases=purchases(bought, plan),
    )
