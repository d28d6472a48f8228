"""Moves the write-ahead log into the database beside the thread that writes."""

import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

from abtest.store.lean_sqlite_utils import Database
from abtest.store.sqlite.connection import connect

_ROWS = 4000
"""After so many written rows the log is worth moving."""

LOG_PAGES = 8000
"""A log of 32 MB is moved by the writer: whatever arrives while the other thread moves
it keeps it from beginning anew, and only little is left to move then."""


class Checkpointer:
    """A thread that starts with the first signal.

    Whoever commits while SQLite moves the log by itself waits for the disk twice. A
    passive checkpoint makes nobody wait.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_due = threading.Event()
        self._is_closed = False
        self._moved_at = 0
        self._thread: threading.Thread | None = None

    def committed(self, database: Database) -> None:
        """Take note that the writer has committed; cheap."""
        written = database.conn.total_changes
        if written - self._moved_at < _ROWS:
            return
        self._moved_at = written
        self._is_due.set()
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._serve, name="abtest-checkpoints", daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        """Finish and release the file."""
        self._is_closed = True
        self._is_due.set()
        if self._thread is not None:
            self._thread.join()

    def _serve(self) -> None:
        # What it cannot do the writer does, and tells those who wait.
        with suppress(sqlite3.Error), closing(connect(self._path)) as database:
            while self._is_due.wait() and not self._is_closed:
                self._is_due.clear()
                with suppress(sqlite3.Error):
                    database.conn.execute("PRAGMA wal_checkpoint(PASSIVE)")
