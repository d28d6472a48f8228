"""Stores very many events, inside an open transaction: `record` for whole persons."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

from abtest.domain.events import (
    Conversion,
    Event,
    Exposure,
    Identity,
    Milliseconds,
    Refund,
)
from abtest.store.protocol import Bookmark
from abtest.store.sqlite.arrivals import News, take_in, told_orders
from abtest.store.sqlite.connection import query
from abtest.store.sqlite.events import Row, orders_in, to_row
from abtest.store.sqlite.experiments import Known
from abtest.store.sqlite.people import (
    CUSTOMER,
    VISITOR,
    Node,
    People,
    Person,
    persons_of,
    to_json,
)

CACHE_KIB = 32 * 2**10
"""For the indexes, over which each batch is spread; with twice as much a million events
take the same time, because the operating system keeps their pages too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is to be stored, and the setting that says so afterwards."""

    events: Sequence[Event]
    received_at: Milliseconds
    bookmark: Bookmark


def load(
    connection: sqlite3.Connection,
    known: Known,
    request: Load,
    *,
    unassigned: list[Conversion],
) -> tuple[bool, ...]:
    """Store the events that are new, what follows from them, and the bookmark.

    Args:
        unassigned: takes the new conversions of persons who are in no experiment.

    Returns:
        One flag per event: whether it is new.

    Raises:
        AbtestError: as `record`.
    """
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    flags = _which_are_new(connection, request.events)
    events = list(compress(request.events, flags))
    if known.retention.horizon is not None:
        for event in events:
            known.retention.check(event)
    if events:
        unassigned += _add(connection, known, events, request.received_at)
    name, value = request.bookmark.name, request.bookmark.value
    connection.execute("DELETE FROM setting WHERE name = ?", (name,))
    if value is not None:
        connection.execute("INSERT INTO setting VALUES (?, ?)", (name, value))
    return flags


def _which_are_new(
    connection: sqlite3.Connection, events: Sequence[Event]
) -> tuple[bool, ...]:
    # In order neighbours in the index are met one after the other: a third faster.
    ids = b"".join(sorted(event.id for event in events))
    seen = {id_ for (id_,) in connection.execute(query("known_events"), (ids,))}
    flags: list[bool] = []
    for event in events:
        flags.append(event.id not in seen)
        seen.add(event.id)
    return tuple(flags)


def _add(
    connection: sqlite3.Connection,
    known: Known,
    events: Sequence[Event],
    received_at: Milliseconds,
) -> list[Conversion]:
    orders = told_orders(connection, orders_in(events))
    placed = _place(connection, known, events, received_at)
    people = placed.people
    connection.executemany(query("add_event"), placed.rows)
    owned = zip(events, placed.owners, strict=True)
    news = _news(connection, known, people.persons, owned)
    for person in people.merged:
        news.setdefault(person, News())
    lonely = take_in(connection, known, people, news, orders=orders)
    return [c for person in lonely for c in news[person].conversions]


@dataclass(frozen=True, slots=True)
class _Placed:
    """Events with the nodes and rows that they got."""

    people: People
    owners: list[Node | None]
    rows: list[Row]


def _place(
    connection: sqlite3.Connection,
    known: Known,
    events: Sequence[Event],
    received_at: Milliseconds,
) -> _Placed:
    """Number the names in the events, join whom they join, and write their rows."""
    named = [_names_in(event) for event in events]
    visitors = dict.fromkeys(visitor for visitor, _ in named if visitor)
    customers = dict.fromkeys(customer for _, customer in named if customer)
    people = People(
        connection,
        [
            *((VISITOR, visitor) for visitor in visitors),
            *((CUSTOMER, customer) for customer in customers),
        ],
    )
    visitor_nodes = {name: people.nodes[VISITOR, name] for name in visitors}
    customer_nodes = {name: people.nodes[CUSTOMER, name] for name in customers}
    nodes = [(visitor_nodes.get(v), customer_nodes.get(c)) for v, c in named]
    people.join((v, c) for v, c in nodes if v is not None and c is not None)
    return _Placed(
        people=people,
        owners=[
            customer if visitor is None else visitor for visitor, customer in nodes
        ],
        rows=[
            to_row(
                event,
                received_at,
                visitor=visitor,
                customer=customer,
                number_of=known.number,
            )
            for event, (visitor, customer) in zip(events, nodes, strict=True)
        ],
    )


def _names_in(event: Event) -> tuple[str, str]:
    """Return visitor and customer; empty for nobody."""
    match event:
        case Conversion() | Identity():
            return event.visitor or "", event.customer or ""
        case Exposure():
            return event.visitor, ""
        case _:
            return "", ""


def _news(
    connection: sqlite3.Connection,
    known: Known,
    persons: Mapping[Node, Person],
    placed: Iterable[tuple[Event, Node | None]],
) -> dict[Person, News]:
    """Say whom the events concern; note the times that experiments' facts tell of."""
    found: dict[Person, tuple[list[tuple[int, Node, Exposure]], list[Conversion]]] = {}
    exposed: dict[int, list[int]] = defaultdict(list)
    reached: dict[str, int] = {}
    orders: set[str] = set()
    for event, node in placed:
        if isinstance(event, Conversion):
            if event.at > reached.get(event.step, 0):
                reached[event.step] = event.at
            if node is not None:
                found.setdefault(persons[node], ([], []))[1].append(event)
        elif isinstance(event, Exposure):
            number = known.numbers[event.experiment]
            exposed[number].append(event.at)
            if node is not None:
                told = (number, node, event)
                found.setdefault(persons[node], ([], []))[0].append(told)
        elif isinstance(event, Refund):
            orders.add(event.order)
    news = {p: News(tuple(e), tuple(c)) for p, (e, c) in found.items()}
    if orders:
        buyers = connection.execute(query("ordered_by"), (to_json(orders),)).fetchall()
        whose = persons_of(connection, [node for node, _ in buyers])
        for node, step in buyers:
            news.setdefault(whose[node], News()).refunded += (step,)
    connection.executemany(
        query("extend_exposure_span"),
        [(number, min(times), max(times)) for number, times in exposed.items()],
    )
    connection.executemany(query("extend_step_reach"), list(reached.items()))
    return news
