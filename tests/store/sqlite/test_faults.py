"""Full disks, locks, damage and sudden death: unavailable, or stored; never half."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from abtest.errors import AbtestError, ErrorCode
from abtest.store.lean_sqlite_utils import Database
from abtest.store.protocol import Difference
from abtest.store.sqlite import (
    SqliteStore,
    connection,
    open_store,
    quick_check,
    writer,
)
from tests.store.builders import HOME, NOW, conversion, exposure, home

PROCESS = Path(__file__).with_name("writing_process.py")


def run(path: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.sqlite.writing_process", path, *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )


def is_sound(store: SqliteStore) -> bool:
    return not any(isinstance(step, Difference) for step in store.verify())


def stored_ids(path: Path) -> set[bytes]:
    with closing(sqlite3.connect(path)) as reader:
        return {id_ for (id_,) in reader.execute("SELECT id FROM event")}


def limit_pages(store: SqliteStore, extra: int | None) -> None:
    """Let the file grow by so many pages at most; None for no limit."""

    def work(database: Database) -> None:
        (now,) = database.conn.execute("PRAGMA page_count").fetchone()
        most = 2**30 if extra is None else now + extra
        database.conn.execute(f"PRAGMA max_page_count = {most}")

    store._write(work)


def test_a_full_disk_stores_nothing_of_a_batch_and_is_survived(
    store: SqliteStore,
) -> None:
    store.add_experiment(home())
    store.record([exposure(1), conversion(2)], received_at=NOW)
    before = store.moments(HOME)
    limit_pages(store, 4)
    batch = [exposure(i, f"{'long' * 25}{i}") for i in range(10, 1000)]
    with pytest.raises(AbtestError) as error:
        store.record(batch, received_at=NOW)
    assert error.value.code is ErrorCode.UNAVAILABLE
    assert "disk is full" in error.value.detail
    assert store.moments(HOME) == before
    assert is_sound(store)
    assert store.record([conversion(3)], received_at=NOW).accepted == 1
    limit_pages(store, None)
    assert store.record(batch, received_at=NOW).accepted == len(batch)
    assert is_sound(store)


def test_a_lock_of_a_second_is_waited_for(store: SqliteStore, path: Path) -> None:
    store.add_experiment(home())
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    threading.Timer(1, lambda: other.execute("COMMIT")).start()
    began = time.monotonic()
    assert store.record([exposure(1)], received_at=NOW).accepted == 1
    assert time.monotonic() - began > 0.9
    other.close()


def test_a_long_lock_makes_it_unavailable_for_all_who_wait(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.5)
    with closing(open_store(path)) as store:
        store.add_experiment(home())
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        codes: list[ErrorCode] = []

        def write(number: int) -> None:
            try:
                store.record([exposure(number)], received_at=NOW)
            except AbtestError as error:
                codes.append(error.code)

        threads = [threading.Thread(target=write, args=[i]) for i in range(20)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert codes == [ErrorCode.UNAVAILABLE] * 20
        assert time.monotonic() - began < 5  # they wait together, not in turn
        with pytest.raises(AbtestError, match="locked"):
            store.check_writable()
        assert store.moments(HOME) == {}  # reading goes on
        other.execute("COMMIT")
        other.close()
        assert store.record([exposure(1)], received_at=NOW).accepted == 1


def test_while_a_lock_lasts_only_a_few_wait(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BUSY_SECONDS", 4.0)
    with closing(open_store(path)) as store:
        store.add_experiment(home())
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")

        def wait(number: int) -> float:
            began = time.monotonic()
            with pytest.raises(AbtestError, match="locked"):
                store.record([exposure(number)], received_at=NOW)
            return time.monotonic() - began

        with ThreadPoolExecutor(60) as pool:
            early = [pool.submit(wait, number) for number in range(30)]
            time.sleep(2.5)  # half of them have been sent away
            late = [pool.submit(wait, number) for number in range(30, 60)]
            long = [w.result() for w in early if w.result() > 3]
            told_at_once = [w.result() for w in late if w.result() < 0.5]
        assert 1 <= len(long) <= 2 * writer._FEW
        assert len(told_at_once) >= 30 - writer._FEW
        other.execute("COMMIT")
        other.close()
        assert store.record([exposure(1)], received_at=NOW).accepted == 1


def test_a_damaged_file_is_unavailable_and_named(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(3 * 4096))
    assert quick_check(path)
    with closing(SqliteStore(path)) as store:
        with pytest.raises(AbtestError) as error:
            store.add_experiment(home())
        assert error.value.code is ErrorCode.UNAVAILABLE
        assert "damaged" in error.value.detail


def test_a_sound_file_has_no_damage(path: Path) -> None:
    assert quick_check(path) == ()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(AbtestError) as error:
        open_store(path)
    assert error.value.code is ErrorCode.UNAVAILABLE
    assert quick_check(path)
    with pytest.raises(AbtestError) as error:
        quick_check(tmp_path / "missing.db")
    assert error.value.code is ErrorCode.UNAVAILABLE


def test_a_disk_without_room_is_noticed_before_it_matters(path: Path) -> None:
    """A limit on the size of files stands in for a full disk."""
    with run(path, "limited") as process:
        assert process.communicate(timeout=60)[0].splitlines() == [
            "writable",
            "unavailable",
            "unavailable",
            "writable",
            "recorded",
        ]


def test_several_processes_write_at_once_and_nothing_is_lost(
    store: SqliteStore, path: Path
) -> None:
    store.add_experiment(home())
    processes = [run(path, "batches", "40", str(i)) for i in range(3)]
    answers = [process.communicate(timeout=60)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert all(len(acknowledged) == 40 for acknowledged in answers)
    # The processes send 40 batches of 5 events; every second batch is the same in all.
    assert len(stored_ids(path)) == 3 * 20 * 5 + 20 * 5
    assert is_sound(store)


@pytest.mark.parametrize("attempt", range(6))
def test_sudden_death_loses_nothing_that_was_acknowledged(
    store: SqliteStore, path: Path, attempt: int
) -> None:
    store.add_experiment(home())
    with run(path, "batches", "100000", "0") as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline())]
        time.sleep(0.02 + 0.03 * attempt)
        process.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in process.stdout if line.endswith("\n")]
    found = {int.from_bytes(id_, "big") for id_ in stored_ids(path)}
    batches = {number // 5 for number in found}
    assert batches >= set(acknowledged)
    assert len(batches) <= len(acknowledged) + 1  # the one under way
    assert found == {5 * batch + i for batch in batches for i in range(5)}
    assert quick_check(path) == ()
    assert is_sound(store)
