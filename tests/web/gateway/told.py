"""A service that tells what it was asked, by the gateway and by granian's own WSGI."""

import json
import time
from wsgiref.types import StartResponse, WSGIEnvironment

from abtest.fibers import Signal
from abtest.web.gateway.gateway import Gateway

_NAMES = frozenset(
    {
        *("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "SERVER_NAME"),
        *("SERVER_PROTOCOL", "REMOTE_ADDR", "CONTENT_TYPE", "CONTENT_LENGTH"),
        *("wsgi.version", "wsgi.url_scheme", "wsgi.run_once", "wsgi.multithread"),
    }
)


def service(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    path = environ["PATH_INFO"]
    if path == "/sleep":
        time.sleep(1)
    elif path == "/broken":
        raise RuntimeError("broken on purpose")
    told = {
        name: value
        for name, value in environ.items()
        if name in _NAMES or name.startswith("HTTP_")
    }
    told["body"] = len(environ["wsgi.input"].read())
    status = "204 No Content" if path == "/empty" else "200 OK"
    content = b"" if path == "/empty" else json.dumps(told, sort_keys=True).encode()
    start_response(
        status,
        [
            ("Content-Type", "application/json"),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            *([] if path == "/empty" else [("Content-Length", str(len(content)))]),
        ],
    )
    return [content[:5], content[5:]] if path == "/parts" else [content]


gateway = Gateway(lambda: service, patience=0.6)


def waits(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Wait for somebody who never comes, as a hot call may."""
    if environ["HTTP_X_WAIT"] == "yes":
        Signal().wait()
    start_response("200 OK", [("Content-Length", "0")])
    return [b""]


waiting = Gateway(lambda: waits)
