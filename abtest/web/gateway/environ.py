"""A request of the server, as PEP 3333 describes it."""

import sys
from io import BytesIO
from wsgiref.types import WSGIEnvironment

from granian.rsgi import Scope


def to_environ(scope: Scope, body: bytes) -> WSGIEnvironment:
    """Describe the request (https://peps.python.org/pep-3333/#environ-variables)."""
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
