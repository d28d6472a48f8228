"""The small door in front of Flask: the two calls that pages make millions of times."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from abtest.web.api.assign import answer_assign
from abtest.web.api.events import answer_events
from abtest.web.api.serving import Handler, answer
from abtest.web.context import Context
from abtest.web.exchange import MAX_BODY, Call
from abtest.web.security import HEADERS, OPEN_TO_ALL

_HANDLERS: dict[str, Handler] = {
    "/api/v1/assign": answer_assign,
    "/api/v1/events": answer_events,
}
_HEADERS = (*HEADERS, *OPEN_TO_ALL)


def is_hot(environ: WSGIEnvironment) -> bool:
    """Tell whether this is one of the two calls."""
    return environ["PATH_INFO"] in _HANDLERS and environ["REQUEST_METHOD"] == "POST"


class Door:
    """Answers two paths by POST itself and hands everything else to Flask.

    Both doors call the same functions; this one saves Flask's request handling,
    which costs ten times what an assignment does.
    """

    def __init__(self, inner: WSGIApplication, context: Context) -> None:
        self._inner = inner
        self._context = context

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer one request."""
        handler = _HANDLERS.get(environ["PATH_INFO"])
        if handler is None or environ["REQUEST_METHOD"] != "POST":
            return self._inner(environ, start_response)
        length = environ.get("CONTENT_LENGTH", "")
        if not length.isdecimal() or int(length) > MAX_BODY:
            return self._inner(environ, start_response)
        body = environ["wsgi.input"].read(int(length))
        reply = answer(handler, self._context, Call(environ=environ, body=body))
        start_response(reply.status_line, reply.wsgi_headers(_HEADERS))
        return [reply.body]
