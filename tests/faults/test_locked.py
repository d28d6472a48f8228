"""F4: another process keeps the database locked."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.faults.load import SIZE, sending, stored
from tests.faults.serving import Server, Site

MANY = 64
"""Clients that write: twice as many as the server has threads."""

LONGEST = 6.0
"""Seconds that anybody waits: the patience of 5 and a busy machine."""


@contextmanager
def locked(site: Site) -> Iterator[None]:
    with closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def test_f4_a_second_is_waited_for(server: Server) -> None:
    with sending(server, "short", count=16) as journal:
        with locked(server.site):
            time.sleep(1)
        while journal.statuses.total() < 100:
            time.sleep(0.02)
    assert journal.refused == []
    assert set(journal.statuses) == {200}
    assert journal.broken == 0
    assert journal.slowest > 0.9


@pytest.mark.parametrize("seconds", [12, pytest.param(30, marks=pytest.mark.slow)])
def test_f4_a_long_lock_makes_writers_come_again_and_nobody_else(
    server: Server, seconds: int
) -> None:
    site = server.site
    cookie = site.cookie()
    with server.connection() as connection:
        told = connection.assign("came before")
        variant = told.content["assignments"]["home"]["variant"]
    reading: list[float] = []
    with sending(server, "long", count=MANY) as journal:
        while journal.statuses[200] < MANY:
            time.sleep(0.02)
        with locked(site):
            began = time.monotonic()
            while time.monotonic() - began < seconds:
                with server.connection() as connection:
                    answer = connection.assign("came before")
                    assert answer.status == 200
                    told = answer.content["assignments"]["home"]
                    assert told["variant"] == variant
                    reading.append(answer.seconds)
                    if answer.seconds < 1:
                        answer = connection.ask("GET", "/healthz")
                        assert answer.status == 200
                with server.connection("", cookie=cookie) as browser:
                    answer = browser.ask("GET", "/")
                    assert answer.status == 200
                    reading.append(answer.seconds)
                time.sleep(0.1)
            assert journal.statuses[503]
        before = journal.statuses[200]
        freed = time.monotonic()
        while journal.statuses[200] < before + MANY:
            assert time.monotonic() - freed < LONGEST
            time.sleep(0.02)
        recovered = time.monotonic() - freed
    print(  # noqa: T201 - a measurement to be read
        f"\nlocked for {seconds} s: readers waited {max(reading):.2f} s at most, and"
        f" {sorted(reading)[len(reading) // 2]:.2f} s (median); writers"
        f" {journal.slowest:.2f} s; all wrote again {recovered:.2f} s after"
    )
    assert journal.refused == []
    assert journal.broken == 0
    assert set(journal.statuses) == {200, 503}
    assert journal.slowest < LONGEST
    # Who came when the lock began waits until most writers have been sent away.
    assert max(reading) < LONGEST / 2 + 1
    assert sum(seconds > 1 for seconds in reading) <= 4
    assert set(stored(site.database, journal.acknowledged).values()) == {SIZE}
    server.stop()
    assert site.is_sound()
