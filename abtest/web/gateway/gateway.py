"""The service on an event loop: bodies are awaited, and hot calls take no thread."""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from wsgiref.types import WSGIApplication, WSGIEnvironment

from granian.rsgi import (  # type: ignore[attr-defined]  # public, not marked so
    HTTPProtocol,
    Scope,
)

from abtest.fibers import Fibers
from abtest.web.door import is_hot
from abtest.web.gateway.bodies import Bodies
from abtest.web.gateway.environ import to_environ

THREADS = 32
"""For everything but the hot calls; some wait for the calculations."""

PATIENCE = 20.0
"""Seconds for a body to arrive."""

Headers = list[tuple[str, str]]

_NO_BODY = frozenset({204, 304})
_TOO_SLOW = "the body of the request did not arrive in time"
_CLOSING = [("Connection", "close"), ("Content-Type", "text/plain; charset=utf-8")]


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
        self._bodies = Bodies(loop, self._patience)
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
                protocol.response_str(408, _CLOSING, _TOO_SLOW)
                return
        environ = to_environ(scope, body)
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


def _answer(
    service: WSGIApplication, environ: WSGIEnvironment
) -> tuple[int, Headers, bytes]:
    """Let the service answer; what it answers fits into memory."""
    told: list[tuple[int, Headers]] = []
    content: list[bytes] = []

    def start(status: str, headers: Headers, *_: object) -> Callable[[bytes], object]:
        told[:] = [(int(status[:3]), headers)]
        return content.append

    chunks = service(environ, start)
    try:
        content += chunks
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    ((number, headers),) = told
    return number, headers, b"".join(content)
