"""Old events that a service deletes by itself: when, and what a failure leaves."""

import logging
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from abtest.cli import recurring
from abtest.cli.garbage_timer import GarbageTimer
from abtest.config import Settings, read_settings
from abtest.errors import AbtestError, ErrorCode
from abtest.store.protocol import Store
from abtest.store.sqlite.store import open_store
from tests.cli.program import Program
from tests.cli.test_privacy import LATER, filled, report
from tests.conftest import Clock


@pytest.fixture
def program(tmp_path: Path) -> Program:
    program = filled(tmp_path)
    program.succeed("experiment", "stop", "shop")
    return program


@pytest.fixture
def store(program: Program) -> Iterator[Store]:
    with closing(open_store(program.database)) as store:
        yield store


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.time = LATER
    return clock


def keeping(days: int) -> Settings:
    return read_settings({"ABTEST_KEEP_EVENTS_DAYS": str(days)})


def foldings(store: Store) -> list[str]:
    entries = store.list_audit(limit=50)
    return [e.actor for e in reversed(entries) if e.action == "events.fold"]


def test_it_is_done_once_a_day_and_changes_no_report(
    program: Program, store: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    before = report(program)
    timer = GarbageTimer(keeping(80), lambda: store, clock=clock)
    with caplog.at_level(logging.INFO, "abtest"):
        # From the 13th of March on, when the first have gone, until all are over.
        for _ in range(40 * 24):
            timer.collect_if_due()
            clock.time += timedelta(hours=1)
    assert report(program) == before
    told = [record.getMessage() for record in caplog.records]
    assert set(foldings(store)) == {"service"}
    assert 1 < len(told) == len(foldings(store)) <= 40
    assert all("no report changed" in line for line in told)
    with_nothing_left = program.succeed("gc", "--keep-days", "30")
    assert "0 events of 0 persons" in with_nothing_left


def test_a_failure_is_logged_and_tried_again(
    store: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[Exception] = [
        AbtestError(ErrorCode.UNAVAILABLE, "the disk is full"),
        RuntimeError("a bug"),
    ]

    def opened() -> Store:
        if answers:
            raise answers.pop(0)
        return store

    timer = GarbageTimer(keeping(30), opened, clock=clock)
    for _ in range(3):
        timer.collect_if_due()
        timer.collect_if_due()
        clock.time += timedelta(hours=1)
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "old events stay, next try in an hour: the disk is full",
        "old events stay, next try in an hour",
    ]
    assert foldings(store) == ["service"]


def test_the_thread_deletes_and_ends(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recurring, "_FIRST_PAUSE", 0.01)
    timer = GarbageTimer(keeping(30), lambda: store, clock=clock)
    timer.start()
    for _ in range(500):
        if foldings(store):
            break
        threading.Event().wait(0.01)
    timer.stop()
    assert foldings(store) == ["service"]
    assert "abtest-garbage" not in {thread.name for thread in threading.enumerate()}


def test_it_breaks_off_when_the_service_ends(store: Store, clock: Clock) -> None:
    timer = GarbageTimer(keeping(30), lambda: store, clock=clock)
    timer.stop()
    timer.collect_if_due()
    assert foldings(store) == []


def test_without_the_setting_nothing_is_deleted(store: Store) -> None:
    timer = GarbageTimer(keeping(0), lambda: store)
    timer.start()
    assert "abtest-garbage" not in {thread.name for thread in threading.enumerate()}
    timer.stop()
