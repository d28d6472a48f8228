"""Stores a batch of events and what follows from it, inside an open transaction."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from types import MappingProxyType

from abtest.domain.events import (
    Conversion,
    Event,
    EventId,
    Exposure,
    Milliseconds,
    Refund,
)
from abtest.domain.experiment import ExperimentKey, VariantKey, VisitorId
from abtest.store.protocol import ExposureOutcome
from abtest.store.sqlite.arrivals import News, take_in, told_orders
from abtest.store.sqlite.connection import query
from abtest.store.sqlite.events import names_in, orders_in, to_row
from abtest.store.sqlite.experiments import Known
from abtest.store.sqlite.people import Node, People, Person, persons_of, to_json

Placed = tuple[Event, Node | None, Node | None]
"""An event, its visitor and its customer."""

Held = dict[ExperimentKey, VariantKey]
"""The variant of a visitor's own first exposure per experiment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one caller sent."""

    events: Sequence[Event]
    received_at: Milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Exposures of one visitor, to be stored unless there was one before."""

    visitor: VisitorId
    exposures: Sequence[Exposure]
    received_at: Milliseconds


def record(
    connection: sqlite3.Connection,
    known: Known,
    batches: Sequence[Batch],
    *,
    unassigned: list[Conversion] | None = None,
) -> list[tuple[bool, ...]]:
    """Store the events that are new and bring everything derived up to date.

    Args:
        unassigned: takes the new conversions of persons who are in no experiment.

    Returns:
        For each batch one flag per event: whether it is new.

    Raises:
        AbtestError: `not_found` for an exposure in an unknown experiment, `invalid`
            for what retention no longer admits.
    """
    stored = _stored_ids(connection, (e.id for b in batches for e in b.events))
    fresh: dict[EventId, tuple[Event, Milliseconds]] = {}
    flags: list[tuple[bool, ...]] = []
    for batch in batches:
        is_new: list[bool] = []
        for event in batch.events:
            is_new.append(event.id not in stored and event.id not in fresh)
            if is_new[-1]:
                fresh[event.id] = (event, batch.received_at)
        flags.append(tuple(is_new))
    if fresh:
        for event, _ in fresh.values():
            known.retention.check(event)
        lonely = _add(connection, known, list(fresh.values()))
        if unassigned is not None:
            unassigned += lonely
    return flags


def expose(
    connection: sqlite3.Connection, known: Known, requests: Sequence[Wanted]
) -> list[dict[ExperimentKey, ExposureOutcome]]:
    """Store those exposures whose experiment the visitor has not met.

    Raises:
        AbtestError: `not_found` for an unknown experiment.
    """
    held = find_exposures(connection, {wanted.visitor for wanted in requests})
    missing: list[list[Exposure]] = []
    for wanted in requests:
        mine = held[wanted.visitor]
        missing.append([])
        for exposure in wanted.exposures:
            if exposure.experiment not in mine:
                mine[exposure.experiment] = exposure.variant
                missing[-1].append(exposure)
    flags = record(
        connection,
        known,
        [
            Batch(events=exposures, received_at=wanted.received_at)
            for wanted, exposures in zip(requests, missing, strict=True)
        ],
    )
    answers: list[dict[ExperimentKey, ExposureOutcome]] = []
    for wanted, exposures, is_new in zip(requests, missing, flags, strict=True):
        first = {exposure.experiment for exposure in compress(exposures, is_new)}
        answers.append(
            {
                key: ExposureOutcome(
                    variant=held[wanted.visitor][key], is_first=key in first
                )
                for key in (exposure.experiment for exposure in wanted.exposures)
            }
        )
    return answers


def find_exposures(
    connection: sqlite3.Connection, visitors: Iterable[VisitorId]
) -> dict[VisitorId, Held]:
    """Return what each visitor holds."""
    found: dict[VisitorId, Held] = {visitor: {} for visitor in visitors}
    for visitor, experiment, variant in connection.execute(
        query("find_exposures"), (to_json(found),)
    ).fetchall():
        found[visitor][experiment] = variant
    return found


def exposures_of(
    connection: sqlite3.Connection, visitor: VisitorId
) -> Mapping[ExperimentKey, VariantKey]:
    """Return what one visitor holds; visitors who hold the same share the answer."""
    rows = connection.execute(query("exposures_of"), (visitor,)).fetchall()
    return _held(tuple(rows))


@lru_cache(maxsize=4096)
def _held(
    rows: tuple[tuple[ExperimentKey, VariantKey], ...],
) -> Mapping[ExperimentKey, VariantKey]:
    return MappingProxyType(dict(rows))


def _stored_ids(connection: sqlite3.Connection, ids: Iterable[EventId]) -> set[EventId]:
    joined = b"".join(ids)
    return {id_ for (id_,) in connection.execute(query("known_events"), (joined,))}


def _add(
    connection: sqlite3.Connection,
    known: Known,
    received: Sequence[tuple[Event, Milliseconds]],
) -> list[Conversion]:
    """Store events; return the conversions of persons who are in no experiment."""
    events = [event for event, _ in received]
    orders = told_orders(connection, orders_in(events))
    named = [(event, *names_in(event)) for event in events]
    people = People(connection, (n for _, *names in named for n in names if n))
    placed = [(event, people.node(v), people.node(c)) for event, v, c in named]
    connection.executemany(
        query("add_event"),
        [
            to_row(
                event,
                received_at,
                visitor=visitor,
                customer=customer,
                number_of=known.number,
            )
            for (_, received_at), (event, visitor, customer) in zip(
                received, placed, strict=True
            )
        ],
    )
    people.join((v, c) for _, v, c in placed if v is not None and c is not None)
    news = _news(connection, known, people, placed)
    lonely = take_in(connection, known, people, news, orders=orders)
    return [c for person in lonely for c in news[person].conversions]


def _news(
    connection: sqlite3.Connection,
    known: Known,
    people: People,
    placed: Iterable[Placed],
) -> dict[Person, News]:
    """Say whom the events concern; note the times that experiments' facts tell of."""
    news: dict[Person, News] = defaultdict(News)
    persons = people.persons
    exposed: dict[int, list[int]] = defaultdict(list)
    converted: dict[str, list[int]] = defaultdict(list)
    orders: set[str] = set()
    for event, visitor, customer in placed:
        node = customer if visitor is None else visitor
        if isinstance(event, Conversion):
            converted[event.step].append(event.at)
            if node is not None:
                news[persons[node]].conversions += (event,)
        elif isinstance(event, Exposure):
            number = known.numbers[event.experiment]
            exposed[number].append(event.at)
            if node is not None:
                news[persons[node]].exposures += ((number, node, event),)
        elif isinstance(event, Refund):
            orders.add(event.order)
    for person in people.merged:
        news.setdefault(person, News())
    if orders:
        buyers = connection.execute(query("ordered_by"), (to_json(orders),)).fetchall()
        found = persons_of(connection, [node for node, _ in buyers])
        for node, step in buyers:
            news[found[node]].refunded += (step,)
    connection.executemany(
        query("extend_exposure_span"),
        [(number, min(times), max(times)) for number, times in exposed.items()],
    )
    connection.executemany(
        query("extend_step_reach"),
        [(step, max(times)) for step, times in converted.items()],
    )
    return news
