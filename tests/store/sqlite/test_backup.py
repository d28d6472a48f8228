"""Copies of a database in use, and the way back (F17 of the fault tests)."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from abtest.errors import AbtestError, ErrorCode
from abtest.store.protocol import Difference
from abtest.store.sqlite import SqliteStore, open_store
from abtest.store.sqlite import backup as backup_module
from abtest.store.sqlite.backup import copy_database, restore_database
from tests.store.builders import HOME, NOW, conversion, exposure, home


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def fill(store: SqliteStore, visitors: int) -> None:
    store.add_experiment(home())
    for first in range(0, visitors, 500):
        numbers = range(first, min(first + 500, visitors))
        batch = [
            made
            for n in numbers
            for made in (
                exposure(2 * n, f"v{n}", variant="ab"[n % 2], hours=n % 48),
                conversion(2 * n + 1, f"v{n}", hours=n % 48 + 1),
            )
        ]
        store.record(batch, received_at=NOW)


def code_of(caught: pytest.ExceptionInfo[AbtestError]) -> ErrorCode:
    return caught.value.code


def test_a_copy_is_one_private_file_with_the_same_content(
    store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    fill(store, 50)
    target = tmp_path / "copy.db"
    copy_database(path, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.glob("copy.db*")) == ["copy.db"]
    assert dump(target) == dump(path)


def test_f17_writers_go_on_during_a_copy_that_does_not_begin_anew(
    store: SqliteStore,
    path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A foreign write at each step would make a copy without a snapshot start over."""
    monkeypatch.setattr(backup_module, "_PAGES_AT_ONCE", 20)
    fill(store, 2_000)
    pages: list[int] = []
    totals: set[int] = set()
    other = sqlite3.connect(path, isolation_level=None)

    def write_meanwhile(done: int, total: int) -> None:
        pages.append(done)
        totals.add(total)
        other.execute(
            "INSERT INTO setting VALUES (?, 'x')", [f"during {len(pages)}"]
        ).fetchall()
        store.record([exposure(10**6 + done, f"late{done}")], received_at=NOW)

    copy_database(path, tmp_path / "copy.db", on_pages=write_meanwhile)
    other.close()
    assert len(pages) > 5
    assert pages == sorted(set(pages))
    assert totals == {pages[-1]}
    with closing(open_store(tmp_path / "copy.db")) as copied:
        assert sum(m.visitors for m in copied.moments(HOME).values()) == 2_000
        assert not any(isinstance(step, Difference) for step in copied.verify())
        assert copied.get_setting("during 1") is None
    assert store.get_setting("during 1") == "x"


def test_f17_restored_is_what_was_at_the_backup_point_under_load(
    path: Path, tmp_path: Path
) -> None:
    """Two processes write; every backup is a whole number of whole batches."""
    with closing(open_store(path)) as store:
        store.add_experiment(home())
    module = "tests.store.sqlite.writing_process"
    command = [sys.executable, "-m", module, str(path)]
    writers = [
        subprocess.Popen([*command, "batches", "200", str(n)], stdout=subprocess.PIPE)
        for n in range(2)
    ]
    copies: list[Path] = []
    while any(writer.poll() is None for writer in writers) and len(copies) < 40:
        copies.append(tmp_path / f"copy{len(copies)}.db")
        copy_database(path, copies[-1])
    for writer in writers:
        out, _ = writer.communicate(timeout=60)
        assert writer.returncode == 0
        assert out.split()[-1] == b"199"
    assert copies
    target = tmp_path / "elsewhere" / "abtest.db"
    for copy in (copies[0], copies[len(copies) // 2], copies[-1]):
        restore_database(copy, target, now=NOW)
        with closing(open_store(target)) as restored:
            assert not any(isinstance(s, Difference) for s in restored.verify())
            with closing(open_store(copy)) as at_backup:
                assert restored.moments(HOME) == at_backup.moments(HOME)
        with closing(sqlite3.connect(target)) as reader:
            ((events,),) = reader.execute("SELECT count(*) FROM event")
        assert events % 5 == 0
        for kept in target.parent.glob("*.before-restore-*"):
            kept.unlink()


def test_a_copy_can_be_ended_and_leaves_nothing(
    store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    fill(store, 20)

    def enough(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_database(path, tmp_path / "copy.db", on_pages=enough)
    assert not (tmp_path / "copy.db").exists()


def test_a_copy_needs_room(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(AbtestError, match="are needed") as caught:
        copy_database(path, tmp_path / "copy.db")
    assert code_of(caught) is ErrorCode.UNAVAILABLE
    assert not (tmp_path / "copy.db").exists()


def test_a_damaged_database_gives_no_copy(path: Path, tmp_path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(8 * 4096)
        file.write(os.urandom(6 * 4096))
    with pytest.raises(AbtestError, match="damaged") as caught:
        copy_database(path, tmp_path / "copy.db")
    assert code_of(caught) is ErrorCode.UNAVAILABLE
    assert not (tmp_path / "copy.db").exists()


@pytest.mark.parametrize("existing", ["copy.db", "none/copy.db"])
def test_a_target_that_cannot_be_made(
    path: Path, tmp_path: Path, existing: str
) -> None:
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(AbtestError) as caught:
        copy_database(path, tmp_path / existing)
    assert code_of(caught) is ErrorCode.UNAVAILABLE
    assert (tmp_path / "copy.db").read_text() == "mine"


@pytest.fixture
def backup(path: Path, tmp_path: Path) -> Path:
    """Return a backup with an experiment of a database that has gone on since."""
    with closing(open_store(path)) as store:
        fill(store, 10)
        copy_database(path, tmp_path / "backup.db")
        store.record([exposure(999, "later")], received_at=NOW)
    return tmp_path / "backup.db"


def test_restoring_keeps_the_database_as_it_was(path: Path, backup: Path) -> None:
    before = dump(path)
    done = restore_database(backup, path, now=datetime(2026, 7, 1, 8, 9, tzinfo=UTC))
    assert done.pending == ()
    assert done.kept == path.with_name("abtest.db.before-restore-20260701T080900Z")
    assert dump(done.kept) == before
    assert dump(path) == dump(backup)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.glob("*.part")) == []


def test_restoring_folds_in_what_a_killed_process_left_in_the_log(
    path: Path, backup: Path, tmp_path: Path
) -> None:
    killed = tmp_path / "killed"
    killed.mkdir()
    with closing(open_store(path)) as store:
        store.record([exposure(1000, "in the log")], received_at=NOW)
        for file in path.parent.glob("abtest.db*"):
            shutil.copy(file, killed)
    database = killed / path.name
    assert (killed / "abtest.db-wal").stat().st_size
    kept = restore_database(backup, database, now=NOW).kept
    assert kept is not None
    with closing(sqlite3.connect(kept)) as connection:
        found = connection.execute("SELECT 1 FROM node WHERE name = 'in the log'")
        assert found.fetchall() == [(1,)]
    assert dump(database) == dump(backup)


def test_restoring_where_nothing_was(backup: Path, tmp_path: Path) -> None:
    target = tmp_path / "new" / "abtest.db"
    assert restore_database(backup, target, now=NOW).kept is None
    assert dump(target) == dump(backup)


def test_f6_restoring_over_a_damaged_database(path: Path, backup: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(5 * 4096))
    kept = restore_database(backup, path, now=NOW).kept
    assert kept is not None
    assert kept.stat().st_size
    assert dump(path) == dump(backup)


@pytest.fixture(params=["store", "reader"])
def somebody(request: pytest.FixtureRequest, path: Path) -> Iterator[None]:
    """Use the database, as abtest does or as another program does."""
    if request.param == "store":
        with closing(open_store(path)):
            yield
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT count(*) FROM setting").fetchall()
            yield


@pytest.mark.usefixtures("somebody")
def test_a_database_in_use_is_not_replaced(path: Path, backup: Path) -> None:
    inode = path.stat().st_ino
    with pytest.raises(AbtestError, match="in use") as caught:
        restore_database(backup, path, now=NOW)
    assert code_of(caught) is ErrorCode.UNAVAILABLE
    assert path.stat().st_ino == inode
    assert not list(path.parent.glob("*.before-restore-*"))
    assert not list(path.parent.glob("*.part"))


def test_a_store_waits_a_moment_for_a_restore(path: Path, backup: Path) -> None:
    stop = threading.Event()
    opened: list[float] = []

    def use() -> None:
        while not stop.is_set():
            try:
                with closing(open_store(path)) as store:
                    opened.append(store.get_experiment(HOME).version)
            except AbtestError as error:
                assert "restored" in error.detail  # noqa: PT017 - in a thread

    thread = threading.Thread(target=use)
    thread.start()
    refused = 0
    for second in range(5):
        try:
            restore_database(
                backup, path, now=datetime(2026, 1, 1, 1, 1, second, 0, UTC)
            )
        except AbtestError:
            refused += 1
        time.sleep(0.01)
    stop.set()
    thread.join()
    assert opened
    assert refused <= 5
    with closing(open_store(path)) as store:
        assert not any(isinstance(step, Difference) for step in store.verify())


@pytest.mark.parametrize("fault", ["damage", "newer", "foreign", "letter", "live"])
def test_what_is_no_good_backup_changes_nothing(
    path: Path, backup: Path, fault: str
) -> None:
    match fault:
        case "damage":
            with backup.open("r+b") as file:
                file.seek(9 * 4096)
                file.write(os.urandom(3 * 4096))
        case "newer":
            with closing(sqlite3.connect(backup)) as connection, connection:
                connection.execute(
                    "UPDATE _sqlite_migrations SET name = '9999_future'"
                    " WHERE name LIKE '0001%'"
                )
        case "foreign":
            backup.unlink()
            with closing(sqlite3.connect(backup)) as connection, connection:
                connection.execute("CREATE TABLE other (x)")
        case "letter":
            backup.write_text("Dear Sir or Madam, " * 100)
        case _:
            backup.with_name("backup.db-wal").write_bytes(b"x" * 100)
    before = dump(path)
    with pytest.raises(AbtestError) as caught:
        restore_database(backup, path, now=NOW)
    assert code_of(caught) is ErrorCode.INVALID
    assert str(backup) in caught.value.detail
    assert dump(path) == before


def test_an_older_backup_tells_what_it_lacks(path: Path, backup: Path) -> None:
    with closing(sqlite3.connect(backup)) as connection, connection:
        (last,) = connection.execute(
            "DELETE FROM _sqlite_migrations WHERE name ="
            " (SELECT max(name) FROM _sqlite_migrations) RETURNING name"
        ).fetchone()
    assert restore_database(backup, path, now=NOW).pending == (last,)
