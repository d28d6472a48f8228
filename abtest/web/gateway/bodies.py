"""Bodies of requests: awaited, bounded, and given up when they trickle in."""

from asyncio import AbstractEventLoop, CancelledError, Task, TimerHandle, current_task
from typing import Any

from granian.rsgi import (  # type: ignore[attr-defined]  # public, not marked so
    HTTPProtocol,
    Scope,
)

from abtest.web.exchange import MAX_BODY

MAX_DRAINED = 8 * 1024 * 1024
"""Bytes of one body that are read, though not kept."""


class Bodies:
    """Reads bodies, and gives up those that trickle in.

    Args:
        patience: seconds for a body to arrive, give or take half as much again.
    """

    def __init__(self, loop: AbstractEventLoop, patience: float) -> None:
        self._loop = loop
        self._patience = patience
        self._waiting: dict[Task[Any], float] = {}
        self._overdue: set[Task[Any]] = set()
        self._timer: TimerHandle = loop.call_later(patience / 2, self._look)

    def close(self) -> None:
        """Stop looking."""
        self._timer.cancel()

    async def read(self, scope: Scope, protocol: HTTPProtocol) -> bytes:
        """Return the body; of one that is too large, one byte more than allowed.

        Raises:
            TimeoutError: it does not arrive.
        """
        task = current_task()
        assert task is not None  # noqa: S101 - this is a coroutine
        self._waiting[task] = self._loop.time()
        try:
            length = scope.headers.get("content-length", "")
            if length.isdecimal() and int(length) <= MAX_BODY:
                return await protocol()
            return await _read_some(protocol)
        except CancelledError:
            if task in self._overdue:
                self._overdue.remove(task)
                raise TimeoutError from None
            raise
        finally:
            del self._waiting[task]

    def _look(self) -> None:
        """Give up those that take too long; a timer for each would cost more."""
        since = self._loop.time() - self._patience
        for task, began in self._waiting.items():
            if began < since:
                self._overdue.add(task)
                task.cancel()
        self._timer = self._loop.call_later(self._patience / 2, self._look)


async def _read_some(protocol: HTTPProtocol) -> bytes:
    """Read what is too large to be taken, or of unknown length.

    A client that is still sending when the connection closes never sees why it was
    refused; what is larger than `MAX_DRAINED` is no mistake.
    """
    kept = bytearray()
    length = 0
    async for chunk in protocol:
        kept += chunk[: MAX_BODY + 1 - len(kept)]
        length += len(chunk)
        if length > MAX_DRAINED:
            break
    return bytes(kept)
