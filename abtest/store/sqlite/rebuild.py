"""Derives everything from the raw events again, to replace or to compare it."""

import sqlite3
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from abtest.domain.experiment import ExperimentKey
from abtest.store.lean_sqlite_utils import Database
from abtest.store.protocol import Difference, Progress
from abtest.store.sqlite.connection import connect, query, translated
from abtest.store.sqlite.experiments import Experiments, Known
from abtest.store.sqlite.outcomes import EVERYTHING, PERSONS_AT_ONCE, judge
from abtest.store.sqlite.people import Person, members_of, to_json

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
)


def rebuild(path: Path, durability: str) -> Iterator[Progress]:
    """Replace everything derived, in one transaction of its own."""
    database = connect(path, durability=durability)
    try:
        database.conn.execute("BEGIN IMMEDIATE")
        for table in DERIVED:
            database.table(table).delete_where()
        yield from _derive(database)
        database.conn.execute("COMMIT")
    except sqlite3.Error as error:
        raise translated(error, path) from error
    finally:
        database.rollback()
        database.close()


def verify(path: Path) -> Iterator[Progress | Difference]:
    """Derive everything into temporary tables and compare; changes nothing.

    A temporary table hides the stored one of the same name, so that the very code
    that derives the stored tables fills the temporary ones.
    """
    database = connect(path)
    try:
        database.conn.execute("BEGIN")
        for (sql,) in database.execute(
            query("schema_of"), (to_json(DERIVED),)
        ).fetchall():
            database.execute(_temporary(sql))
        yield from _derive(database)
        known = Experiments().known(database)
        for table in DERIVED:
            yield from _differences(database, known, table)
    except sqlite3.Error as error:
        raise translated(error, path) from error
    finally:
        database.rollback()
        database.close()


def _derive(database: Database) -> Iterator[Progress]:
    """Fill the derived tables, which are empty."""
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
        members = members_of(connection, persons)
        reasons = {p: {EVERYTHING} for p in persons}
        judge(connection, known, members, reasons=reasons, stored={})
        done += database.table("node").count_where(
            "kind = 1 AND id > ? AND id <= ?", [last, persons[-1]]
        )
        last = persons[-1]
        yield Progress(done=done, total=total)


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


def _differences(database: Database, known: Known, table: str) -> Iterator[Difference]:
    columns = database.table(table).columns
    names = [column.name for column in columns]
    keys = [column.name for column in columns if column.is_pk]
    sql = query("differences").format(
        table=table,
        stored=", ".join(f"stored.{name}" for name in names),
        expected=", ".join(f"expected.{name}" for name in names),
        same_key=" AND ".join(f"stored.{name} = expected.{name}" for name in keys),
        key=keys[0],
    )
    for row in database.conn.execute(sql):
        stored = dict(zip(names, row[: len(names)], strict=True))
        expected = dict(zip(names, row[len(names) :], strict=True))
        place = expected if stored[keys[0]] is None else stored
        yield Difference(
            experiment=known.keys.get(place.get("experiment", 0), ExperimentKey("")),
            table=table,
            where=" ".join(f"{k}={place[k]}" for k in keys if k != "experiment"),
            stored=_values(stored, keys),
            expected=_values(expected, keys),
        )


def _values(row: Mapping[str, str | int | None], keys: Sequence[str]) -> str:
    if row[keys[0]] is None:
        return "no row"
    return " ".join(f"{name}={row[name]}" for name in row if name not in keys)
