"""One thread that writes; whoever waits at the same time shares a commit."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import Any, TypeVar

from abtest.errors import AbtestError, ErrorCode
from abtest.store.lean_sqlite_utils import Database
from abtest.store.sqlite import connection
from abtest.store.sqlite.checkpointer import LOG_PAGES, Checkpointer
from abtest.store.sqlite.connection import connect, is_locked, translated
from abtest.store.sqlite.promise import Promise

Request = TypeVar("Request")
Answer = TypeVar("Answer")

Work = Callable[[Database, Sequence[Request]], Sequence[Answer]]
"""Answers requests inside a transaction; may be repeated after a rollback."""

_ASK_AGAIN = 0.001
"""Seconds between two attempts to take the lock."""

_TRIES = 2
"""The seconds of patience are parted, to see in between whether too many wait."""

_FEW = 4
"""So many may wait on for another process, and as many behind them: each holds one of
the server's threads, and the others must stay free for those who only read."""


_LIGHT = 8
_ROOM = 500
"""Events of heavier requests that one transaction takes: 20 ms or so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One request; its types are known to `GroupCommit.write` alone."""

    work: Work[Any, Any]
    request: object
    weight: int = 1
    answer: Promise[Any] = field(default_factory=Promise)
    is_alone: bool = False


class GroupCommit:
    """Does work in transactions; all who wait together are served by one.

    Requests for the same work are handed to it together. Groups form by themselves
    while the last commit runs; there is no timer. Of heavy requests each transaction
    takes a few, in their order, so that a visitor need not wait for all of them.
    Nobody is answered before the commit is done, and a request that fails fails alone.
    The thread is started by the first request, so that a server may fork before it.
    """

    def __init__(self, path: Path, durability: str) -> None:
        self._path = path
        self._durability = durability
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._held_up_until = 0.0
        self._checkpointer = Checkpointer(path)

    def write(
        self, work: Work[Request, Answer], request: Request, *, weight: int = 1
    ) -> Answer:
        """Let the work answer the request; durable when this returns.

        Args:
            weight: events in the request.

        Raises:
            AbtestError: `unavailable`, then nothing was stored; or the work's own.
        """
        job = _Job(work=work, request=request, weight=weight)
        answer: Answer = self._answer(job)
        return answer

    def alone(self, work: Callable[[Database], Answer]) -> Answer:
        """Let the work have the connection for itself, with no transaction open.

        The others wait meanwhile; a transaction that the work leaves open is undone.

        Raises:
            AbtestError: `unavailable`; or the work's own.
        """
        job = _Job(work=lambda db, _: [work(db)], request=None, is_alone=True)
        answer: Answer = self._answer(job)
        return answer

    def close(self) -> None:
        """Answer the requests that wait and release the file."""
        with self._lock:
            self._is_closed = True
            self._queue.put(None)
            thread = self._thread
        if thread is not None:
            thread.join()
        self._checkpointer.close()

    def _answer(self, job: _Job) -> Any:  # noqa: ANN401 - whatever the work answers
        self._put(job)
        try:
            return job.answer.result()
        except sqlite3.Error as error:
            raise translated(error, self._path) from error

    def _put(self, job: _Job) -> None:
        with self._lock:
            if self._is_closed:
                raise AbtestError(ErrorCode.UNAVAILABLE, "the store is closed")
            if monotonic() < self._held_up_until and self._queue.qsize() >= _FEW:
                raise AbtestError(
                    ErrorCode.UNAVAILABLE,
                    "another process keeps the database locked; nothing was stored",
                )
            self._queue.put(job)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._serve, name="abtest-writer", daemon=True
                )
                self._thread.start()

    def _serve(self) -> None:
        database: Database | None = None
        put_off: list[_Job] = []
        while wanted := self._next(put_off):
            jobs, put_off = _parted(wanted)
            is_shared = not all(job.is_alone for job in jobs)
            try:
                database = database or self._connect()
                if is_shared:
                    self._begin(database, jobs)
            except Exception as error:  # noqa: BLE001 - it belongs to those who wait
                # Those who came while we waited for the lock have waited enough.
                for job in (*jobs, *put_off, *self._waiting()):
                    job.answer.set_exception(error)
                put_off = []
                continue
            if is_shared:
                _settle(database, [job for job in jobs if not job.is_alone])
                self._checkpointer.committed(database)
            for job in jobs:
                if job.is_alone:
                    _do_alone(database, job)
        if database is not None:
            database.close()

    def _connect(self) -> Database:
        database = connect(self._path, durability=self._durability)
        database.conn.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        _wait_at_most(database, 0)  # `_begin` asks often instead
        return database

    def _begin(self, database: Database, jobs: list[_Job]) -> None:
        """Open the transaction; when another process is long, only a few wait on.

        The others are told, and taken from the jobs.

        Raises:
            sqlite3.Error: those who are left have waited long enough.
        """
        for left in reversed(range(_TRIES)):
            try:
                _begin(database, connection.BUSY_SECONDS / _TRIES)
            except sqlite3.OperationalError as error:
                if not is_locked(error):
                    raise
                self._held_up_until = monotonic() + connection.BUSY_SECONDS
                if not left:
                    raise
                jobs += self._waiting()
                for job in jobs[_FEW:]:
                    job.answer.set_exception(error)
                del jobs[_FEW:]
            else:
                self._held_up_until = 0.0
                return

    def _next(self, put_off: list[_Job]) -> list[_Job]:
        """Return all who want something; none at the end."""
        if not put_off:
            first = self._queue.get()
            if first is None:
                return []
            put_off = [first]
        return [*put_off, *self._waiting()]

    def _waiting(self) -> list[_Job]:
        jobs: list[_Job] = []
        try:
            while (job := self._queue.get_nowait()) is not None:
                jobs.append(job)
            self._queue.put(None)  # the end, to be seen again by `_serve`
        except Empty:
            pass
        return jobs


def _parted(jobs: Sequence[_Job]) -> tuple[list[_Job], list[_Job]]:
    """Return the jobs of the next transaction, and those that are put off."""
    now: list[_Job] = []
    later: list[_Job] = []
    room = _ROOM
    for job in jobs:
        if job.weight <= _LIGHT:
            now.append(job)
        elif room > 0:
            now.append(job)
            room -= job.weight
        else:
            later.append(job)
    return now, later


def _wait_at_most(database: Database, seconds: float) -> None:
    """Say how long a transaction waits for another process."""
    database.conn.execute(f"PRAGMA busy_timeout = {round(1000 * seconds)}")


def _do_alone(database: Database, job: _Job) -> None:
    """Do the job, which opens and commits its own transactions."""
    _wait_at_most(database, connection.BUSY_SECONDS)
    try:
        (answer,) = job.work(database, [job.request])
    except Exception as error:  # noqa: BLE001 - it belongs to the one who waits
        database.rollback()
        job.answer.set_exception(error)
    else:
        database.rollback()
        job.answer.set_result(answer)
    _wait_at_most(database, 0)


def _settle(database: Database, group: Sequence[_Job]) -> None:
    """Do the jobs in the open transaction, commit and answer.

    When one fails, or the transaction is lost (SQLite undoes it when the disk is full),
    each half is tried in a transaction of its own: what fails is found in few steps,
    and no savepoint is needed, for which SQLite would copy every page it touches.
    """
    try:
        answers = _attempt(database, group)
    except Exception as error:  # noqa: BLE001 - it belongs to those who wait
        database.rollback()
        if len(group) == 1:
            group[0].answer.set_exception(error)
        else:
            half = len(group) // 2
            _settle_anew(database, group[:half])
            _settle_anew(database, group[half:])
    else:
        for answer in answers:
            answer()


def _begin(database: Database, seconds: float) -> None:
    """Open a transaction, asking for the lock every millisecond.

    SQLite's own waiting asks ten times a second, and so misses the short moments in
    which another process with much to write lets go.
    """
    end = monotonic() + seconds
    while True:
        try:
            database.conn.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not is_locked(error) or monotonic() >= end:
                raise
            sleep(_ASK_AGAIN)
        else:
            return


def _settle_anew(database: Database, group: Sequence[_Job]) -> None:
    try:
        _begin(database, connection.BUSY_SECONDS / _TRIES)
    except sqlite3.Error as error:
        for job in group:
            job.answer.set_exception(error)
    else:
        _settle(database, group)


def _attempt(database: Database, group: Sequence[_Job]) -> list[Callable[[], None]]:
    """Do each work once for all its jobs and commit; return how to answer."""
    by_work: dict[Work[Any, Any], list[_Job]] = {}
    for job in group:
        by_work.setdefault(job.work, []).append(job)
    answers: list[Callable[[], None]] = []
    for work, jobs in by_work.items():
        values = work(database, [job.request for job in jobs])
        answers += [
            partial(job.answer.set_result, value)
            for job, value in zip(jobs, values, strict=True)
        ]
    database.conn.execute("COMMIT")
    return answers
