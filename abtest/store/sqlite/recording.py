"""Stores a batch of events and what follows from it, inside an open transaction."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence

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


def record(
    connection: sqlite3.Connection,
    known: Known,
    batch: Sequence[Event],
    *,
    received_at: Milliseconds,
) -> tuple[bool, ...]:
    """Store the events that are new and bring everything derived up to date.

    Returns:
        One flag per event: whether it is new.

    Raises:
        AbtestError: `not_found` for an exposure in an unknown experiment.
    """
    stored = _stored_ids(connection, [event.id for event in batch])
    fresh: dict[EventId, Event] = {}
    is_new = []
    for event in batch:
        is_new.append(event.id not in stored and event.id not in fresh)
        if is_new[-1]:
            fresh[event.id] = event
    if fresh:
        _add(connection, known, list(fresh.values()), received_at)
    return tuple(is_new)


def expose(
    connection: sqlite3.Connection,
    known: Known,
    visitor: VisitorId,
    *,
    wanted: Sequence[Exposure],
    received_at: Milliseconds,
) -> dict[ExperimentKey, ExposureOutcome]:
    """Store those exposures whose experiment the visitor has not met."""
    held = find_exposures(connection, visitor)
    shown = {exposure.experiment: exposure for exposure in reversed(wanted)}
    missing = [exposure for key, exposure in shown.items() if key not in held]
    flags = record(connection, known, missing, received_at=received_at)
    is_first = {e.experiment: flag for e, flag in zip(missing, flags, strict=True)}
    return {
        key: ExposureOutcome(
            variant=held.get(key, exposure.variant), is_first=is_first.get(key, False)
        )
        for key, exposure in shown.items()
    }


def find_exposures(
    connection: sqlite3.Connection, visitor: VisitorId
) -> dict[ExperimentKey, VariantKey]:
    """Return the variant of the visitor's own first exposure per experiment."""
    return dict(connection.execute(query("find_exposures"), (visitor,)).fetchall())


def _stored_ids(connection: sqlite3.Connection, ids: Iterable[EventId]) -> set[EventId]:
    joined = b"".join(ids)
    return {id_ for (id_,) in connection.execute(query("known_events"), (joined,))}


def _add(
    connection: sqlite3.Connection,
    known: Known,
    events: Sequence[Event],
    received_at: Milliseconds,
) -> None:
    named = [(event, *names_in(event)) for event in events]
    people = People(connection, (n for _, *names in named for n in names if n))
    placed = [(event, people.node(v), people.node(c)) for event, v, c in named]
    rows = [
        to_row(
            event,
            received_at,
            visitor=visitor,
            customer=customer,
            number_of=known.number,
        )
        for event, visitor, customer in placed
    ]
    connection.executemany(query("add_event"), rows)
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
