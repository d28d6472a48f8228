"""Big, deep and slow requests: the memory stays, and others are served as before."""

import http.client
import json
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_serve import Service
from tests.web.api.conftest import HOME

EVENTS = "/api/v1/events"
MIB = 2**20
CALLS = 200


class Guarded(Service):
    """A service behind a proxy, which tells it where a request comes from."""

    log = "off"

    def start(self) -> None:
        self.environment |= {"ABTEST_TRUSTED_PROXIES": "1", "ABTEST_LOG": self.log}
        super().start()

    def memory(self) -> int:
        """Resident bytes of the server's processes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        pids = [self.process.pid, *map(int, children.read_text().split())]
        total = 0
        for pid in pids:
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1]) * 1024
        return total

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Guarded]:
    service = Guarded(tmp_path / "abtest.db")
    yield service
    service.stop()


@pytest.fixture
def key(service: Guarded) -> str:
    key = service.run("key", "create", "--kind", "sk")
    service.run("experiment", "create", "-", stdin=json.dumps(HOME))
    service.run("experiment", "start", "home")
    return key


def p95(service: Guarded, key: str) -> float:
    """Seconds that an assignment takes for somebody who does no harm."""
    took = []
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    with closing(connection):
        for _ in range(CALLS):
            began = time.perf_counter()
            body = json.dumps({"visitor": "v1"})
            headers = {"Authorization": f"Bearer {key}"}
            connection.request("POST", "/api/v1/assign", body, headers)
            response = connection.getresponse()
            response.read()
            took.append(time.perf_counter() - began)
            assert response.status == 200
    return statistics.quantiles(took, n=20)[-1]


def head(address: str, *lines: str) -> bytes:
    told = (f"POST {EVENTS} HTTP/1.1", "Host: x", f"X-Forwarded-For: {address}", *lines)
    return "\r\n".join((*told, "", "")).encode()


def status_of(connection: socket.socket) -> int:
    return int(connection.recv(65_536).split()[1])


def send_endlessly(service: Guarded, size: int) -> int:
    """Send a body of unknown length; return how much was sent before the end."""
    piece = b"100000\r\n" + b"x" * MIB + b"\r\n"
    sent = 0
    with service.connect() as connection:
        connection.sendall(head("198.51.100.1", "Transfer-Encoding: chunked"))
        try:
            while sent < size:
                connection.sendall(piece)
                sent += MIB
        except OSError:
            pass
    return sent


def test_a_gigabyte_is_not_taken_in(service: Guarded, key: str) -> None:
    before = service.memory()
    sent: list[int] = []
    sender = threading.Thread(
        target=lambda: sent.append(send_endlessly(service, 1024 * MIB))
    )
    sender.start()
    highest = before
    while sender.is_alive():
        highest = max(highest, service.memory())
        sender.join(0.02)
    assert highest - before < 50 * MIB
    assert sent[0] < 64 * MIB  # the service hung up long before the end
    assert p95(service, key) < 1


@pytest.mark.parametrize(
    "body",
    [b"[" * 200_000, b'{"a":' * 50_000, b'{"id": "' + b"x" * 255_000 + b'"}'],
    ids=["deep list", "deep object", "long text"],
)
def test_deep_and_long_json_costs_no_memory(
    service: Guarded, key: str, body: bytes
) -> None:
    before = service.memory()
    for _ in range(20):
        status, _ = service.ask("POST", EVENTS, body, key=key)
        assert status in {200, 400}
    assert service.memory() - before < 50 * MIB


@pytest.mark.parametrize("size", [10**6, 10**8], ids=["1e6 deep", "100 MB"])
def test_what_is_told_to_be_too_large_is_refused(service: Guarded, size: int) -> None:
    before = service.memory()
    with service.connect() as connection:
        connection.sendall(head("198.51.100.1", f"Content-Length: {size}"))
        answers = []
        piece = b"[" * 65_536
        try:
            for start in range(0, size, len(piece)):
                connection.sendall(piece[: size - start])
            answers.append(status_of(connection))
        except OSError:
            answers.append(413)  # the service hung up on the rest
    assert answers == [413]
    assert service.memory() - before < 50 * MIB


def test_slow_senders_hold_nobody_else(service: Guarded, key: str) -> None:
    calm = p95(service, key)
    with ExitStack() as held:
        for number in range(300):
            connection = held.enter_context(service.connect())
            network = f"198.51.{number % 100}.9"
            connection.sendall(head(network, "Content-Length: 1000") + b"{")
        threading.Event().wait(0.5)
        assert p95(service, key) < max(2 * calm, 0.02)
        assert service.ask("GET", "/healthz")[0] == 200


def test_slow_headers_hold_nobody(service: Guarded, key: str) -> None:
    calm = p95(service, key)
    with ExitStack() as held:
        for _ in range(200):
            connection = held.enter_context(service.connect())
            connection.sendall(b"POST /api/v1/events HTTP/1.1\r\nX-Slow: ")
        assert p95(service, key) < max(2 * calm, 0.02)


@pytest.mark.slow
def test_a_minute_of_everything(service: Guarded, key: str) -> None:
    """Endless bodies, slow bodies and slow headers at once, for a minute."""
    calm, before = p95(service, key), service.memory()
    over = threading.Event()

    def flood() -> None:
        while not over.is_set():
            send_endlessly(service, 32 * MIB)

    def trickle() -> None:
        with service.connect() as connection:
            try:
                connection.sendall(head("198.51.100.9", "Content-Length: 1000"))
                while not over.wait(1):
                    connection.sendall(b" ")
            except OSError:
                pass

    attackers = [threading.Thread(target=flood)]
    attackers += [threading.Thread(target=trickle) for _ in range(50)]
    for attacker in attackers:
        attacker.start()
    worst, highest = 0.0, before
    for _ in range(12):
        worst = max(worst, p95(service, key))
        highest = max(highest, service.memory())
        over.wait(4)
    over.set()
    for attacker in attackers:
        attacker.join()
    assert highest - before < 50 * MIB
    # The flood itself takes one of the cores.
    assert worst < max(5 * calm, 0.1)


class Logged(Guarded):
    log = "json"


def test_nobody_writes_a_log_line_of_their_own(tmp_path: Path) -> None:
    service = Logged(tmp_path / "abtest.db")
    evil = '/x%0d%0a{"level":"fake"}'
    for path in (evil, "/api/v1/experiments/%1b%5b2J"):
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
        with closing(connection):
            connection.request("GET", path, headers={"User-Agent": "a\tb fake"})
            connection.getresponse().read()
    _, complaints = service.stop()
    lines: list[dict[str, Any]] = [json.loads(line) for line in complaints.splitlines()]
    asked = [line for line in lines if line["route"] != "/healthz"]
    assert [line["level"] for line in asked] == ["info", "info"]
    assert "fake" not in complaints
