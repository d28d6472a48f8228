"""Stores a batch of events and what follows from it, inside an open transaction."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress

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
from abtest.store.sqlite.connection import query
from abtest.store.sqlite.events import names_in, to_row
from abtest.store.sqlite.experiments import Known
from abtest.store.sqlite.outcomes import EVERYTHING, Reasons, refresh
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
    connection: sqlite3.Connection, known: Known, batches: Sequence[Batch]
) -> list[tuple[bool, ...]]:
    """Store the events that are new and bring everything derived up to date.

    Returns:
        For each batch one flag per event: whether it is new.

    Raises:
        AbtestError: `not_found` for an exposure in an unknown experiment.
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
        _add(connection, known, list(fresh.values()))
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


def _stored_ids(connection: sqlite3.Connection, ids: Iterable[EventId]) -> set[EventId]:
    joined = b"".join(ids)
    return {id_ for (id_,) in connection.execute(query("known_events"), (joined,))}


def _add(
    connection: sqlite3.Connection,
    known: Known,
    received: Sequence[tuple[Event, Milliseconds]],
) -> None:
    events = [event for event, _ in received]
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
    _note_times(connection, known, events)
    refresh(connection, known, _reasons(connection, known, people, placed))


def _note_times(
    connection: sqlite3.Connection, known: Known, events: Iterable[Event]
) -> None:
    """Widen the spans of time that the experiments' facts tell of."""
    exposures: dict[int, list[int]] = defaultdict(list)
    conversions: dict[str, int] = {}
    for event in events:
        if isinstance(event, Exposure):
            exposures[known.number(event.experiment)].append(event.at)
        elif isinstance(event, Conversion):
            latest = conversions.get(event.step, event.at)
            conversions[event.step] = max(latest, event.at)
    connection.executemany(
        query("extend_exposure_span"),
        [(number, min(times), max(times)) for number, times in exposures.items()],
    )
    connection.executemany(query("extend_step_reach"), list(conversions.items()))


def _reasons(
    connection: sqlite3.Connection,
    known: Known,
    people: People,
    placed: Iterable[Placed],
) -> Reasons:
    """Say whom the events concern, and in which experiments or at which steps."""
    reasons: dict[Person, set[int | str]] = defaultdict(set)
    orders: set[str] = set()
    for event, visitor, customer in placed:
        node = customer if visitor is None else visitor
        match event:
            case Exposure() if node is not None:
                reasons[people.persons[node]].add(known.number(event.experiment))
            case Conversion() if node is not None:
                reasons[people.persons[node]].add(event.step)
            case Refund():
                orders.add(event.order)
            case _:
                pass
    for person in people.merged:
        reasons[person].add(EVERYTHING)
    if orders:
        buyers = connection.execute(query("ordered_by"), (to_json(orders),)).fetchall()
        persons = persons_of(connection, [node for node, _ in buyers])
        for node, step in buyers:
            reasons[persons[node]].add(step)
    return reasons
