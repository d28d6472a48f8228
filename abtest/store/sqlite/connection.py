"""Opens connections, reads through a pool of them, and explains driver errors."""

import sqlite3
from collections import deque
from collections.abc import Callable
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
_READER_CACHE_KIB = 2 * 2**10
"""There are as many readers as threads; the operating system caches the file too."""

_WHY_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: "another process keeps it locked",
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
        # Deleted space is overwritten with zeros, also where SQLite was built without.
        connection.execute("PRAGMA secure_delete = ON")
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


def is_locked(error: sqlite3.Error) -> bool:
    """Tell whether another process was faster."""
    return _primary_code(error) == sqlite3.SQLITE_BUSY


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether the file itself is at fault."""
    return _primary_code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


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
            database.execute(f"PRAGMA cache_size = -{_READER_CACHE_KIB}")
        except sqlite3.Error as error:
            raise translated(error, self._path) from error
        return database


def _primary_code(error: sqlite3.Error) -> int:
    """Return the low byte of SQLite's extended code; errors of the driver have none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
