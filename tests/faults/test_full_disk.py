"""F3: the disk is full for a while, and the server runs on."""

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest

from tests.faults.conftest import StartServer
from tests.faults.load import SIZE, Journal, sending, stored
from tests.faults.serving import Server, Site

SOON = 5.0
"""Seconds within which everything is as before when there is room again."""


def can_mount() -> bool:
    """Whether this user may make a small disk."""
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        try:
            with small_disk(Path(folder)):
                return True
        except subprocess.CalledProcessError:
            return False


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def no_byte_more(server: Server) -> Iterator[None]:
    """Let the server's processes write no byte beyond the first page of a file."""
    limits = {
        pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in server.processes()
    }
    for pid, (_, hard) in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        for pid, limit in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)


@contextmanager
def filled_up(server: Server) -> Iterator[None]:
    """Fill the disk that the database is on."""
    filler = server.site.database.with_name("filler")
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 2**16):
            pass
    try:
        yield
    finally:
        filler.unlink()


def wait_for(journal: Journal, status: int, times: int) -> None:
    """Wait until so many more answers were of this status."""
    goal = journal.statuses[status] + times
    give_up_at = time.monotonic() + 20
    while journal.statuses[status] < goal:
        assert time.monotonic() < give_up_at, journal.statuses
        time.sleep(0.02)


def reasons(server: Server) -> set[str]:
    """Return the codes with which the server says that it is not ready."""
    with server.connection() as connection:
        answer = connection.ask("GET", "/readyz")
    if answer.status == 200:
        return set()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    return {error["code"] for error in answer.content["errors"]}


def wait_until_reasons(server: Server, expected: set[str]) -> None:
    give_up_at = time.monotonic() + SOON
    while reasons(server) != expected:
        assert time.monotonic() < give_up_at, reasons(server)
        time.sleep(0.1)


def check_reading(server: Server, known: str, variant: str, cookie: str) -> None:
    """Assignments of those who came before, reports and pages go on."""
    with server.connection() as connection:
        told = connection.assign(known)
        assert told.status == 200
        assert told.content["assignments"]["home"]["variant"] == variant
        told = connection.ask("GET", "/api/v1/assign?visitor=never+seen")
        assert told.status == 200
        assert connection.ask("GET", "/healthz").status == 200
    with server.connection("rk") as connection:
        answer = connection.ask("GET", "/api/v1/experiments/home/report")
        assert answer.status == 200
    with server.connection("", cookie=cookie) as browser:
        for path in ("/", "/experiments/home"):
            assert browser.ask("GET", path).status == 200, path


def outage(
    server: Server, fault: AbstractContextManager[None], expected: set[str]
) -> None:
    """Let the fault come and go under load."""
    site = server.site
    cookie = site.cookie()
    processes = server.processes()
    with server.connection() as connection:
        told = connection.assign("came before").content["assignments"]["home"]
    check_reading(server, "came before", told["variant"], cookie)
    with sending(server, "full", count=4) as journal:
        wait_for(journal, 200, 20)
        with fault:
            wait_for(journal, 503, 20)
            wait_until_reasons(server, expected)
            check_reading(server, "came before", told["variant"], cookie)
            with server.connection() as connection:
                # Nobody is told a variant that cannot be kept.
                for _ in range(500):
                    answer = connection.assign(f"new {time.monotonic()}")
                    if answer.status == 503:
                        break
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            assert answer.content["type"] == "/problems/unavailable"
            wait_for(journal, 503, 20)
        began = time.monotonic()
        wait_for(journal, 200, 20)
        wait_until_reasons(server, set())
        assert time.monotonic() - began < SOON
        assert server.processes() == processes
    assert journal.refused == []
    assert journal.broken == 0
    assert set(journal.statuses) == {200, 503}
    assert set(stored(site.database, journal.acknowledged).values()) == {SIZE}
    assert set(stored(site.database, journal.open.values()).values()) <= {0, SIZE}
    server.stop()
    assert site.is_sound()


def limited_files(_: Path, start_server: StartServer) -> None:
    """A limit on the size of files stands in for a full disk."""
    server = start_server()
    outage(server, no_byte_more(server), {"not_writable"})


def full_disk(folder: Path, start_server: StartServer) -> None:
    with small_disk(folder):
        server = start_server(site=Site.make(folder))
        try:
            outage(server, filled_up(server), {"not_writable", "disk_low"})
        finally:
            server.end()


# Who may mount one fills a small disk, too.
WAYS = [limited_files, full_disk] if can_mount() else [limited_files]


@pytest.mark.parametrize("way", WAYS)
def test_f3_a_full_disk_stores_nothing_by_halves_and_is_survived(
    tmp_path: Path,
    start_server: StartServer,
    way: Callable[[Path, StartServer], None],
) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    way(folder, start_server)
