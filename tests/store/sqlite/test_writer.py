"""One writer, many callers: they share commits, and each fails alone."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from abtest.errors import AbtestError, ErrorCode
from abtest.store.lean_sqlite_utils import Database
from abtest.store.sqlite import SqliteStore
from tests.store.builders import HOME, NOW, TRIAL, exposure, home


class Gate:
    """A job that keeps the writer busy until it is let go."""

    def __init__(self, store: SqliteStore) -> None:
        self.started, self._go = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: store._write(self._wait))
        self._thread.start()
        self.started.wait()

    def open(self) -> None:
        self._go.set()
        self._thread.join()

    def _wait(self, _: Database) -> None:
        self.started.set()
        self._go.wait()


def put(name: str) -> Callable[[Database], None]:
    def work(database: Database) -> None:
        database.execute("INSERT INTO setting VALUES (?, 'x')", [name])

    return work


def together(
    store: SqliteStore, works: list[Callable[[Database], None]]
) -> list[BaseException | None]:
    """Let the jobs wait behind a gate, so that they form one group."""
    gate = Gate(store)
    with ThreadPoolExecutor(len(works)) as pool:
        waiting = [pool.submit(store._write, work) for work in works]
        while store._writer._queue.qsize() < len(works):
            pass
        gate.open()
        return [future.exception() for future in waiting]


def test_fifty_threads_that_expose_a_visitor_make_one_exposure(
    store: SqliteStore,
) -> None:
    store.add_experiment(home())
    ready = threading.Barrier(50)

    def expose(number: int) -> tuple[str, bool]:
        wanted = exposure(number, variant="ab"[number % 2])
        ready.wait()
        held = store.expose(wanted.visitor, [wanted], received_at=NOW)[HOME]
        return held.variant, held.is_first

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(expose, range(50)))
    assert sum(is_first for _, is_first in answers) == 1
    (variant,) = {variant for variant, _ in answers}
    assert {v: m.visitors for v, m in store.moments(HOME).items()} == {variant: 1}
    assert store.find_exposures(exposure(0).visitor) == {HOME: variant}


def test_who_wants_little_does_not_wait_for_all_who_want_much(
    store: SqliteStore,
) -> None:
    groups: list[list[int]] = []

    def work(_: Database, wanted: Sequence[int]) -> list[int]:
        groups.append(list(wanted))
        return list(wanted)

    gate = Gate(store)
    weights = [100] * 12 + [600, 1, 100, 3]
    with ThreadPoolExecutor(len(weights)) as pool:
        told: list[Future[int]] = []
        for weight in weights:
            write = partial(store._writer.write, work, weight, weight=weight)
            told.append(pool.submit(write))
            while store._writer._queue.qsize() < len(told):
                pass
        gate.open()
        assert [future.result() for future in told] == weights
    assert groups == [[100] * 5 + [1, 3], [100] * 5, [100] * 2 + [600], [100]]


def test_jobs_that_wait_together_share_a_commit(store: SqliteStore) -> None:
    commits = 0

    def count(statement: str) -> None:
        nonlocal commits
        commits += statement == "COMMIT"

    store._write(lambda db: db.conn.set_trace_callback(count))
    names = [f"s{i}" for i in range(8)]
    assert together(store, [put(name) for name in names]) == [None] * 8
    assert [store.get_setting(name) for name in names] == ["x"] * 8
    assert commits == 3  # of the tracing job, of the gate, of the eight


def test_a_job_that_fails_fails_alone(store: SqliteStore) -> None:
    store.add_experiment(home())
    good = exposure(1, "v1")

    def crash(database: Database) -> None:
        put("half")(database)
        raise ZeroDivisionError

    def twice(database: Database) -> None:
        put("same")(database)
        put("same")(database)

    def unknown(_: Database) -> None:
        raise AbtestError(ErrorCode.NOT_FOUND, "no")

    errors = together(store, [put("s1"), crash, twice, put("s2"), unknown, put("s3")])
    assert [type(error) for error in errors] == [
        type(None),
        ZeroDivisionError,
        sqlite3.IntegrityError,
        type(None),
        AbtestError,
        type(None),
    ]
    names = ["s1", "s2", "s3", "half", "same"]
    assert [store.get_setting(n) for n in names] == ["x", "x", "x", None, None]
    assert store.record([good], received_at=NOW).accepted == 1


def test_a_batch_the_schema_refuses_fails_alone(store: SqliteStore) -> None:
    store.add_experiment(home())
    with ThreadPoolExecutor(3) as pool:
        good = pool.submit(store.record, [exposure(1)], received_at=NOW)
        bad = pool.submit(
            store.record, [exposure(2, experiment=TRIAL)], received_at=NOW
        )
        assert good.result().accepted == 1
        with pytest.raises(AbtestError):
            bad.result()
    assert store.facts(HOME).first_exposure == exposure(1).at


def test_when_the_whole_transaction_is_lost_the_others_get_their_own(
    store: SqliteStore,
) -> None:
    def lose(database: Database) -> None:
        database.execute("INSERT OR ROLLBACK INTO experiment_stamp VALUES (1, 0)")

    errors = together(store, [put("s1"), lose, put("s2")])
    assert [type(error) for error in errors] == [
        type(None),
        sqlite3.IntegrityError,
        type(None),
    ]
    assert [store.get_setting(n) for n in ("s1", "s2")] == ["x", "x"]


def test_close_finishes_what_waits(store: SqliteStore, path: Path) -> None:
    gate = Gate(store)
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(store.put_setting, f"s{i}", "x") for i in range(2)]
        while store._writer._queue.qsize() < 2:
            pass
        closing = pool.submit(store.close)
        gate.open()
        closing.result()
        assert [future.exception() for future in waiting] == [None, None]
    again = SqliteStore(path)
    assert [again.get_setting(f"s{i}") for i in range(2)] == ["x", "x"]
    again.close()


def test_nothing_runs_before_the_first_job(path: Path) -> None:
    store = SqliteStore(path)
    assert store._writer._thread is None
    store.close()


def test_an_unknown_durability_is_a_mistake(path: Path) -> None:
    with pytest.raises(ValueError, match="durability"):
        SqliteStore(path, durability="perhaps")
