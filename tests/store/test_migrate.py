"""Migrations: each whole or not at all, in order, never backwards."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from abtest.errors import AbtestError, ErrorCode
from abtest.store.migrate import migrate, pending
from abtest.store.sqlite import open_store
from tests.store.builders import NOW, exposure, home

FIRST = "CREATE TABLE one (x INTEGER) STRICT;\nINSERT INTO one VALUES (1);"
SECOND = """
-- A comment; with a semicolon.
CREATE TABLE two (x TEXT) STRICT;
CREATE TRIGGER copied AFTER INSERT ON one BEGIN
    INSERT INTO two VALUES ('a; b');
END;
UPDATE one SET x = 2;
"""
BROKEN = (
    "CREATE TABLE three (x);\nUPDATE one SET x = 3;\nINSERT INTO nowhere VALUES (1);"
)

Write = Callable[[str, str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "scripts"
    made.mkdir()
    return made


@pytest.fixture
def write(folder: Path) -> Write:
    def writing(name: str, script: str) -> None:
        (folder / f"{name}.sql").write_text(script)

    return writing


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_scripts_are_applied_in_order_and_once(
    tmp_path: Path, folder: Path, write: Write
) -> None:
    path = tmp_path / "new" / "folder" / "abtest.db"
    write("0002_second", SECOND)
    write("0001_first", FIRST)
    assert pending(path, folder=folder) == ("0001_first", "0002_second")
    assert not path.exists()
    done = migrate(path, folder=folder)
    assert done.applied == ("0001_first", "0002_second")
    assert done.backup is None
    assert pending(path, folder=folder) == ()
    assert migrate(path, folder=folder).applied == ()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT x FROM one").fetchall() == [(2,)]


def test_one_that_fails_leaves_nothing_and_can_be_repeated(
    tmp_path: Path, folder: Path, write: Write
) -> None:
    path = tmp_path / "abtest.db"
    write("0001_first", FIRST)
    migrate(path, folder=folder)
    before = dump(path)
    write("0002_broken", BROKEN)
    with pytest.raises(AbtestError) as error:
        migrate(path, folder=folder)
    assert error.value.code is ErrorCode.UNAVAILABLE
    assert dump(path) == before
    assert pending(path, folder=folder) == ("0002_broken",)
    write("0002_broken", SECOND)
    assert migrate(path, folder=folder).applied == ("0002_broken",)


def test_the_ones_before_a_failing_one_stay(
    tmp_path: Path, folder: Path, write: Write
) -> None:
    path = tmp_path / "abtest.db"
    write("0001_first", FIRST)
    write("0002_broken", BROKEN)
    with pytest.raises(AbtestError):
        migrate(path, folder=folder)
    assert pending(path, folder=folder) == ("0002_broken",)


def test_a_database_that_holds_something_is_copied_first(
    tmp_path: Path, folder: Path, write: Write
) -> None:
    path = tmp_path / "abtest.db"
    write("0001_first", FIRST)
    migrate(path, folder=folder)
    before = dump(path)
    write("0002_second", SECOND)
    backup = migrate(path, folder=folder).backup
    assert backup == tmp_path / "abtest.before-0002_second.db"
    assert dump(backup) == before
    assert sorted(p.name for p in tmp_path.glob("*.part")) == []


def test_a_database_of_a_newer_version_is_refused(
    tmp_path: Path, folder: Path, write: Write
) -> None:
    path = tmp_path / "abtest.db"
    write("0001_first", FIRST)
    write("0002_second", SECOND)
    migrate(path, folder=folder)
    (folder / "0002_second.sql").unlink()
    before = dump(path)
    for refuse in (migrate, pending):
        with pytest.raises(AbtestError) as error:
            refuse(path, folder=folder)
        assert error.value.code is ErrorCode.UNAVAILABLE
        assert "0002_second" in error.value.detail
    assert dump(path) == before


def test_several_at_once_wait_for_each_other(
    tmp_path: Path, folder: Path, write: Write
) -> None:
    path = tmp_path / "abtest.db"
    for i in range(1, 6):
        write(f"000{i}_table", f"CREATE TABLE t{i} (x);")
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: migrate(path, folder=folder), range(6)))
    applied = sorted(name for migrated in done for name in migrated.applied)
    assert applied == [f"000{i}_table" for i in range(1, 6)]


def test_a_store_opens_only_with_its_own_schema(tmp_path: Path) -> None:
    path = tmp_path / "abtest.db"
    with pytest.raises(AbtestError, match="run `abtest migrate`") as error:
        open_store(path)
    assert error.value.code is ErrorCode.UNAVAILABLE
    assert not path.exists()
    migrate(path)
    with closing(open_store(path)) as store:
        store.add_experiment(home())
        assert store.record([exposure(1)], received_at=NOW).accepted == 1
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "UPDATE _sqlite_migrations SET name = '9999_future' WHERE name LIKE '0001%'"
        )
        connection.commit()
    with pytest.raises(AbtestError, match="newer version") as error:
        open_store(path)
    assert error.value.code is ErrorCode.UNAVAILABLE


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AbtestError) as error:
        migrate(tmp_path / "file" / "abtest.db")
    assert error.value.code is ErrorCode.UNAVAILABLE
