"""What a store must say beyond the sums, worked out the slow and simple way."""

import json
from collections.abc import Iterable, Sequence
from itertools import groupby

from abtest.domain.events import Conversion, Event, Exposure, Refund
from abtest.domain.experiment import Experiment, VariantKey
from abtest.domain.funnel import ConversionGoal, Repeat, StepKey
from abtest.domain.purchases import (
    CreditedPurchases,
    credited_purchases,
    purchase_steps,
    purchases,
)
from abtest.domain.traffic import StepTraffic, Traffic
from abtest.domain.visitor import History, OutcomePlan, distinct_orders
from abtest.stats.moments import Moments
from tests.store.reference import (
    exposures_in,
    is_of,
    outcomes_in,
    persons_in,
    sums_of,
)


def expected_purchases(
    events: Iterable[Event], experiment: Experiment
) -> list[CreditedPurchases]:
    """Return what the credited visitors bought, by visitor."""
    events = list(events)
    found = [
        credited_purchases(
            History(
                exposures=[e for e in exposures_in(events, experiment) if is_of(e, p)],
                conversions=[
                    e for e in events if isinstance(e, Conversion) and is_of(e, p)
                ],
                refunds=[e for e in events if isinstance(e, Refund)],
            ),
            OutcomePlan.of(experiment),
            purchase_steps(experiment),
        )
        for p in persons_in(events)
    ]
    return sorted((f for f in found if f), key=lambda f: f.visitor)


def expected_traffic(
    events: Iterable[Event], steps: Sequence[StepKey], *, since: int, until: int
) -> Traffic:
    """Return the sums of the persons; money in EUR."""
    told = [e for e in events if e.at < until]
    seen = [e for e in told if e.at >= since and isinstance(e, Exposure | Conversion)]
    reached = [
        {e.step for e in seen if isinstance(e, Conversion) and is_of(e, person)}
        for person in persons_in(events)
        if any(is_of(e, person) for e in seen)
    ]
    bought = [
        orders
        for person in persons_in(events)
        if (orders := _orders(told, person, steps, since))
    ]
    money = [(len(o), sum(a for _, a in o)) for o in bought]
    return Traffic(
        visitors=len(reached),
        steps=tuple(
            StepTraffic(
                step=step,
                persons=sum(step in r for r in reached),
                continued=sum({step, steps[max(0, i - 1)]} <= r for r in reached),
                orders=sum(s == step for o in bought for s, _ in o),
                revenue=sum(a for o in bought for s, a in o if s == step),
            )
            for i, step in enumerate(steps)
        ),
        buyers=len(bought),
        orders_squares=sum(n * n for n, _ in money),
        revenue_squares=sum(r * r for _, r in money),
        orders_revenue=sum(n * r for n, r in money),
    )


def expected_segments(
    events: Iterable[Event], experiment: Experiment, attribute: str
) -> dict[str, dict[VariantKey, Moments]]:
    """Return the sums by the value at each visitor's own first exposure."""
    events = list(events)

    def value(outcome: object) -> str:
        exposure = min(
            (
                e
                for e in exposures_in(events, experiment)
                if e.visitor == getattr(outcome, "visitor", None)
            ),
            key=lambda e: (e.at, e.id),
        )
        told = exposure.attributes_json or "{}"
        found = json.loads(told, parse_int=str, parse_float=str).get(attribute)
        if found is None:
            return ""
        return found if isinstance(found, str) else json.dumps(found)

    outcomes = sorted(outcomes_in(events, experiment), key=value)
    return {
        segment: {
            variant: sums_of(list(theirs))
            for variant, theirs in groupby(
                sorted(group, key=lambda o: o.variant), lambda o: o.variant
            )
        }
        for segment, group in groupby(outcomes, value)
    }


def _orders(
    told: Sequence[Event],
    person: set[tuple[str, str]],
    steps: Sequence[StepKey],
    since: int,
) -> list[tuple[StepKey, int]]:
    """Return step and amount of the orders that were first told of since then."""
    plan = OutcomePlan(
        goal=ConversionGoal(first=steps[0], second=Repeat(step=steps[0])),
        steps=tuple(steps),
        time_zone="UTC",
        currency="EUR",
        order_cap=None,
    )
    conversions = [
        e
        for e in told
        if isinstance(e, Conversion) and is_of(e, person) and e.step in steps
    ]
    # An order that was told of before is none of this time, value and all.
    new = [
        c
        for c in conversions
        if c.at >= since
        and (c.value is not None or c.order is not None)
        and not any(
            c.order and (b.step, b.order) == (c.step, c.order) and b.at < since
            for b in conversions
        )
    ]
    refunds = [e for e in told if isinstance(e, Refund)]
    history = History(exposures=(), conversions=distinct_orders(new), refunds=refunds)
    return [
        (p.step, sum(amount for _, amount in p.payments))
        for p in purchases(history, plan)
    ]
