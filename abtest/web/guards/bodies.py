"""Slow senders: how many bodies of one network may be on their way at a time."""

from threading import Lock
from typing import Any
from wsgiref.types import InputStream, WSGIEnvironment

from abtest.errors import AbtestError, ErrorCode

AT_ONCE = 8
"""Of the server's 32 threads; each waits for a body until it is there."""

_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})


class Bodies:
    """Counts the bodies that are being waited for, by network.

    A body that has arrived is read at once. One that trickles in holds a thread, and
    the server has no way to give it up: so one network may hold a few and no more.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[bytes, int] = {}

    def guard(self, environ: WSGIEnvironment, network: bytes) -> None:
        """Let the body of the request be counted while it is read."""
        if environ["REQUEST_METHOD"] not in _BODILESS:
            stream = environ["wsgi.input"]
            environ["wsgi.input"] = _Guarded(stream, self, network)

    def begin(self, network: bytes) -> None:
        """Count one more.

        Raises:
            AbtestError: `rate_limited` when there are too many already.
        """
        with self._lock:
            waiting = self._waiting.get(network, 0)
            if waiting >= AT_ONCE:
                raise AbtestError(
                    ErrorCode.RATE_LIMITED,
                    f"{waiting} requests of your network are still being sent;"
                    " wait for one of them",
                )
            self._waiting[network] = waiting + 1

    def end(self, network: bytes) -> None:
        """Count one less."""
        with self._lock:
            waiting = self._waiting[network] - 1
            if waiting:
                self._waiting[network] = waiting
            else:
                del self._waiting[network]


class _Guarded:
    """The input of a request; reading it is counted."""

    def __init__(self, stream: InputStream, bodies: Bodies, network: bytes) -> None:
        self._stream = stream
        self._bodies = bodies
        self._network = network

    def read(self, size: int = -1) -> bytes:
        """Read as the stream does.

        Raises:
            AbtestError: `rate_limited`.
        """
        self._bodies.begin(self._network)
        try:
            return self._stream.read(size)
        finally:
            self._bodies.end(self._network)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the stream's own
        return getattr(self._stream, name)
