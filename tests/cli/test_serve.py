"""`abtest serve`: the real server in a process of its own."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from abtest.domain.experiment import ExperimentKey
from abtest.store.sqlite.store import open_store
from tests.web.api.conftest import HOME

ABTEST = (sys.executable, "-m", "abtest")


class Service:
    """A running service, and the command line beside it."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.environment = {**os.environ, "ABTEST_DATABASE": str(database)}
        self.start()

    def start(self) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            self.port: int = free.getsockname()[1]
        self.process = subprocess.Popen(
            [*ABTEST, "serve", "--json", "--port", str(self.port)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.told = json.loads(self.process.stdout.readline())
        for _ in range(200):
            try:
                if self.ask("GET", "/healthz")[0] == 200:
                    return
            except OSError:
                threading.Event().wait(0.05)
        raise AssertionError(self.stop())

    def stop(self) -> tuple[int, str]:
        """Ask the service to end; return its exit code and complaints."""
        self.process.send_signal(signal.SIGTERM)
        _, complaints = self.process.communicate(timeout=20)
        return self.process.returncode, complaints.decode()

    def run(self, *arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            [*ABTEST, *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def ask(
        self, method: str, path: str, body: object = None, *, key: str = ""
    ) -> tuple[int, Any]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with closing(connection):
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"null")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path / "data" / "abtest.db")
    yield service
    if service.process.poll() is None:
        code, complaints = service.stop()
        assert (code, complaints) == (0, "")


def test_from_nothing_to_a_report(service: Service) -> None:
    assert service.told["address"] == f"http://127.0.0.1:{service.port}"
    assert re.fullmatch(
        re.escape(service.told["address"]) + r"/setup/[\w-]{43}",
        service.told["setup_link"],
    )
    # Keys and experiments made beside the running service are known to it at once.
    keys = {
        kind: service.run("key", "create", "--kind", kind)
        for kind in ("pk", "sk", "rk")
    }
    service.run("experiment", "create", "-", stdin=json.dumps(HOME))
    asked = {"visitor": "v1"}
    status, answer = service.ask("POST", "/api/v1/assign", asked, key=keys["pk"])
    assert (status, answer["assignments"]) == (200, {})
    service.run("experiment", "start", "home")
    _, answer = service.ask("POST", "/api/v1/assign", asked, key=keys["pk"])
    home = answer["assignments"]["home"]
    assert (home["reason"], home["first_exposure"]) == ("assigned", True)
    bought = {"id": "1", "type": "conversion", "visitor": "v1", "step": "purchase"}
    for accepted in (1, 0):
        status, answer = service.ask("POST", "/api/v1/events", bought, key=keys["sk"])
        assert (status, answer["accepted"]) == (200, accepted)
    path = "/api/v1/experiments/home/report"
    assert service.ask("GET", path, key=keys["sk"])[0] == 403
    status, report = service.ask("GET", path, key=keys["rk"])
    assert (status, report["today"]) == (200, {"exposures": 1, "conversions": 1})


def test_bad_input_on_the_wire(service: Service) -> None:
    key = service.run("key", "create", "--kind", "sk")
    service.run("experiment", "create", "-", stdin=json.dumps(HOME))
    bought = {"id": "1", "type": "conversion", "visitor": "v1", "step": "purchase"}
    huge = {**bought, "id": "x" * 1_000_000}
    status, problem = service.ask("POST", "/api/v1/events", huge, key=key)
    assert (status, problem["type"]) == (413, "/problems/too_large")
    long = {**bought, "id": "x" * 200_000}
    _, answer = service.ask("POST", "/api/v1/events", long, key=key)
    assert [(r["field"], r["code"]) for r in answer["rejected"]] == [("id", "too_long")]
    for broken in (b"{", b"[" * 200_000, b"\xff", b"null"):
        status, problem = service.ask("POST", "/api/v1/events", broken, key=key)
        assert (status, problem["type"]) == (400, "/problems/invalid")
    # A body of unknown length takes the other door.
    chunks = iter([json.dumps(bought).encode()[:20], json.dumps(bought).encode()[20:]])
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    with closing(connection):
        headers = {"Authorization": f"Bearer {key}"}
        connection.request("POST", "/api/v1/events", chunks, headers)
        answer = json.loads(connection.getresponse().read())
    assert answer["accepted"] == 1
    status, problem = service.ask("POST", "/api/v1/events", bought)
    assert (status, problem["type"]) == (401, "/problems/unauthenticated")


def test_what_was_acknowledged_survives_the_end(service: Service) -> None:
    key = service.run("key", "create", "--kind", "sk")
    service.run("experiment", "create", "-", stdin=json.dumps(HOME))
    service.run("experiment", "start", "home")
    acknowledged: set[str] = set()
    ending = threading.Event()

    def send(name: str) -> None:
        for n in range(100_000):
            shown = {
                "id": f"{name}-{n}",
                "type": "exposure",
                "experiment": "home",
                "variant": "a",
                "visitor": f"{name}-{n}",
            }
            try:
                status, _ = service.ask("POST", "/api/v1/events", shown, key=key)
            except (OSError, http.client.HTTPException):
                return
            assert status == 200
            acknowledged.add(shown["visitor"])
            if len(acknowledged) > 200:
                ending.set()

    senders = [threading.Thread(target=send, args=(f"t{n}",)) for n in range(4)]
    for sender in senders:
        sender.start()
    assert ending.wait(30)
    assert service.stop() == (0, "")
    for sender in senders:
        sender.join()
    store = open_store(service.database)
    with closing(store):
        stored = store.moments(ExperimentKey("home"))
        seen = sum(moments.visitors for moments in stored.values())
        for visitor in list(acknowledged)[:50]:
            assert store.find_exposures(visitor)  # type: ignore[arg-type]
    assert len(acknowledged) <= seen <= len(acknowledged) + len(senders)


def test_the_set_up_link_is_printed_until_there_is_a_user(service: Service) -> None:
    first = service.told["setup_link"]
    service.stop()
    service.start()
    assert service.told["setup_link"] not in {None, first}
    service.run("user", "add", "ada", "--role", "admin")
    service.stop()
    service.start()
    assert service.told["setup_link"] is None


def test_an_address_in_use_is_refused(service: Service) -> None:
    done = subprocess.run(
        [*ABTEST, "serve", "--port", str(service.port)],
        env=service.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert done.returncode == 1
    assert f"cannot listen at 127.0.0.1:{service.port}: Address already in use" in (
        done.stderr
    )
    assert "--port" in done.stderr


@pytest.mark.parametrize(
    "command", [["--help"], ["key", "create", "--kind", "pk"], ["experiment", "list"]]
)
def test_commands_that_count_nothing_load_no_statistics(
    tmp_path: Path, command: list[str]
) -> None:
    code = (
        "import sys\nfrom abtest.cli import main\n"
        f"main({command!r}, standalone_mode=False)\n"
        "heavy = {'scipy', 'statsmodels', 'numpy', 'pandas'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "ABTEST_DATABASE": str(tmp_path / "abtest.db")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
