"""The outermost layer: numbers, times, counts, logs and limits every request."""

from collections.abc import Iterable
from logging import INFO
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import request
from werkzeug.sansio.utils import host_is_trusted

from abtest.errors import AbtestError, ErrorCode
from abtest.services.checks import shown
from abtest.web.context import Context
from abtest.web.errors import internal_error_reply, problem_reply
from abtest.web.exchange import Reply
from abtest.web.guards.limits import Limits
from abtest.web.guards.logs import ACCESS, log_request
from abtest.web.guards.metrics import OTHER
from abtest.web.guards.request_id import HEADER, current_request, new_request_id
from abtest.web.security import HEADERS, OPEN_TO_ALL

ROUTE = "abtest.route"
"""Where the route stands in the environment, once it is found."""

_LANDING = frozenset({"/api/v1/assign", "/api/v1/events"})
_ANY_HOST = _LANDING | {"/abtest.js", "/healthz", "/readyz", "/metrics"}
"""What is asked for under any name: landing pages, load balancers and monitors."""

_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


class Watch:
    """Stands before everything else; adds 5 to 8 us to a request."""

    def __init__(self, inner: WSGIApplication, context: Context) -> None:
        self._inner = inner
        self._metrics = context.metrics
        self._limits = Limits(context.settings)
        self._hosts = _hosts(context.settings.base_url, context.settings.allowed_hosts)

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer one request."""
        began = perf_counter()
        request_id = new_request_id()
        token = current_request.set(request_id)
        told = ["500"]

        def start(
            status: str,
            headers: list[tuple[str, str]],
            *exc_info: Any,  # noqa: ANN401 - handed on
        ) -> Any:  # noqa: ANN401 - handed on
            told[0] = status[:3]
            headers.append((HEADER, request_id))
            return start_response(status, headers, *exc_info)

        try:
            body = self._answer(environ, start)
            self._note(environ, told[0], perf_counter() - began)
        finally:
            current_request.reset(token)
        return body

    def _answer(
        self, environ: WSGIEnvironment, start: StartResponse
    ) -> Iterable[bytes]:
        try:
            self._check_host(environ)
            self._limits.check(environ)
        except AbtestError as error:
            return _send(problem_reply(error), environ, start)
        try:
            return self._inner(environ, start)
        except AbtestError as error:
            return _send(problem_reply(error), environ, start)
        except Exception as error:  # noqa: BLE001 - the outermost handler
            return _send(internal_error_reply(error), environ, start)

    def _check_host(self, environ: WSGIEnvironment) -> None:
        """Refuse pages under a name that is not ours.

        Raises:
            AbtestError: `invalid`.
        """
        if not self._hosts or environ["PATH_INFO"] in _ANY_HOST:
            return
        host = environ.get("HTTP_HOST", "")
        if not host_is_trusted(host.lower(), self._hosts):
            raise AbtestError(
                ErrorCode.INVALID,
                f"host {shown(host)} is not a name of this service; name it in"
                " ABTEST_ALLOWED_HOSTS if it is",
            )

    def _note(self, environ: WSGIEnvironment, status: str, seconds: float) -> None:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        route = environ.get(ROUTE) or (path if path in _LANDING else OTHER)
        self._metrics.count_request(route, method, status=status, seconds=seconds)
        if status == "401":
            self._limits.note_failure(environ)
        if ACCESS.isEnabledFor(INFO):
            log_request(method, route, status=status, seconds=seconds)


def note_route() -> None:
    """Tell the outermost layer which of Flask's routes answers."""
    rule = request.url_rule
    request.environ[ROUTE] = OTHER if rule is None else rule.rule


def _send(
    reply: Reply, environ: WSGIEnvironment, start: StartResponse
) -> Iterable[bytes]:
    is_open = environ["PATH_INFO"] in _LANDING
    headers = (*HEADERS, *OPEN_TO_ALL) if is_open else HEADERS
    start(reply.status_line, reply.wsgi_headers(headers))
    return [reply.body]


def _hosts(base_url: str, allowed: str) -> tuple[str, ...]:
    """Return the names of the service; none when it was not told its own."""
    own = urlsplit(base_url).hostname
    if own is None:
        return ()
    told = (name.strip() for name in allowed.split(","))
    return (own, *_LOCAL_NAMES, *(name for name in told if name))
