"""Calls that wait as threads do, while the thread they run on goes on with others."""

from asyncio import AbstractEventLoop, Future
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")

Call = tuple[Callable[..., Any], tuple[object, ...]]


class Fibers:
    """Runs calls on the thread of an event loop.

    The way of SQLAlchemy's asyncio extension: code that is written once, for threads,
    stops where it waits (`Signal.wait`) and goes on when that is over. What it does in
    between must be short, because nobody else is served meanwhile.
    """

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._over = _Over(loop)
        self._idle: list[_Fiber] = []

    async def run(self, call: Callable[..., T], *args: object) -> T:
        """Return what the call returns.

        Raises:
            Exception: the call's own.
        """
        # A new fiber takes a stack from the system, which costs as much as a call.
        fiber = self._idle.pop() if self._idle else _Fiber(self._over)
        found = fiber.switch((call, args))
        while isinstance(found, Future):
            try:
                await found
            except BaseException:
                fiber.throw()  # nobody asks any more: let the call clean up
                raise
            found = fiber.switch(None)
        self._idle.append(fiber)
        result, error = found
        if error is not None:
            raise error
        answer: T = result
        return answer


class Signal:
    """Something that happens once; one call waits for it, on a thread or in a fiber."""

    __slots__ = ("_over", "_told")

    def __init__(self) -> None:
        fiber = getcurrent()
        self._over: _Over | None = None
        self._told: Any
        if isinstance(fiber, _Fiber):
            self._over = fiber.over
            self._told = fiber.over.loop.create_future()
        else:
            self._told = Lock()
            self._told.acquire()

    def set(self) -> None:
        """Let the one who waits go on; once, from any thread."""
        if self._over is None:
            self._told.release()
        else:
            self._over.add(self._told)

    def wait(self) -> None:
        """Wait until it has happened."""
        if self._over is None:
            self._told.acquire()
        else:
            _loop_of(getcurrent()).switch(self._told)


class _Fiber(greenlet):
    """Does one call after the other; the event loop hands them in."""

    def __init__(self, over: "_Over") -> None:
        super().__init__(self._work)
        self.over = over

    def _work(self, job: Call) -> None:
        loop = _loop_of(self)
        while True:
            call, args = job
            outcome: tuple[object, Exception | None]
            try:
                outcome = call(*args), None
            except Exception as error:  # noqa: BLE001 - raised where the call came from
                outcome = None, error
            del call, args
            job = loop.switch(outcome)


class _Over:
    """Waits that are over: the event loop is told of many in one go."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.loop = loop
        self._futures: deque[Future[None]] = deque()

    def add(self, future: "Future[None]") -> None:
        """End a wait; from any thread."""
        self._futures.append(future)
        # Had there been others, the loop would have been asked to come by already.
        if len(self._futures) == 1:
            self.loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        while self._futures:
            future = self._futures.popleft()
            if not future.done():  # as it is when the client went away
                future.set_result(None)


def _loop_of(fiber: greenlet) -> greenlet:
    """Return the greenlet that the event loop runs in."""
    parent = fiber.parent
    assert parent is not None  # noqa: S101 - the loop's thread made the fiber
    return parent
