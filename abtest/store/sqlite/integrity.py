"""Looks for damage in the file itself."""

import sqlite3
from contextlib import closing
from pathlib import Path

from abtest.store.sqlite.connection import connect, translated


def quick_check(path: Path) -> tuple[str, ...]:
    """Return what SQLite finds wrong with the file; nothing when it is sound.

    Raises:
        AbtestError: `unavailable` when it cannot even be opened.
    """
    try:
        with closing(connect(path)) as database:
            found = database.execute("PRAGMA quick_check").fetchall()
    except sqlite3.DatabaseError as error:
        raise translated(error, path) from error
    return tuple(text for (text,) in found if text != "ok")
