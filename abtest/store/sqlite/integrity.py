"""Looks at the file itself: is it sound, can it be written, is it all there?"""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from abtest.domain.events import Milliseconds
from abtest.errors import AbtestError, ErrorCode
from abtest.store.condition import StoreCondition
from abtest.store.migrate import pending
from abtest.store.sqlite.connection import (
    BUSY_SECONDS,
    connect,
    is_damage,
    translated,
)

_STILL = "mode=ro&immutable=1"
"""For a file that nobody uses: no others are made beside it."""

SERVING_SINCE = "serving_since"
"""The stored setting that stands in the file while a service uses it.

It is in the main file before the first event comes. So a file that has it, and no
write-ahead log beside it, lacks what was in that log.
"""


def quick_check(path: Path) -> tuple[str, ...]:
    """Return what SQLite finds damaged in the file; nothing when it is sound.

    Nothing is written, not even what waits in the write-ahead log.

    Raises:
        AbtestError: `unavailable` when the file cannot be opened or read now.
    """
    return _findings(path, "mode=ro")


def quick_check_still(path: Path) -> tuple[str, ...]:
    """Check a file that nobody uses; makes no other files beside it.

    Raises:
        AbtestError: as `quick_check`.
    """
    return _findings(path, _STILL)


def _findings(path: Path, how: str) -> tuple[str, ...]:
    try:
        with closing(_connect_read_only(path, how)) as connection:
            rows = connection.execute("PRAGMA quick_check").fetchall()
    except sqlite3.Error as error:
        if is_damage(error):
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


def check_rights(path: Path) -> None:
    """Say in one line when this user may not write the file or its folder.

    Raises:
        AbtestError: `unavailable`.
    """
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise _read_only(path, f"the database {path}")
    folder = path.parent
    if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
        raise _read_only(folder, f"the folder {folder} of the database")


def is_cut_off(path: Path) -> bool:
    """Tell whether what a service wrote last is missing from a file nobody uses.

    That is so when the file alone was copied while a service used it, or when its
    write-ahead log was deleted after a crash.

    Raises:
        AbtestError: `unavailable`.
    """
    wal = wal_of(path)
    if wal.exists() and wal.stat().st_size:
        return False
    try:
        with closing(_connect_read_only(path, _STILL)) as connection:
            if not connection.execute(
                "SELECT 1 FROM sqlite_schema WHERE name = 'setting'"
            ).fetchone():
                return False
            found = connection.execute(
                "SELECT 1 FROM setting WHERE name = ?", [SERVING_SINCE]
            ).fetchone()
    except sqlite3.Error as error:
        raise translated(error, path) from error
    return found is not None


def read_condition(path: Path) -> StoreCondition:
    """Tell how the file, its log and the disk are.

    Raises:
        AbtestError: `unavailable` when the file cannot be read, or is of a newer
            version.
    """
    missing = pending(path)
    try:
        with closing(_connect_read_only(path, "mode=ro")) as connection:
            # Without a schema there are no events either.
            newest = None if missing else _last_received(connection)
        wal = wal_of(path)
        disk = shutil.disk_usage(path.parent)
        return StoreCondition(
            pending=missing,
            size=path.stat().st_size,
            log_size=wal.stat().st_size if wal.exists() else 0,
            disk_size=disk.total,
            disk_free=disk.free,
            last_received=newest,
        )
    except sqlite3.Error as error:
        raise translated(error, path) from error
    except OSError as error:
        raise AbtestError(
            ErrorCode.UNAVAILABLE, f"the database {path} cannot be read: {error}"
        ) from error


def _last_received(connection: sqlite3.Connection) -> Milliseconds | None:
    row = connection.execute(
        "SELECT received_at FROM event ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return None if row is None else Milliseconds(row[0])


def _connect_read_only(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}", uri=True, timeout=BUSY_SECONDS
    )


def wal_of(path: Path) -> Path:
    """Return the path of the write-ahead log, whether it is there or not."""
    return path.with_name(f"{path.name}-wal")


def require_room(folder: Path, needed: int) -> None:
    """Check that so many bytes fit into the folder.

    Raises:
        AbtestError: `unavailable`.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise AbtestError(
            ErrorCode.UNAVAILABLE,
            f"the disk of {folder} has {free / 1e6:,.0f} MB free;"
            f" {needed / 1e6:,.0f} MB are needed",
        )


def _read_only(place: Path, name: str) -> AbtestError:
    user = f"user {os.geteuid()}"
    return AbtestError(
        ErrorCode.UNAVAILABLE,
        f"{name} is read-only for {user}; see `ls -ld {place}` and the mount options",
    )
