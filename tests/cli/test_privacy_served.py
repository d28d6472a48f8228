"""Erasing and folding while a real server records."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.test_serve import Service
from tests.web.api.conftest import HOME

WHO = "visitor-4711-on-a-phone"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    running = Service(tmp_path / "abtest.db")
    try:
        yield running
    finally:
        running.stop()


def test_a_person_is_erased_from_the_files_of_a_busy_server(service: Service) -> None:
    """By the API and by the command line; no call of the others fails."""
    admin, server = (service.run("key", "create", "--kind", k) for k in ("ak", "sk"))
    assert service.ask("POST", "/api/v1/experiments", HOME, key=admin)[0] == 201
    assert (
        service.ask("POST", "/api/v1/experiments/home/start", {}, key=admin)[0] == 200
    )
    done = threading.Event()

    def browse(thread: int) -> set[int]:
        statuses: set[int] = set()
        number = 0
        while not done.is_set():
            number += 1
            name = f"thread-{thread}-visitor-{number}"
            for path, body in (
                ("assign", {"visitor": name}),
                ("events", {"type": "conversion", "visitor": name, "step": "signup"}),
            ):
                statuses.add(
                    service.ask("POST", f"/api/v1/{path}", body, key=server)[0]
                )
        return statuses

    def files() -> bytes:
        path = service.database
        return b"".join(
            path.with_name(path.name + end).read_bytes() for end in ("", "-wal", "-shm")
        )

    with ThreadPoolExecutor(4) as pool:
        browsing = [pool.submit(browse, thread) for thread in range(4)]
        try:
            for erase in (
                lambda: service.ask("DELETE", f"/api/v1/visitors/{WHO}", key=admin),
                lambda: service.run("erase", "--visitor", WHO),
            ):
                for _ in range(3):
                    body = {"visitor": WHO}
                    told = service.ask("POST", "/api/v1/assign", body, key=server)
                    assert told[1]["assignments"]["home"]["first_exposure"]
                    assert WHO.encode() in files()
                    erase()
                    assert WHO.encode() not in files()
                    threading.Event().wait(0.2)
            folded = service.run("gc", "--keep-days", "1")
            assert folded.startswith("0 events")
        finally:
            done.set()
        assert set().union(*(f.result(timeout=60) for f in browsing)) == {200}
    assert "agrees" in service.run("verify")
