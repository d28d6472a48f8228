"""The service on an event loop: bodies are awaited, and hot calls take no thread."""

import sys
from asyncio import AbstractEventLoop, CancelledError, Task, TimerHandle, current_task
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from granian.rsgi import (  # type: ignore[attr-defined]  # public, not marked so
    HTTPProtocol,
    Scope,
)

from abtest.fibers import Fibers
from abtest.web.door import is_hot
from abtest.web.exchange import MAX_BODY, MAX_DRAINED

THREADS = 16
"""For everything but the hot calls; some wait for the calculations."""

PATIENCE = 20.0
"""Seconds for a body to arrive, give or take half as much again."""

Headers = list[tuple[str, str]]

_NO_BODY = frozenset({204, 304})
_TOO_SLOW = b"the body of the request did not arrive in time"


class Gateway:
    """Answers by RSGI (https://github.com/emmett-framework/granian) what WSGI answers.

    Only complete requests reach the service. The hot calls run in fibers on the loop's
    own thread, where they do not compete for Python's lock; all others run on threads.

    Args:
        create: makes the service, after the server has forked.
        patience: seconds for a body to arrive.
    """

    def __init__(
        self, create: Callable[[], WSGIApplication], patience: float = PATIENCE
    ) -> None:
        self._create = create
        self._patience = patience

    def __rsgi_init__(self, loop: AbstractEventLoop) -> None:
        """Begin to serve."""
        self._loop = loop
        self._service = self._create()
        self._fibers = Fibers(loop)
        self._bodies = _Bodies(loop, self._patience)
        self._pool = ThreadPoolExecutor(THREADS, "abtest-request")

    def __rsgi_del__(self, _: AbstractEventLoop) -> None:
        """End the threads that wait for work."""
        self._bodies.close()
        self._pool.shutdown()

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answer one request."""
        headers = scope.headers
        body = b""
        if "content-length" in headers or "transfer-encoding" in headers:
            try:
                body = await self._bodies.read(scope, protocol)
            except TimeoutError:
                protocol.response_bytes(408, [("Connection", "close")], _TOO_SLOW)
                return
        environ = _environ(scope, body)
        if is_hot(environ):
            answer = await self._fibers.run(_answer, self._service, environ)
        else:
            answer = await self._loop.run_in_executor(
                self._pool, _answer, self._service, environ
            )
        status, told, content = answer
        if status in _NO_BODY:
            protocol.response_empty(status, told)
        else:
            protocol.response_bytes(status, told, content)


class _Bodies:
    """Reads bodies, and gives up those that trickle in."""

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


def _environ(scope: Scope, body: bytes) -> WSGIEnvironment:
    """Describe the request as PEP 3333 does."""
    path = scope.path
    query = scope.query_string
    name, _, port = scope.server.rpartition(":")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path if path.isascii() else _narrow(path),
        "QUERY_STRING": query if query.isascii() else _narrow(query),
        "SERVER_NAME": name.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/" + scope.http_version,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        key = _KEYS.get(name) or _key(name)
        if key in environ:
            environ[key] += ("; " if key == "HTTP_COOKIE" else ",") + value
        else:
            environ[key] = value
    if body and "CONTENT_LENGTH" not in environ:
        environ["CONTENT_LENGTH"] = str(len(body))
    if scope.http_version == "2" and "HTTP_HOST" not in environ:
        environ["HTTP_HOST"] = scope.authority or ""
    return environ


def _narrow(text: str) -> str:
    """Write each byte as a character of its own, as WSGI wants it."""
    return text.encode().decode("latin-1")


def _key(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")


_KEYS = {
    "content-type": "CONTENT_TYPE",
    "content-length": "CONTENT_LENGTH",
    **{
        name: _key(name)
        for name in (
            *("host", "user-agent", "accept", "accept-encoding", "accept-language"),
            *("authorization", "connection", "cookie", "origin", "referer"),
            *("sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "x-forwarded-for"),
        )
    },
}
"""Those that nearly every request has; what strangers send is not remembered."""


def _answer(
    service: WSGIApplication, environ: WSGIEnvironment
) -> tuple[int, Headers, bytes]:
    """Let the service answer; what it answers fits into memory."""
    told: list[tuple[int, Headers]] = []

    def start(status: str, headers: Headers, *_: object) -> Callable[[bytes], object]:
        told[:] = [(int(status[:3]), headers)]
        return _refuse_to_write

    chunks = service(environ, start)
    try:
        content = _joined(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    ((number, headers),) = told
    return number, headers, content


def _joined(chunks: Iterable[bytes]) -> bytes:
    if isinstance(chunks, list) and len(chunks) == 1:
        first: bytes = chunks[0]
        return first
    return b"".join(chunks)


def _refuse_to_write(_: bytes) -> object:
    raise NotImplementedError("nothing here writes as it did before PEP 333")
