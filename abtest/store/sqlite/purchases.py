"""Gives what each credited visitor bought, from the raw events."""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator

from abtest.domain.events import Conversion, Exposure, Refund
from abtest.domain.experiment import VisitorId
from abtest.domain.funnel import StepKey
from abtest.domain.purchases import (
    CreditedPurchases,
    credited_purchases,
    purchase_steps,
)
from abtest.domain.visitor import History
from abtest.store.sqlite.connection import query
from abtest.store.sqlite.events import EXPOSURE
from abtest.store.sqlite.experiments import Known
from abtest.store.sqlite.outcomes import PERSONS_AT_ONCE
from abtest.store.sqlite.people import Node, Person, members_of, persons_of, to_json


def read_purchases(
    connection: sqlite3.Connection, known: Known, experiment: int
) -> Iterator[CreditedPurchases]:
    """Give them visitor by visitor; the caller opens a transaction."""
    plan = known.plans[experiment]
    steps = purchase_steps(known.by_key[known.keys[experiment]])
    last = 0
    while visitors := [
        Node(node)
        for (node,) in connection.execute(
            query("next_converted"), (experiment, last, PERSONS_AT_ONCE)
        )
    ]:
        batch = frozenset(visitors)
        for history in _histories(connection, known, experiment, visitors, steps):
            found = credited_purchases(history, plan, steps)
            # Another visitor of the same person may stand in another batch.
            if found is not None and int(found.visitor) in batch:
                yield found
        last = visitors[-1]


def _histories(
    connection: sqlite3.Connection,
    known: Known,
    experiment: int,
    visitors: Collection[Node],
    steps: Collection[StepKey],
) -> list[History]:
    """Return the histories of the persons behind the visitors."""
    members = members_of(connection, persons_of(connection, visitors).values())
    owners = {node: person for person, nodes in members.items() for node in nodes}
    exposures: dict[Person, list[Exposure]] = defaultdict(list)
    conversions: dict[Person, list[Conversion]] = defaultdict(list)
    for node, kind, id_, at, variant, *told in connection.execute(
        query("purchase_history"), (to_json(owners), experiment, to_json(steps))
    ):
        if kind == EXPOSURE:
            exposure = Exposure(
                id=id_,
                at=at,
                visitor=VisitorId(str(node)),
                experiment=known.keys[experiment],
                variant=variant,
            )
            exposures[owners[node]].append(exposure)
        else:
            conversions[owners[node]].append(to_conversion(id_, at, *told))
    orders = {c.order for found in conversions.values() for c in found if c.order}
    refunds = refunds_of(connection, orders)
    return [
        History(
            exposures=exposures[person],
            conversions=bought,
            refunds=[r for c in bought if c.order for r in refunds.get(c.order, ())],
        )
        for person, bought in conversions.items()
    ]


def to_conversion(
    id_: bytes,
    at: int,
    step: str,
    value: int | None,
    currency: str | None,
    order: str | None,
    is_trusted: int,
) -> Conversion:
    """Read a conversion as far as its orders need it."""
    return Conversion(
        id=id_,  # type: ignore[arg-type]  # an EventId as it was stored
        at=at,  # type: ignore[arg-type]  # Milliseconds as stored
        step=StepKey(step),
        value=value,
        currency=currency,
        order=order,
        trusted=bool(is_trusted),
    )


def refunds_of(
    connection: sqlite3.Connection, orders: Collection[str]
) -> dict[str, list[Refund]]:
    """Return the refunds of each order that has any."""
    found: dict[str, list[Refund]] = defaultdict(list)
    if orders:
        for order, id_, at, value, currency in connection.execute(
            query("refunds"), (to_json(orders),)
        ):
            found[order].append(
                Refund(id=id_, at=at, order=order, value=value, currency=currency)
            )
    return found
