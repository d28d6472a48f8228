"""The least a WSGI application can do: the limit of the server in `serving.py`."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

_HEADERS = [("Content-Type", "text/plain"), ("Content-Length", "2")]


def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer."""
    start_response("200 OK", _HEADERS)
    return [b"ok"]
