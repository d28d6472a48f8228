"""Looks at the file itself: is it sound, and can it be written?"""

import sqlite3
from contextlib import closing
from pathlib import Path

from abtest.store.sqlite.connection import connect, is_damage, translated


def quick_check(path: Path) -> tuple[str, ...]:
    """Return what SQLite finds damaged in the file; nothing when it is sound.

    Raises:
        AbtestError: `unavailable` when the file cannot be opened or read now.
    """
    try:
        with closing(connect(path)) as database:
            rows = database.conn.execute("PRAGMA quick_check").fetchall()
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
