"""The gateway on a real server, beside the WSGI interface of the same server."""

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from abtest.web.exchange import MAX_BODY
from abtest.web.gateway.bodies import MAX_DRAINED

ROOT = Path(__file__).parents[3]
HOT = "/api/v1/assign"


@contextmanager
def serving(interface: str, target: str) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "granian", "--interface", interface, "--no-ws"),
            *("--loop", "uvloop", "--port", str(port), "--log-level", "critical"),
            f"tests.web.gateway.told:{target}",
        ],
        cwd=ROOT,
    )
    try:
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def gateway() -> Iterator[int]:
    with serving("rsgi", "gateway") as port:
        yield port


@pytest.fixture(scope="module")
def wsgi() -> Iterator[int]:
    with serving("wsgi", "service") as port:
        yield port


@pytest.fixture(scope="module")
def waiting() -> Iterator[int]:
    with serving("rsgi", "waiting") as port:
        yield port


def send(port: int, request: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(request)
    return connection


def answer(
    connection: socket.socket, method: str = "GET"
) -> tuple[int, http.client.HTTPMessage, bytes]:
    with closing(http.client.HTTPResponse(connection, method=method)) as response:
        response.begin()
        return response.status, response.headers, response.read()


def ask(port: int, request: bytes) -> tuple[int, http.client.HTTPMessage, bytes]:
    with closing(send(port, request)) as connection:
        return answer(connection, request.split()[0].decode())


def post(path: str, headers: str = "", body: bytes = b"{}") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


REQUESTS = {
    "get": b"GET /a?b=c&d HTTP/1.1\r\nHost: example.com:8000\r\n\r\n",
    "escaped": b"GET /a%20b/%C3%A4?q=%C3%A4%20 HTTP/1.1\r\nHost: x\r\n\r\n",
    "raw bytes": "GET /ä?ä HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "one cookie": b"GET / HTTP/1.1\r\nHost: x\r\nCookie: a=b; c=d\r\n\r\n",
    "repeated": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a: 2\r\n\r\n",
    "underscore": b"GET / HTTP/1.1\r\nHost: x\r\nX_Forwarded_For: 1\r\n\r\n",
    "empty value": b"GET / HTTP/1.1\r\nHost: x\r\nOrigin:\r\nX-A: \t\r\n\r\n",
    "old": b"GET / HTTP/1.0\r\nHost: x\r\n\r\n",
    "options": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "absolute": b"GET http://x/y HTTP/1.1\r\nHost: x\r\n\r\n",
    "post": post("/p", "Content-Type: text/plain\r\n"),
    "hot": post(HOT, "Content-Type: text/plain\r\nAuthorization: Bearer x\r\n"),
    "empty post": post("/p", body=b""),
    "in parts": post("/parts"),
    "no content": post("/empty"),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_look_as_the_servers_own_wsgi_shows_them(
    gateway: int, wsgi: int, name: str
) -> None:
    ours, theirs = ask(gateway, REQUESTS[name]), ask(wsgi, REQUESTS[name])
    assert ours[0] == theirs[0]
    unstable = {"date"}
    assert [
        (n.lower(), v) for n, v in ours[1].items() if n.lower() not in unstable
    ] == [(n.lower(), v) for n, v in theirs[1].items() if n.lower() not in unstable]
    assert told(ours[2]) == told(theirs[2])


def told(content: bytes) -> Any:  # noqa: ANN401 - JSON, or nothing
    return json.loads(content) if content else None


def test_cookies_in_several_headers_are_one_list(gateway: int) -> None:
    """As https://www.rfc-editor.org/rfc/rfc9113#section-8.2.3 joins them."""
    twice = b"GET / HTTP/1.1\r\nHost: x\r\nCookie: a=b\r\nCookie: c=d\r\n\r\n"
    assert told(ask(gateway, twice)[2])["HTTP_COOKIE"] == "a=b; c=d"


def test_the_answer_to_head_has_no_body(gateway: int) -> None:
    status, headers, body = ask(gateway, b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 0


def chunked(size: int) -> bytes:
    head = f"POST {HOT} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head.encode() + b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size)


@pytest.mark.parametrize("size", [1, MAX_BODY, MAX_BODY + 1, 2 * MAX_BODY])
def test_of_a_body_that_is_too_large_only_that_is_told(gateway: int, size: int) -> None:
    at_most = min(size, MAX_BODY + 1)
    announced = told(ask(gateway, post(HOT, body=b"x" * size))[2])
    assert (announced["body"], announced["CONTENT_LENGTH"]) == (at_most, str(size))
    streamed = told(ask(gateway, chunked(size))[2])
    assert (streamed["body"], streamed["CONTENT_LENGTH"]) == (at_most, str(at_most))


def test_a_flood_is_not_read_to_its_end(gateway: int) -> None:
    with closing(send(gateway, post(HOT, "", b"")[:-21])) as connection:
        connection.sendall(b"Content-Length: 1000000000\r\n\r\n")
        connection.sendall(b"x" * (MAX_DRAINED + 65_536))
        assert told(answer(connection)[2])["body"] == MAX_BODY + 1


def test_bodies_that_trickle_in_hold_nobody_and_are_given_up(gateway: int) -> None:
    with ExitStack() as held:
        slow = [
            held.enter_context(closing(send(gateway, post(path)[:-1])))
            for path in ("/p", HOT)
            for _ in range(60)
        ]
        began = time.monotonic()
        assert ask(gateway, post(HOT))[0] == ask(gateway, post("/p"))[0] == 200
        assert time.monotonic() - began < 0.5
        for connection in slow:
            status, headers, _ = answer(connection)
            assert (status, headers["Connection"]) == (408, "close")


def test_hot_calls_wait_for_no_thread(gateway: int) -> None:
    with ExitStack() as held:
        busy = [
            held.enter_context(closing(send(gateway, post("/sleep"))))
            for _ in range(40)
        ]
        began = time.monotonic()
        assert ask(gateway, post(HOT))[0] == 200
        assert time.monotonic() - began < 0.5
        assert {answer(connection)[0] for connection in busy} == {200}


def test_a_failure_is_an_answer(gateway: int) -> None:
    assert ask(gateway, post("/broken"))[0] == 500
    assert ask(gateway, post(HOT))[0] == 200


def test_calls_that_wait_leave_the_loop_to_others(waiting: int) -> None:
    with ExitStack() as held:
        for _ in range(100):
            held.enter_context(closing(send(waiting, post(HOT, "X-Wait: yes\r\n"))))
        assert ask(waiting, post(HOT, "X-Wait: no\r\n"))[0] == 200
    # The clients have gone; what they waited for never comes.
    assert ask(waiting, post(HOT, "X-Wait: no\r\n"))[0] == 200
