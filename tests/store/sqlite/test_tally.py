"""Counts reach the file within a second, and wait for it when they cannot."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from abtest.domain.quality import QualityKind, QualityMark
from abtest.errors import AbtestError, ErrorCode
from abtest.store.sqlite import SqliteStore
from abtest.store.sqlite.tally import Counts, Tally

MARK = QualityMark(kind=QualityKind.DUPLICATE)


def on_disk(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        (amount,) = database.execute("SELECT sum(amount) FROM tally").fetchone()
    return amount or 0


def test_counts_are_on_disk_after_a_second(store: SqliteStore, path: Path) -> None:
    store.tally(1, {MARK: 3})
    assert on_disk(path) == 0
    for _ in range(100):
        if on_disk(path) == 3:
            return
        threading.Event().wait(0.1)
    raise AssertionError(on_disk(path))


def test_what_cannot_be_stored_waits_and_is_counted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("abtest.store.sqlite.tally.SECONDS", 0.01)
    stored = Counts()
    is_full, tried = True, threading.Event()

    def write(counts: Counts) -> None:
        tried.set()
        if is_full:
            raise AbtestError(ErrorCode.UNAVAILABLE, "the disk is full")
        stored.update(counts)

    tally = Tally(write)
    tally.add(1, {MARK: 2})
    assert tried.wait(5)
    assert tally.including(Counts) == {(1, MARK): 2}
    is_full = False
    tally.add(1, {MARK: 1})
    tally.close()
    assert stored == {(1, MARK): 3}


def test_threads_lose_no_count(store: SqliteStore) -> None:
    def add() -> None:
        for _ in range(500):
            store.tally(1, {MARK: 1})

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.read_tally(None, since=1) == {1: {MARK: 4000}}
