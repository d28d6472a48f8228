"""An answer that one thread waits for and another one gives."""

from typing import Generic, TypeVar

from abtest.fibers import Signal

T = TypeVar("T")


class Promise(Generic[T]):
    """One lock, held until the answer is there; one thread waits for it.

    The library's `Future` can do more (several who wait, time limits, callbacks) and
    costs five times as much, which every durable request would pay.
    """

    __slots__ = ("_error", "_told", "_value")

    _value: T

    def __init__(self) -> None:
        self._error: BaseException | None = None
        self._told = Signal()

    def set_result(self, value: T) -> None:
        """Give the answer; once."""
        self._value = value
        self._told.set()

    def set_exception(self, error: BaseException) -> None:
        """Say why there is no answer; once."""
        self._error = error
        self._told.set()

    def result(self) -> T:
        """Wait, and return the answer or raise why there is none."""
        self._told.wait()
        if self._error is not None:
            raise self._error
        return self._value
