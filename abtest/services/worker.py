"""A process for the statistics, beside the one that serves."""

import contextlib
import gc
import os
import pickle
import subprocess
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.connection import Connection
from queue import PriorityQueue, SimpleQueue
from socket import socketpair
from typing import Any, TypeVar

from abtest.errors import AbtestError, ErrorCode, FieldError
from abtest.services.calculating import Task
from abtest.store.protocol import Store

T = TypeVar("T")

MOST_WAITING = 16
"""Callers that may wait at once; each holds one of the server's threads, and the
others must stay free for all else."""

_START_SECONDS = 60.0
_TASK_SECONDS = 30.0
_POLITENESS = 5
_END, _URGENT, _LATER = range(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refused:
    """An `AbtestError`, which does not survive pickling itself."""

    code: ErrorCode
    detail: str
    errors: tuple[FieldError, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failed:
    trace: str


class WorkerError(RuntimeError):
    """A task failed in a way nobody expected; the text is the worker's traceback."""


@dataclass(frozen=True, slots=True, order=True)
class _Job:
    """One task; its types are known to `Worker.submit` alone."""

    rank: int
    number: int
    task: Task[Any] | None = field(compare=False)
    future: Future[Any] = field(compare=False, default_factory=Future)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    process: subprocess.Popen[bytes]
    connection: Connection


class Worker:
    """Hands tasks to a process of its own, and replaces it when it dies or hangs.

    The process is started by `start` or by the first task, so that a server which
    only assigns and records never pays for it. It ends when this process does, even
    by SIGKILL: it notices that nobody holds the other end of its socket.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        start_seconds: float = _START_SECONDS,
        task_seconds: float = _TASK_SECONDS,
    ) -> None:
        """Keep the command; its last argument will be the number of a socket."""
        self._command = tuple(command)
        self._start_seconds = start_seconds
        self._task_seconds = task_seconds
        self._queue: PriorityQueue[_Job] = PriorityQueue()
        self._numbers = count()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._running: _Running | None = None
        self._waiting = 0
        self._is_closed = False

    def start(self) -> None:
        """Start the process unless it was started; returns at once."""
        if self._thread is None:
            self.submit(_nothing, is_urgent=False)

    def submit(self, task: Task[T], *, is_urgent: bool) -> Future[T]:
        """Queue the task.

        Raises:
            AbtestError: `unavailable` when too many wait, or after `close`.
        """
        rank = _URGENT if is_urgent else _LATER
        job = _Job(rank, next(self._numbers), task)
        with self._lock:
            if self._is_closed:
                raise _unavailable("the service is ending")
            if is_urgent and self._waiting >= MOST_WAITING:
                raise _unavailable("too many reports are asked for at once")
            self._waiting += is_urgent
            self._queue.put(job)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._serve, name="abtest-statistics", daemon=True
                )
                self._thread.start()
        if is_urgent:
            job.future.add_done_callback(self._count_down)
        return job.future

    def close(self) -> None:
        """End the process at once; it only reads."""
        with self._lock:
            self._is_closed = True
            self._queue.put(_Job(_END, 0, None))
            running, thread = self._running, self._thread
        if running is not None:
            running.process.kill()
        if thread is not None:
            thread.join()

    def _count_down(self, _: Future[Any]) -> None:
        with self._lock:
            self._waiting -= 1

    def _serve(self) -> None:
        while (job := self._queue.get()).task is not None:
            if not job.future.set_running_or_notify_cancel():
                continue
            try:
                job.future.set_result(self._ask(job.task))
            except Exception as error:  # noqa: BLE001 - handed to whoever waits
                job.future.set_exception(error)
        self._stop()
        while not self._queue.empty():
            self._queue.get().future.cancel()

    def _ask(self, task: Task[Any]) -> object:
        sent = pickle.dumps(task)
        try:
            answer = self._answer(sent)
        except (OSError, EOFError) as error:
            self._stop()
            raise _unavailable(
                "the statistics took too long"
                if isinstance(error, TimeoutError)
                else "the statistics process ended"
            ) from error
        match answer:
            case _Done(value=value):
                return value
            case _Refused(code=code, detail=detail, errors=errors):
                raise AbtestError(code, detail, errors)
            case _Failed(trace=trace):
                raise WorkerError(trace)
            case _:
                raise TypeError(answer)

    def _answer(self, sent: bytes) -> object:
        if self._running is not None:
            try:
                return _exchange(self._running, sent, self._task_seconds)
            except TimeoutError:
                raise
            except (OSError, EOFError):
                self._stop()  # it may have ended while nobody asked: once more
        return _exchange(self._launch(), sent, self._task_seconds)

    def _launch(self) -> _Running:
        ours, theirs = socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own command
                [*self._command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                # Keys pressed in the server's terminal are for the server.
                start_new_session=True,
                # One task at a time: more threads would only cost memory.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )
        connection: Connection = Connection(ours.detach())
        running = _Running(process=process, connection=connection)
        with self._lock:
            self._running = running
            if self._is_closed:
                process.kill()
        _receive(connection, self._start_seconds)
        return running

    def _stop(self) -> None:
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            running.process.kill()
            running.process.wait()
            running.connection.close()


def work(number: int, open_store: Callable[[], Store]) -> None:
    """Do tasks for the process that holds the other end of the socket.

    Args:
        number: of the socket, as the last argument of the command.
        open_store: opens this process's own connections.
    """
    os.nice(_POLITENESS)  # assignments go first
    connection: Connection = Connection(number)
    # The first report shall not wait for scipy.
    import abtest.services.analysis  # noqa: F401, PLC0415

    gc.freeze()  # what was imported stays; to look through it takes 50 ms

    tasks: SimpleQueue[bytes] = SimpleQueue()
    listener = threading.Thread(target=_listen, args=(connection, tasks), daemon=True)
    listener.start()
    store: Store | None = None
    answer: _Done | _Refused | _Failed = _Done(value=None)
    while True:
        with contextlib.suppress(OSError):  # then the listener ends this process
            connection.send_bytes(pickle.dumps(answer))
        sent = tasks.get()
        try:
            store = store or open_store()
            task = pickle.loads(sent)  # noqa: S301 - from our own parent
            answer = _Done(value=task(store))
        except AbtestError as error:
            answer = _Refused(code=error.code, detail=error.detail, errors=error.errors)
        except Exception:  # noqa: BLE001 - told to whoever waits
            answer = _Failed(trace=traceback.format_exc())


def _listen(connection: Connection, tasks: SimpleQueue[bytes]) -> None:
    """Take tasks in; without a server there is nothing left to do, not even now."""
    try:
        while True:
            tasks.put(connection.recv_bytes())
    except (EOFError, OSError):
        os._exit(0)


def _exchange(running: _Running, sent: bytes, seconds: float) -> object:
    running.connection.send_bytes(sent)
    return _receive(running.connection, seconds)


def _receive(connection: Connection, seconds: float) -> object:
    if not connection.poll(seconds):
        raise TimeoutError
    return pickle.loads(connection.recv_bytes())  # noqa: S301 - from our own child


def _nothing(_: Store) -> None:
    """Wait until the process is ready."""


def _unavailable(why: str) -> AbtestError:
    return AbtestError(ErrorCode.UNAVAILABLE, f"{why}; try again in a few seconds")
