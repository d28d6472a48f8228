"""Replaces or compares what is stored with what the raw events say."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from abtest.domain.experiment import ExperimentKey
from abtest.errors import AbtestError, ErrorCode
from abtest.store.lean_sqlite_utils import Database
from abtest.store.protocol import Difference, Progress
from abtest.store.sqlite.connection import connect, query, translated
from abtest.store.sqlite.deriving import (
    DERIVED,
    catch_up,
    derive,
    has_only_grown,
    hide_derived,
    look,
)
from abtest.store.sqlite.experiments import Experiments, Known

_ATTEMPTS = 3
_BY_NODE = {"person": "node", "outcome": "visitor"}
"""Tables with a row for each visitor: of these only what is wrong is replaced."""


def rebuild(path: Path, durability: str) -> Iterator[Progress]:
    """Replace everything derived that is not what the events say.

    It is derived as of one moment while others go on writing; what they wrote is
    added in the transaction that replaces, which is short.

    Raises:
        AbtestError: `unavailable` when plans were changed or events deleted meanwhile,
            several times.
    """
    database = connect(path, durability=durability)
    connection = database.conn
    try:
        for _ in range(_ATTEMPTS):
            hide_derived(database, path)
            connection.execute("BEGIN")
            seen = look(database)
            yield from derive(database)
            connection.execute("COMMIT")
            # What came in meanwhile is taken in twice: the second time is short.
            for begin in ("BEGIN", "BEGIN IMMEDIATE"):
                connection.execute(begin)
                now = look(database)
                if not has_only_grown(connection, seen, now):
                    connection.execute("ROLLBACK")
                    break
                catch_up(connection, Experiments().known(database), seen.last)
                seen = now
                if begin == "BEGIN":
                    connection.execute(query("outcomes_to_mend"))
                    connection.execute(query("persons_to_mend"))
                else:
                    _replace(connection)
                connection.execute("COMMIT")
            else:
                return
        raise AbtestError(
            ErrorCode.UNAVAILABLE,
            "plans were changed or persons deleted again and again meanwhile;"
            " rebuild once more",
        )
    except sqlite3.Error as error:
        raise translated(error, path) from error
    finally:
        database.rollback()
        database.close()


def verify(path: Path) -> Iterator[Progress | Difference]:
    """Derive everything into temporary tables and compare; changes nothing."""
    database = connect(path)
    try:
        hide_derived(database, path)
        database.conn.execute("BEGIN")
        yield from derive(database)
        _overlook(database.conn)
        known = Experiments().known(database)
        for table in DERIVED:
            yield from _differences(database, known, table)
    except sqlite3.Error as error:
        raise translated(error, path) from error
    finally:
        database.rollback()
        database.close()


def _replace(connection: sqlite3.Connection) -> None:
    """Put what was derived in the place of what is stored."""
    for table in DERIVED:
        rows = table
        if table in _BY_NODE:
            rows += f" WHERE {_BY_NODE[table]} IN (SELECT node FROM temp.touched)"  # noqa: S608 - from the table above
        for sql in (
            f"DELETE FROM main.{rows}",  # noqa: S608 - from the tables above
            f"INSERT INTO main.{table} SELECT * FROM temp.{rows}",  # noqa: S608 - as above
        ):
            connection.execute(sql)


def _overlook(connection: sqlite3.Connection) -> None:
    """Make equal in both tables what tells of the past: `changes`, unknown journeys."""
    for name in (
        "overlook_empty_days",
        "overlook_quiet_days",
        "overlook_changes",
        "overlook_journeys",
    ):
        connection.execute(query(name))


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
