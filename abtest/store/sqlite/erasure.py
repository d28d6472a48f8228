"""Deletes persons: their events, their names, and every trace of these in the files."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from time import sleep
from typing import TypeVar

from abtest.domain.experiment import VisitorId
from abtest.domain.person import NameKind, PersonName
from abtest.errors import AbtestError, ErrorCode
from abtest.store.lean_sqlite_utils import Database
from abtest.store.privacy_protocol import Erased
from abtest.store.sqlite.connection import BUSY_SECONDS, query
from abtest.store.sqlite.events import EXPOSURE
from abtest.store.sqlite.outcome_rows import from_row
from abtest.store.sqlite.people import Node, to_json
from abtest.store.sqlite.persons import names_of, nodes_of
from abtest.store.sqlite.rollup import Sums
from abtest.store.sqlite.traces import are_found

T = TypeVar("T")

Alone = Callable[[Callable[[Database], T]], T]
"""Gives work the writing connection for itself."""

_TRIES = 60
_PAUSE = 0.25
"""Seconds between two tries."""
_PATIENCE = 250
"""Milliseconds for which a try may keep others waiting."""


def erase(
    database: Database, name: PersonName
) -> tuple[Erased, tuple[PersonName, ...]]:
    """Delete the person with this name inside an open transaction.

    The caller has switched foreign keys off: SQLite would look through all events for
    each deleted name.

    Returns:
        What was deleted, and the names whose traces must go: all but those that
        somebody else bears, a customer called like the visitor.
    """
    connection = database.conn
    nodes = nodes_of(connection, name)
    if not nodes:
        return Erased(persons=0, events=0), _unshared(connection, [name])
    names = names_of(connection, nodes)
    contributions_of(connection, nodes, sign=-1).write(connection)
    times = times_of(connection, nodes)
    events = forget(connection, nodes)
    for kind, experiment, step, first, last in times:
        if kind == EXPOSURE:
            _renew_exposure_span(connection, experiment, first, last)
        else:
            _renew_step_reach(connection, step, last)
    return Erased(persons=1, events=events), _unshared(connection, names)


def contributions_of(
    connection: sqlite3.Connection, nodes: Iterable[Node], *, sign: int = 1
) -> Sums:
    """Return what the nodes contribute to all sums, or with sign -1 its opposite."""
    sums = Sums()
    for visitor, experiment, *row in connection.execute(
        query("stored_outcomes"), (to_json(nodes),)
    ):
        variant, day, variants_seen, detail = row
        outcome = from_row(
            VisitorId(str(visitor)), (variant, day, variants_seen, detail)
        )
        sums.add(experiment, outcome, sign=sign)
    return sums


def times_of(
    connection: sqlite3.Connection, nodes: Iterable[Node]
) -> list[tuple[int, int, str, int, int]]:
    """Return kind, experiment or step, first and last time of what the nodes did."""
    return connection.execute(query("times_of"), (to_json(nodes),)).fetchall()


def forget(connection: sqlite3.Connection, nodes: Sequence[Node]) -> int:
    """Delete the nodes of whole persons, and all of their events; return how many."""
    ids = to_json(nodes)
    refunds = [seq for (seq,) in connection.execute(query("sole_refunds"), (ids,))]
    events = 0
    for condition, chosen in (
        ("seq", to_json(refunds)),
        ("coalesce(visitor, customer)", ids),
    ):
        events += connection.execute(
            f"DELETE FROM event WHERE {condition} IN (SELECT value FROM json_each(?))",  # noqa: S608 - from the lines above
            (chosen,),
        ).rowcount
    for table, column in (("outcome", "visitor"), ("person", "node"), ("node", "id")):
        connection.execute(
            f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))",  # noqa: S608 - from the line above
            (ids,),
        )
    return events


def transact(database: Database, work: Callable[[Database], T]) -> T:
    """Do the work in a transaction of its own that does not look after foreign keys."""
    connection = database.conn
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        connection.execute("BEGIN IMMEDIATE")
        answer = work(database)
        connection.execute("COMMIT")
    finally:
        database.rollback()
        connection.execute("PRAGMA foreign_keys = ON")
    return answer


def clean(alone: Alone[bool], path: Path, names: Iterable[PersonName]) -> None:
    """Remove the deleted names from the files.

    Zeros were written over them, in the write-ahead log at first. SQLite may have
    left copies in unused parts of pages that were split long ago (about one name in
    50,000): then the index of names is made anew, and if need be the whole file.

    Raises:
        AbtestError: `unavailable` while somebody reads an old state of the database.

    What is found even then belongs to somebody else: part of a longer name, say.
    """
    written = [name.name for name in names]
    if not empty_log(alone):
        raise _not_clean()
    for remedy in ("REINDEX node", "VACUUM"):
        if not are_found(path, written):
            return
        alone(partial(_apply, remedy=remedy))
        if not empty_log(alone):
            raise _not_clean()


def empty_log(alone: Alone[bool]) -> bool:
    """Move the write-ahead log into the database and cut it to nothing.

    Between the tries others may write, so that a long reader holds up nobody else.

    Returns:
        Whether it could be done; not while somebody reads an old state.
    """
    for attempt in range(_TRIES):
        if attempt:
            sleep(_PAUSE)
        if alone(_try_to_empty_log):
            return True
    return False


def _try_to_empty_log(database: Database) -> bool:
    connection = database.conn
    connection.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
    try:
        (is_busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {round(BUSY_SECONDS * 1000)}")
    return not is_busy


def _apply(database: Database, *, remedy: str) -> bool:
    database.conn.execute(remedy)
    return True


def _renew_exposure_span(
    connection: sqlite3.Connection, experiment: int, first: int, last: int
) -> None:
    """Find the span again if it began or ended with what was deleted."""
    # All exposures are looked through: nothing else asks for their order in time.
    if connection.execute(
        "DELETE FROM exposure_span"
        " WHERE experiment = ? AND (first_at >= ? OR last_at <= ?)",
        (experiment, first, last),
    ).rowcount:
        connection.execute(query("derive_exposure_span_of"), (experiment,))


def _renew_step_reach(connection: sqlite3.Connection, step: str, last: int) -> None:
    if connection.execute(
        "DELETE FROM step_reach WHERE step = ? AND last_at <= ?", (step, last)
    ).rowcount:
        connection.execute(query("derive_step_reach_of"), (step,))


def _unshared(
    connection: sqlite3.Connection, names: Iterable[PersonName]
) -> tuple[PersonName, ...]:
    return tuple(
        name
        for name in names
        if not any(
            nodes_of(connection, PersonName(kind=kind, name=name.name))
            for kind in NameKind
        )
    )


def _not_clean() -> AbtestError:
    return AbtestError(
        ErrorCode.UNAVAILABLE,
        "the person is deleted, but the files may still hold traces because another"
        " process is reading them; erase again in a moment",
    )
