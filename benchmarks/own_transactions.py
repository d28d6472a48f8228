"""The same service as one usually writes it: Flask, one transaction a request.

Routes, checks and SQL are those of abtest; what is missing is the door before Flask,
the memory, and the writer that lets those who wait share a commit.
"""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from abtest.app import create_flask
from abtest.config import read_settings
from abtest.store.lean_sqlite_utils import Database
from abtest.store.sqlite.connection import connect
from abtest.store.sqlite.store import SqliteStore
from abtest.web.context import Context

Request = TypeVar("Request")
Answer = TypeVar("Answer")


class OwnTransactions:
    """Each request begins and commits a transaction on its thread's connection."""

    def __init__(self, path: Path, durability: str) -> None:
        self._path = path
        self._durability = durability
        self._local = threading.local()
        # Waiting here is kinder than SQLite's own waiting, which sleeps and polls.
        self._turn = threading.Lock()

    def write(
        self,
        work: Callable[[Database, Sequence[Request]], Sequence[Answer]],
        request: Request,
        *,
        weight: int = 1,
    ) -> Answer:
        """Let the work answer the request; durable when this returns."""
        del weight  # for those who share transactions
        if not hasattr(self._local, "database"):
            self._local.database = connect(self._path, durability=self._durability)
        database: Database = self._local.database
        with self._turn:
            database.conn.execute("BEGIN IMMEDIATE")
            try:
                (answer,) = work(database, [request])
            except BaseException:
                database.conn.execute("ROLLBACK")
                raise
            database.conn.execute("COMMIT")
        return answer

    def close(self) -> None:
        """Leave the connections to the end of the process."""


def _open() -> SqliteStore:
    path = Path(_settings.database)
    store = SqliteStore(path, durability=_settings.durability)
    store._writer = OwnTransactions(path, _settings.durability)  # type: ignore[assignment]  # noqa: SLF001 - the one difference to be measured
    return store


_settings = read_settings(os.environ)
app = create_flask(Context(_settings, _open)).wsgi_app
