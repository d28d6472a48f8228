"""Derives everything from the raw events into temporary tables, while others write.

A temporary table hides the stored one of the same name, so that the very code that
keeps the stored tables fills the temporary ones.
"""

import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from abtest.store.lean_sqlite_utils import Database
from abtest.store.protocol import Progress
from abtest.store.sqlite.connection import query
from abtest.store.sqlite.experiments import Experiments, Known
from abtest.store.sqlite.folded import add_folded
from abtest.store.sqlite.outcomes import PERSONS_AT_ONCE, judge_whole
from abtest.store.sqlite.people import (
    Node,
    Person,
    join_persons,
    persons_of,
    to_json,
)

DERIVED = (
    "person",
    "outcome",
    "cohort",
    "cell",
    "pair",
    "step_cell",
    "covariate_cohort",
    "covariate_cell",
    "exposure_span",
    "step_reach",
    "activity",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The events that temporary tables were derived from.

    Attributes:
        stamp: of the experiments, which says how events are judged.
        last: the newest event, and its id.
        events: how many there were; fewer are left when some were deleted.
    """

    stamp: int
    last: int
    last_id: bytes | None
    events: int


def hide_derived(database: Database, path: Path) -> None:
    """Open empty temporary tables, in files beside the database where that works."""
    connection = database.conn
    folder = str(path.absolute().parent).replace("'", "''")
    try:
        connection.execute(f"PRAGMA temp_store_directory = '{folder}'")
    except sqlite3.Error:
        connection.execute("PRAGMA temp_store_directory = ''")
    connection.execute("PRAGMA temp_store = FILE")
    for table in DERIVED:
        connection.execute(f"DROP TABLE IF EXISTS temp.{table}")
    connection.execute("DROP TABLE IF EXISTS temp.touched")
    for (sql,) in connection.execute(
        query("schema_of"), (to_json(DERIVED),)
    ).fetchall():
        connection.execute(_temporary(sql))
    connection.execute("CREATE TEMP TABLE touched (node INTEGER PRIMARY KEY)")


def derive(database: Database) -> Iterator[Progress]:
    """Fill the temporary tables as of the open transaction."""
    connection = database.conn
    known = Experiments().known(database)
    connection.execute(query("derive_exposure_span"))
    connection.execute(query("derive_step_reach"))
    _derive_persons(connection)
    total = database.table("node").count_where("kind = 1")
    done = last = 0
    while persons := [
        Person(node)
        for (node,) in connection.execute(
            query("next_persons"), (last, PERSONS_AT_ONCE)
        )
    ]:
        judge_whole(connection, known, persons)
        done += database.table("node").count_where(
            "kind = 1 AND id > ? AND id <= ?", [last, persons[-1]]
        )
        last = persons[-1]
        yield Progress(done=done, total=total)
    add_folded(connection)


def look(database: Database) -> Seen:
    """Say which events the open transaction sees."""
    connection = database.conn
    (stamp,) = connection.execute("SELECT stamp FROM experiment_stamp").fetchone()
    last, last_id = connection.execute(
        "SELECT seq, id FROM event ORDER BY seq DESC LIMIT 1"
    ).fetchone() or (0, None)
    (events,) = connection.execute("SELECT count(*) FROM event").fetchone()
    return Seen(stamp=stamp, last=last, last_id=last_id, events=events)


def has_only_grown(connection: sqlite3.Connection, seen: Seen, now: Seen) -> bool:
    """Whether all that happened since is that events came in."""
    last_id = connection.execute(
        "SELECT id FROM event WHERE seq = ?", (seen.last,)
    ).fetchone()
    (added,) = connection.execute(
        "SELECT count(*) FROM event WHERE seq > ?", (seen.last,)
    ).fetchone()
    return (
        now.stamp == seen.stamp
        and (last_id or (None,)) == (seen.last_id,)
        and now.events == seen.events + added
    )


def catch_up(connection: sqlite3.Connection, known: Known, after: int) -> None:
    """Take the events that came after one into the temporary tables."""
    rows = connection.execute(query("came_after"), (after,)).fetchall()
    nodes = {Node(node) for v, c, _ in rows for node in (v, c) if node is not None}
    orders = [order for v, c, order in rows if order is not None and v is c is None]
    if orders:
        buyers = connection.execute(query("ordered_by"), (to_json(orders),))
        nodes.update(node for node, _ in buyers.fetchall())
    persons = persons_of(connection, nodes)
    links = [(v, c) for v, c, _ in rows if v is not None and c is not None]
    persons, _ = join_persons(connection, persons, links)
    for name, extend in (
        ("exposure_span_after", "extend_exposure_span"),
        ("step_reach_after", "extend_step_reach"),
    ):
        found = connection.execute(query(name), (after,)).fetchall()
        connection.executemany(query(extend), found)
    for some in _in_parts(sorted(set(persons.values()))):
        members = judge_whole(connection, known, some)
        connection.executemany(
            "INSERT OR IGNORE INTO touched VALUES (?)",
            [(node,) for found in members.values() for node in found],
        )


def _in_parts(persons: list[Person]) -> Iterable[list[Person]]:
    return (
        persons[i : i + PERSONS_AT_ONCE]
        for i in range(0, len(persons), PERSONS_AT_ONCE)
    )


def _derive_persons(connection: sqlite3.Connection) -> None:
    """Join nodes that an event joins; eight bytes of memory for each node."""
    (last,) = connection.execute("SELECT max(id) FROM node").fetchone()
    parent = array("q", range((last or 0) + 1))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    for visitor, customer in connection.execute(query("links")):
        kept, gone = sorted((root(visitor), root(customer)))
        parent[gone] = kept
    connection.executemany(
        "INSERT INTO person (node, representative) VALUES (?, ?)",
        ((node, root(node)) for node in range(len(parent)) if parent[node] != node),
    )


def _temporary(sql: str) -> str:
    """Turn the statement that made a table or index into one for a temporary one."""
    return sql.replace("CREATE TABLE ", "CREATE TEMP TABLE ", 1).replace(
        "CREATE INDEX ", "CREATE INDEX temp.", 1
    )
