"""One thread that writes; whoever waits at the same time shares a commit."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeVar

from abtest.errors import AbtestError, ErrorCode
from abtest.store.lean_sqlite_utils import Database
from abtest.store.sqlite.connection import connect, translated

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """Work inside a transaction; it may be repeated after it was rolled back."""

    work: Callable[[Database], None]
    done: Future[None] = field(default_factory=Future)


class GroupCommit:
    """Runs jobs one after the other; those that wait together are committed together.

    Groups form by themselves while the last commit runs; there is no timer. Nobody
    is answered before the commit is done, and a job that fails fails alone. The
    thread is started by the first job, so that a server may fork before it.
    """

    def __init__(self, path: Path, durability: str) -> None:
        self._path = path
        self._durability = durability
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def write(self, work: Callable[[Database], T]) -> T:
        """Run the work in a transaction; durable when this returns.

        Raises:
            AbtestError: `unavailable`, then nothing was stored; or the work's own.
        """
        answers: list[T] = []

        def answering(database: Database) -> None:
            answers[:] = [work(database)]

        job = _Job(work=answering)
        self._put(job)
        try:
            job.done.result()
        except sqlite3.Error as error:
            raise translated(error, self._path) from error
        return answers[0]

    def close(self) -> None:
        """Finish the jobs that wait and release the file."""
        with self._lock:
            self._is_closed = True
            self._queue.put(None)
            thread = self._thread
        if thread is not None:
            thread.join()

    def _put(self, job: _Job) -> None:
        with self._lock:
            if self._is_closed:
                raise AbtestError(ErrorCode.UNAVAILABLE, "the store is closed")
            self._queue.put(job)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._serve, name="abtest-writer", daemon=True
                )
                self._thread.start()

    def _serve(self) -> None:
        database: Database | None = None
        while (first := self._queue.get()) is not None:
            group = [first, *self._waiting()]
            try:
                database = database or connect(self._path, durability=self._durability)
                database.conn.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                # Those who came while we waited for the lock have waited enough.
                for job in (*group, *self._waiting()):
                    job.done.set_exception(error)
            else:
                _settle(database, group)
        if database is not None:
            database.close()

    def _waiting(self) -> list[_Job]:
        jobs: list[_Job] = []
        try:
            while (job := self._queue.get_nowait()) is not None:
                jobs.append(job)
            self._queue.put(None)  # the end, to be seen again by `_serve`
        except Empty:
            pass
        return jobs


def _settle(database: Database, group: Sequence[_Job]) -> None:
    """Do the jobs in the open transaction, commit and answer.

    When the whole transaction is lost (SQLite undoes it when the disk is full) each
    job gets one of its own, so that small ones may still succeed.
    """
    try:
        answers = _attempt(database, group)
    except Exception as error:  # noqa: BLE001 - it belongs to those who wait
        database.rollback()
        for job in group:
            if len(group) == 1:
                job.done.set_exception(error)
            else:
                _settle_alone(database, job)
    else:
        for answer in answers:
            answer()


def _settle_alone(database: Database, job: _Job) -> None:
    try:
        database.conn.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        job.done.set_exception(error)
    else:
        _settle(database, [job])


def _attempt(database: Database, group: Sequence[_Job]) -> list[Callable[[], None]]:
    """Run each job inside its own savepoint and commit; return how to answer."""
    connection = database.conn
    answers: list[Callable[[], None]] = []
    for job in group:
        connection.execute("SAVEPOINT job")
        try:
            job.work(database)
        except Exception as error:
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO job")
            answers.append(partial(job.done.set_exception, error))
        else:
            answers.append(partial(job.done.set_result, None))
        connection.execute("RELEASE job")
    connection.execute("COMMIT")
    return answers
