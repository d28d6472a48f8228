"""F22: hours of ordinary traffic leave the server as it was."""

import os
import statistics
import time
from collections import Counter
from threading import Event, Thread

import pytest

from tests.faults.load import SIZE, Batch, Journal
from tests.faults.serving import Connection, Server

SECONDS = float(os.environ.get("SOAK_SECONDS", "3600"))
EVENTS_A_SECOND = 200
ASSIGNS_A_SECOND = 20
SAMPLES = 50
MOST_LOG = 64 * 2**20
MOST_GROWTH = 16 * 2**20
"""Bytes that the memory may be larger in the last fifth than in the second."""


class Traffic:
    """What goes on at a steady pace until it is ended."""

    def __init__(self, server: Server) -> None:
        self.journal = Journal()
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.ending = Event()
        self._server = server
        self._threads = [
            Thread(target=self._send_events),
            Thread(target=self._assign),
            Thread(target=self._read),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self.ending.set()
        for thread in self._threads:
            thread.join()

    def _send_events(self) -> None:
        number = 0
        began = time.monotonic()
        with self._server.connection() as connection:
            while not self.ending.is_set():
                self.journal.note(Batch(f"soak-{number}"), connection, "soak")
                number += 1
                due = began + number * SIZE / EVENTS_A_SECOND
                self.ending.wait(max(0.0, due - time.monotonic()))

    def _assign(self) -> None:
        number = 0
        with self._server.connection() as connection:
            while not self.ending.wait(1 / ASSIGNS_A_SECOND):
                # Every second one came before.
                answer = connection.assign(f"soak-visitor-{number // 2}")
                self.statuses["assign", answer.status] += 1
                number += 1

    def _read(self) -> None:
        with self._server.connection("rk") as connection:
            while not self.ending.wait(2):
                self._ask(connection, "/api/v1/experiments/home/report")
                self._ask(connection, "/readyz")

    def _ask(self, connection: Connection, path: str) -> None:
        self.statuses[path, connection.ask("GET", path).status] += 1


@pytest.mark.slow
def test_f22_an_hour_leaves_it_as_it_was(server: Server) -> None:
    """`SOAK_SECONDS` says how long."""
    site = server.site
    log = site.database.with_name(f"{site.database.name}-wal")
    processes = server.processes()
    memory: list[int] = []
    logs: list[int] = []
    traffic = Traffic(server)
    traffic.start()
    try:
        for sample in range(SAMPLES):
            time.sleep(SECONDS / SAMPLES)
            memory.append(server.memory())
            logs.append(log.stat().st_size)
            if sample == SAMPLES // 2:
                site.program.succeed("backup", str(site.database.parent / "backups"))
    finally:
        traffic.end()
    fifth = SAMPLES // 5
    before = statistics.median(memory[fifth : 2 * fifth])
    after = statistics.median(memory[-fifth:])
    sent = len(traffic.journal.acknowledged)
    print(  # noqa: T201 - a measurement to be read
        f"\n{SECONDS:,.0f} s, {SIZE * sent:,} events, {dict(traffic.statuses)}: memory"
        f" {before / 2**20:.1f} MB in the second fifth, {after / 2**20:.1f} MB in the"
        f" last; log {max(logs) / 2**20:.1f} MB at most; slowest answer"
        f" {traffic.journal.slowest:.2f} s"
    )
    assert server.processes() == processes
    assert {status for _, status in traffic.statuses} == {200}
    assert set(traffic.journal.statuses) == {200}
    assert (traffic.journal.refused, traffic.journal.broken) == ([], 0)
    assert after - before <= MOST_GROWTH
    assert max(logs) <= MOST_LOG
    assert SIZE * sent >= 0.9 * EVENTS_A_SECOND * SECONDS
    server.stop()
    assert site.is_sound()
