"""A proxy that hands requests on and loses answers."""

from contextlib import suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self

from tests.faults.serving import Server


class LosingProxy:
    """Stands before a server; after the server answered it may cut the connection.

    Attributes:
        to_lose: answers that will be lost.
        lost: the statuses of those that were.
        page: an HTML page that is answered with 502 instead of asking the server.
    """

    def __init__(self, server: Server) -> None:
        self.to_lose = 0
        self.lost: list[int] = []
        self.page = ""
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                proxy._pass_on(self, server)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = Thread(target=self._http.serve_forever, args=(0.05,))
        self.port = self._http.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def _pass_on(self, call: BaseHTTPRequestHandler, server: Server) -> None:
        body = call.rfile.read(int(call.headers["Content-Length"]))
        if self.page:
            _answer(call, 502, "text/html", self.page.encode())
            return
        http = HTTPConnection("127.0.0.1", server.port, timeout=20)
        http.request("POST", call.path, body, dict(call.headers))
        response = http.getresponse()
        content = response.read()
        http.close()
        if self.to_lose > 0:
            self.to_lose -= 1
            self.lost.append(response.status)
            call.close_connection = True
            return
        _answer(call, response.status, response.headers.get_content_type(), content)


def _answer(
    call: BaseHTTPRequestHandler, status: int, kind: str, content: bytes
) -> None:
    with suppress(OSError):
        call.send_response(status)
        call.send_header("Content-Type", kind)
        call.send_header("Content-Length", str(len(content)))
        call.end_headers()
        call.wfile.write(content)
