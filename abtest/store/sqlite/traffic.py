"""Counts what all persons did in a stretch of time, and what it cost."""

import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, islice
from operator import itemgetter

from abtest.domain.events import Conversion, Milliseconds
from abtest.domain.funnel import ConversionGoal, Repeat, StepKey
from abtest.domain.purchases import Purchase, purchases
from abtest.domain.traffic import CostSum, StepTraffic, Traffic
from abtest.domain.visitor import History, OutcomePlan
from abtest.store.sqlite.connection import query
from abtest.store.sqlite.experiments import Known
from abtest.store.sqlite.outcomes import PERSONS_AT_ONCE
from abtest.store.sqlite.people import to_json
from abtest.store.sqlite.purchases import refunds_of, to_conversion

MAX_STEPS = 60
"""Steps whose bits fit into one number beside the bit of being there at all."""

_DAY = 86_400_000
_FOR_EVER = 1 << 40

_Person = tuple[int, list[Conversion]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """Events from number `first` on that happened from `since` to before `until`."""

    first: int
    since: Milliseconds
    until: Milliseconds


def read_traffic(
    connection: sqlite3.Connection,
    steps: Sequence[StepKey],
    *,
    since: Milliseconds,
    until: Milliseconds,
    currency: str | None,
) -> Traffic:
    """Return the sums; the caller opens a transaction, so that they agree."""
    if not 1 <= len(steps) <= MAX_STEPS:
        raise ValueError(f"{len(steps)} steps were asked for; ask for 1 to {MAX_STEPS}")
    span = _Span(first=_first_received(connection, since), since=since, until=until)
    reached = _reached(connection, steps, span)
    orders, revenue = Counter[StepKey](), Counter[StepKey]()
    buyers = orders_squares = revenue_squares = orders_revenue = 0
    for bought in _bought(connection, steps, span, currency):
        total = 0
        for purchase in bought:
            amount = sum(amount for _, amount in purchase.payments)
            orders[purchase.step] += 1
            revenue[purchase.step] += amount
            total += amount
        buyers += 1
        orders_squares += len(bought) ** 2
        revenue_squares += total**2
        orders_revenue += len(bought) * total
    return Traffic(
        visitors=reached.total(),
        steps=tuple(
            StepTraffic(
                step=step,
                persons=_having(reached, 2 << place),
                continued=_having(reached, 3 << place if place else 2),
                orders=orders[step],
                revenue=revenue[step],
            )
            for place, step in enumerate(steps)
        ),
        buyers=buyers,
        orders_squares=orders_squares,
        revenue_squares=revenue_squares,
        orders_revenue=orders_revenue,
    )


def read_costs(
    connection: sqlite3.Connection, known: Known, experiment: int | None
) -> tuple[CostSum, ...]:
    """Return the sums by day, experiment, source and currency."""
    return tuple(
        CostSum(
            day=date.fromisoformat(day),
            experiment=None if number is None else known.keys[number],
            source=source,
            currency=currency,
            amount=amount,
        )
        for day, number, source, currency, amount in connection.execute(
            query("costs"), (experiment,)
        )
    )


def count_received(connection: sqlite3.Connection, moment: Milliseconds) -> int:
    """Return how many numbers were given to events from the moment on."""
    near = _first_received(connection, moment + _DAY)
    found = connection.execute(query("received_from"), (near,)).fetchone()
    if found is None:
        return 0
    (last,) = connection.execute("SELECT max(seq) FROM event").fetchone()
    return int(last) + 1 - int(found[0])


def _first_received(connection: sqlite3.Connection, since: int) -> int:
    """Return a number below which no event was received from `since` on.

    Numbers follow the clock of reception. Nothing is received before it happens, so
    what happened since then has such a number; a day is left for clocks that differ.
    """
    low, high = 0, _FOR_EVER
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(query("received_from"), (middle,)).fetchone()
        if found is None:
            high = middle
        elif found[1] < since - _DAY:
            low = found[0] + 1
        else:
            high = middle
    return low


def _reached(
    connection: sqlite3.Connection, steps: Sequence[StepKey], span: _Span
) -> Counter[int]:
    """Count the persons by what they reached: bit 0 for being there, then the steps."""
    (last,) = connection.execute("SELECT max(id) FROM node").fetchone()
    masks = array("Q", bytes(8 * ((last or 0) + 1)))
    bits = {step: 1 | 2 << place for place, step in enumerate(steps)}
    for person, step in connection.execute(
        query("traffic_acts"), (span.first, span.since, span.until)
    ):
        masks[person] |= bits.get(step, 1)
    reached = Counter(masks)
    del reached[0]
    return reached


def _having(reached: Counter[int], bits: int) -> int:
    return sum(n for mask, n in reached.items() if mask & bits == bits)


def _bought(
    connection: sqlite3.Connection,
    steps: Sequence[StepKey],
    span: _Span,
    currency: str | None,
) -> Iterator[tuple[Purchase, ...]]:
    """Give the orders of each person who has any."""
    plan = OutcomePlan(
        # Orders are the same whatever the goal.
        goal=ConversionGoal(first=steps[0], second=Repeat(step=steps[0])),
        steps=tuple(steps),
        time_zone="UTC",
        currency=currency,
        order_cap=None,
    )
    rows = connection.execute(
        query("traffic_orders"), (span.first, span.since, span.until, to_json(steps))
    )
    persons: Iterator[_Person] = (
        (person, [to_conversion(*told) for _, *told in told_of])
        for person, told_of in groupby(rows, itemgetter(0))
    )
    while batch := list(islice(persons, PERSONS_AT_ONCE)):
        yield from _judged(connection, batch, span, plan)


def _judged(
    connection: sqlite3.Connection,
    batch: Iterable[_Person],
    span: _Span,
    plan: OutcomePlan,
) -> Iterator[tuple[Purchase, ...]]:
    orders = {c.order for _, told in batch for c in told if c.order is not None}
    before: frozenset[tuple[int, StepKey, str]] = frozenset(
        connection.execute(query("told_before"), (to_json(orders), span.since))
    )
    refunds = refunds_of(connection, orders)
    for person, told in batch:
        new = [
            c
            for c in told
            if c.order is None or (person, c.step, c.order) not in before
        ]
        if new:
            known = {
                r.id: r
                for c in new
                if c.order is not None
                for r in refunds.get(c.order, ())
                if r.at < span.until
            }
            history = History(
                exposures=(), conversions=new, refunds=tuple(known.values())
            )
            yield purchases(history, plan)
