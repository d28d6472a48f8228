"""Opens connections, reads through a pool of them, and explains driver errors."""

import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import closing
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from abtest.errors import AbtestError, ErrorCode
from abtest.store.lean_sqlite_utils import Database

T = TypeVar("T")

BUSY_SECONDS = 5.0
_JOURNAL_LIMIT = 64 * 2**20
_CACHE_KIB = 16 * 2**10
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_WHY_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: "another process has kept it locked for 5 seconds",
    sqlite3.SQLITE_LOCKED: "another connection has kept it locked",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk reported an error",
    sqlite3.SQLITE_READONLY: "it is read-only",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore a backup",
    sqlite3.SQLITE_NOTADB: "the file is not an SQLite database",
    sqlite3.SQLITE_NOMEM: "memory ran out",
    sqlite3.SQLITE_PERM: "the operating system denies access",
    sqlite3.SQLITE_PROTOCOL: "too many processes use it at once",
}


def connect(path: Path, *, durability: str = "full") -> Database:
    """Open the existing file in the house's way.

    Transactions are opened by hand: the driver would open deferred ones, which fail
    at once when another writer comes between their first read and their first write.

    Raises:
        sqlite3.Error: see `translated`.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {durability}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_LIMIT}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        return Database(connection, execute_plugins=False, strict=True)
    except BaseException:
        connection.close()
        raise


def translated(error: sqlite3.Error, path: Path) -> Exception:
    """Turn a driver error into `unavailable`; a bug of ours stays what it is."""
    why = _WHY_UNAVAILABLE.get(_primary_code(error))
    if why is None:
        return error
    return AbtestError(
        ErrorCode.UNAVAILABLE,
        f"the database {path.name} cannot be used now: {why}; nothing was stored",
    )


def quick_check(path: Path) -> tuple[str, ...]:
    """Return what SQLite finds damaged in the file; empty when it is sound.

    Raises:
        AbtestError: `unavailable` when the file cannot be opened or read now.
    """
    try:
        with closing(connect(path)) as database:
            rows = database.conn.execute("PRAGMA quick_check").fetchall()
    except sqlite3.Error as error:
        if _primary_code(error) in _DAMAGED:
            return (str(error),)
        raise translated(error, path) from error
    return tuple(finding for (finding,) in rows if finding != "ok")


def try_writing(path: Path) -> None:
    """Write more than this connection may keep in memory, and roll back.

    What does not fit goes to the write-ahead log before the rollback, so a full or
    read-only disk is noticed.

    Raises:
        AbtestError: `unavailable`.
    """
    try:
        with closing(connect(path)) as database:
            database.conn.execute("PRAGMA cache_size = 8")
            database.conn.execute("BEGIN IMMEDIATE")
            database.conn.execute("CREATE TABLE probe (content)")
            database.conn.execute("INSERT INTO probe VALUES (zeroblob(262144))")
            database.conn.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise translated(error, path) from error


@cache
def query(name: str) -> str:
    """Return the SQL of `queries/NAME.sql`."""
    return files(__package__).joinpath("queries", f"{name}.sql").read_text("utf-8")


class Readers:
    """Connections that only read, as many as are needed at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: deque[Database] = deque()

    def read(self, work: Callable[[Database], T]) -> T:
        """Run the work on a connection of its own.

        Raises:
            AbtestError: `unavailable`.
        """
        try:
            database = self._idle.pop()
        except IndexError:
            database = self._connect()
        try:
            return work(database)
        except sqlite3.Error as error:
            raise translated(error, self._path) from error
        finally:
            if database.conn.in_transaction:
                database.conn.rollback()
            self._idle.append(database)

    def close(self) -> None:
        """Release the file."""
        while self._idle:
            self._idle.pop().close()

    def _connect(self) -> Database:
        try:
            database = connect(self._path)
            database.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            raise translated(error, self._path) from error
        return database


def _primary_code(error: sqlite3.Error) -> int:
    """Return the low byte of SQLite's extended code; errors of the driver have none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
