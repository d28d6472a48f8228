"""F1: the server is killed in the middle of its work."""

import os
import random
import signal
import statistics
import time
from pathlib import Path

import pytest

from tests.faults.conftest import StartServer
from tests.faults.filling import fill
from tests.faults.load import SIZE, Batch, count_events, send_again, sending, stored
from tests.faults.serving import Server, Site

QUICKLY = 2.0
"""Seconds of processor time until it is ready; on a machine that has nothing else to
do these are the seconds that pass."""

Times = list[tuple[float, float]]
"""Seconds that passed, and seconds of processor time."""


def kill_under_load(server: Server, rounds: int) -> Times:
    """Kill and start again; return what it took until it was ready each time."""
    site = server.site
    before = count_events(site.database)
    chance = random.Random(1)
    kept: list[Batch] = []
    ready: Times = []
    for number in range(rounds):
        with sending(server, f"round{number}") as journal:
            while not journal.acknowledged:
                time.sleep(0.01)
            time.sleep(chance.uniform(0.0, 0.4))
            server.kill()
        assert journal.refused == []
        unknown = list(journal.open.values())
        # All that was answered 200 is there; of the others all or nothing.
        assert set(stored(site.database, journal.acknowledged).values()) == {SIZE}
        found = stored(site.database, unknown)
        assert set(found.values()) <= {0, SIZE}
        ready.append((server.start(), server.cpu_seconds()))
        # Clients send again what was not answered, and some send everything twice.
        assert send_again(server, unknown) == (
            SIZE * len(unknown) - sum(found.values()),
            sum(found.values()),
        )
        again = [*unknown, *journal.acknowledged[-5:]]
        assert send_again(server, again) == (0, SIZE * len(again))
        kept += [*unknown, *journal.acknowledged]
    server.stop()
    assert count_events(site.database) - before == SIZE * len(set(kept))
    assert site.is_sound()
    return ready


def judge(ready: Times, events: int) -> None:
    passed, taken = zip(*ready, strict=True)
    print(  # noqa: T201 - a measurement to be read
        f"\nkilled {len(ready)} times at {events:,} events; ready again after"
        f" {statistics.median(passed):.2f} s (median), {max(passed):.2f} s (longest),"
        f" {statistics.median(taken):.2f} s of them on the processor"
    )
    assert statistics.median(taken) <= QUICKLY


def test_f1_what_was_acknowledged_survives_kill_9(server: Server) -> None:
    judge(kill_under_load(server, 5), count_events(server.site.database))


@pytest.mark.slow
def test_f1_a_hundred_times_on_a_million_events(
    site: Site, start_server: StartServer
) -> None:
    fill(site.database, events=1_000_000)
    ready = kill_under_load(start_server(), 100)
    judge(ready, count_events(site.database))


@pytest.mark.parametrize("victim", [0, 1], ids=["parent", "worker"])
def test_f1_the_death_of_one_process_is_mended(server: Server, victim: int) -> None:
    """The kernel may choose one of them when memory runs out."""
    processes = server.processes()
    with sending(server, "one") as journal:
        while not journal.acknowledged:
            time.sleep(0.01)
        os.kill(processes[victim], signal.SIGKILL)
        if victim == 0:
            # Nobody is left behind who holds the port or the database.
            server.forget()
            _wait_for_the_end(processes[1])
            server.start()
        else:
            server.wait_until_ready()
        here = len(journal.acknowledged)
        _wait_for_more(journal.acknowledged, here)
    assert journal.refused == []
    assert set(stored(server.site.database, journal.acknowledged).values()) == {SIZE}


def _wait_for_the_end(pid: int) -> None:
    give_up_at = time.monotonic() + 12
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def _wait_for_more(acknowledged: list[Batch], count: int) -> None:
    give_up_at = time.monotonic() + 10
    while len(acknowledged) <= count:
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
