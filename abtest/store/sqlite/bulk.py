"""Stores very many events, inside an open transaction: `record` for whole persons."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from abtest.domain.events import Conversion, Cost, Event, Exposure, Milliseconds, Refund
from abtest.store.protocol import Bookmark
from abtest.store.sqlite.arrivals import News, take_in, told_orders
from abtest.store.sqlite.connection import query
from abtest.store.sqlite.events import Row, to_row
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

CACHE_KIB = 64 * 2**10
"""The indexes of a million events, over which each batch is spread."""


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
    ids = b"".join([event.id for event in request.events])
    seen = {id_ for (id_,) in connection.execute(query("known_events"), (ids,))}
    fresh: list[Event] = []
    flags: list[bool] = []
    for event in request.events:
        is_new = event.id not in seen
        flags.append(is_new)
        if is_new:
            seen.add(event.id)
            fresh.append(event)
    if fresh:
        if known.retention.horizon is not None:
            for event in fresh:
                known.retention.check(event)
        unassigned += _add(connection, known, fresh, request.received_at)
    name, value = request.bookmark.name, request.bookmark.value
    connection.execute("DELETE FROM setting WHERE name = ?", (name,))
    if value is not None:
        connection.execute("INSERT INTO setting VALUES (?, ?)", (name, value))
    return tuple(flags)


def _add(
    connection: sqlite3.Connection,
    known: Known,
    events: Sequence[Event],
    received_at: Milliseconds,
) -> list[Conversion]:
    orders = told_orders(
        connection,
        [
            event.order
            for event in events
            if isinstance(event, Conversion | Refund) and event.order is not None
        ],
    )
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
    visitors: dict[str, None] = {}
    customers: dict[str, None] = {}
    for event in events:
        if isinstance(event, Refund | Cost):
            continue
        if event.visitor is not None:
            visitors[event.visitor] = None
        if not isinstance(event, Exposure) and event.customer is not None:
            customers[event.customer] = None
    names = [(VISITOR, name) for name in visitors]
    names += [(CUSTOMER, name) for name in customers]
    people = People(connection, names)
    nodes = people.nodes
    visitor_nodes = {name: nodes[VISITOR, name] for name in visitors}
    customer_nodes = {name: nodes[CUSTOMER, name] for name in customers}
    owners: list[Node | None] = []
    rows: list[Row] = []
    links: list[tuple[Node, Node]] = []
    for event in events:
        visitor = customer = None
        if not isinstance(event, Refund | Cost):
            if event.visitor is not None:
                visitor = visitor_nodes[event.visitor]
            if not isinstance(event, Exposure) and event.customer is not None:
                customer = customer_nodes[event.customer]
                if visitor is not None:
                    links.append((visitor, customer))
        owners.append(customer if visitor is None else visitor)
        rows.append(
            to_row(
                event,
                received_at,
                visitor=visitor,
                customer=customer,
                number_of=known.number,
            )
        )
    people.join(links)
    return _Placed(people, owners, rows)


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
