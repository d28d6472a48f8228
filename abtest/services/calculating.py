"""Calculations that need the statistics, wherever they are done.

A task is a function of a store. Tasks that leave the process are pickled: functions of
modules, or `functools.partial` of them, which load the statistics when they are called.
"""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Protocol, TypeVar

from abtest.errors import AbtestError, ErrorCode
from abtest.store.protocol import Store

T = TypeVar("T")

Task = Callable[[Store], T]

PATIENCE = 60.0
"""Seconds that somebody waits for an answer, however many wait before."""


class Calculator(Protocol):
    """Does tasks, one after another."""

    def start(self) -> None:
        """Prepare: somebody will ask soon. Returns at once; may be called again."""
        ...

    def submit(self, task: Task[T], *, is_urgent: bool) -> Future[T]:
        """Do the task; urgent ones, for which somebody waits, go first.

        Raises:
            AbtestError: `unavailable` when too many wait already.
        """
        ...

    def close(self) -> None:
        """Give up what is not done and release everything."""
        ...


class OwnProcess:
    """Calculates where it is asked: for the command line and for tests."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store

    def start(self) -> None:
        """Need nothing."""

    def submit(self, task: Task[T], *, is_urgent: bool) -> Future[T]:
        """Do the task before returning."""
        del is_urgent
        future: Future[T] = Future()
        try:
            future.set_result(task(self._store()))
        except Exception as error:  # noqa: BLE001 - handed to whoever asks
            future.set_exception(error)
        return future

    def close(self) -> None:
        """Hold nothing."""


def calculate(calculator: Calculator, task: Task[T]) -> T:
    """Do the task now and return what comes out.

    Raises:
        AbtestError: `unavailable`, or the task's own.
    """
    return result_of(calculator.submit(task, is_urgent=True))


def result_of(future: Future[T]) -> T:
    """Wait for a task.

    Raises:
        AbtestError: `unavailable` when it takes too long, or the task's own.
    """
    try:
        return future.result(timeout=PATIENCE)
    except (TimeoutError, CancelledError) as error:
        future.cancel()
        raise AbtestError(
            ErrorCode.UNAVAILABLE,
            "the statistics are busy; try again in a few seconds",
        ) from error
