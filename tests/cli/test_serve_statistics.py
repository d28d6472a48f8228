"""The server answers reports without the statistics in its own process."""

import http.client
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.test_serve import Service
from tests.services.test_worker import wait_for_end
from tests.web.api.conftest import HOME

HEAVY = ("/numpy/", "/scipy/", "/statsmodels/")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path / "abtest.db")
    yield service
    if service.process.poll() is None:
        assert service.stop() == (0, "")


def children(process: int) -> list[int]:
    """Return the processes that a process has started and that still run."""
    found = []
    for task in Path(f"/proc/{process}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def has_heavy(process: int) -> bool:
    """Tell whether compiled parts of the statistics are loaded in a process."""
    loaded = Path(f"/proc/{process}/maps").read_text()
    return any(name in loaded for name in HEAVY)


def signed_in(service: Service) -> dict[str, str]:
    """Make a user and return the headers of somebody who is signed in."""
    form = "name=ada&password=correct+horse+battery"
    path = "/setup/" + service.told["setup_link"].rpartition("/")[2]
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Sec-Fetch-Site": "same-origin",
    }
    for address in (path, "/login"):
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
        with closing(connection):
            connection.request("POST", address, form, headers)
            answer = connection.getresponse()
            answer.read()
            cookie = answer.headers["Set-Cookie"]
        if cookie:
            return {"Cookie": cookie.partition(";")[0]}
    raise AssertionError("nobody was let in")


def page(service: Service, path: str, headers: dict[str, str]) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    with closing(connection):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def wait_until_it_answers(service: Service) -> None:
    """Wait for the server that takes the place of one that was killed."""
    for _ in range(200):
        try:
            if service.ask("GET", "/healthz")[0] == 200:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
    raise AssertionError("no server took its place")


def test_reports_are_written_in_a_process_of_their_own(service: Service) -> None:
    headers = signed_in(service)
    key = service.run("key", "create", "--kind", "rk")
    service.run("experiment", "create", "-", stdin=json.dumps(HOME))
    service.run("experiment", "start", "home")
    (server,) = children(service.process.pid)
    status, results = page(service, "/experiments/home", headers)
    assert status == 200
    assert "Home page" in results
    assert page(service, "/", headers)[0] == 200
    for path in ("report", "customers"):
        address = f"/api/v1/experiments/home/{path}"
        assert service.ask("GET", address, key=key)[0] == 200
    asked = {"visitors_per_day": 1000, "first_rate": 0.1, "repeat_rate": 0.3}
    assert service.ask("POST", "/api/v1/plan", asked, key=key)[0] == 200
    (worker,) = children(server)
    assert has_heavy(worker)
    assert not has_heavy(server)
    # It is replaced when it dies, and ends with a server that is killed.
    os.kill(worker, signal.SIGKILL)
    assert page(service, "/experiments/home?second_weight=7", headers)[0] == 200
    (replaced,) = children(server)
    assert replaced != worker
    os.kill(server, signal.SIGKILL)
    assert wait_for_end(replaced)
    wait_until_it_answers(service)


def test_a_server_that_only_records_starts_no_second_process(service: Service) -> None:
    key = service.run("key", "create", "--kind", "pk")
    for _ in range(3):
        asked = {"visitor": "v1"}
        assert service.ask("POST", "/api/v1/assign", asked, key=key)[0] == 200
    (server,) = children(service.process.pid)
    assert children(server) == []
    assert not has_heavy(server)
