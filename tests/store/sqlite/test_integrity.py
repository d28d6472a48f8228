"""Damage, missing logs and rights: F5, F6 and F7 of the fault tests."""

import random
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from abtest.domain.visitor import to_milliseconds
from abtest.errors import AbtestError, ErrorCode
from abtest.store.file_lock import claim_database, is_in_use, use_database
from abtest.store.sqlite import SqliteStore, open_store, quick_check
from abtest.store.sqlite.integrity import SERVING_SINCE, check_rights, is_cut_off
from tests.store.builders import NOW, conversion, exposure, home


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


@pytest.mark.parametrize("seed", range(20))
def test_f6_random_bytes_are_noticed_where_they_change_anything(
    path: Path, seed: int
) -> None:
    """512 bytes at 20 places, one place at a time.

    Bytes that no row uses may change unnoticed; then the content is what it was.
    """
    with closing(open_store(path)) as store:
        store.add_experiment(home())
        batch = [
            made
            for n in range(400)
            for made in (exposure(2 * n, f"v{n}"), conversion(2 * n + 1, f"v{n}"))
        ]
        store.record(batch, received_at=NOW)
    before = dump(path)
    chance = random.Random(seed)
    with path.open("r+b") as file:
        file.seek(chance.randrange(path.stat().st_size - 512))
        file.write(chance.randbytes(512))
    assert quick_check(path) or dump(path) == before


def test_looking_for_damage_writes_nothing(path: Path) -> None:
    copied = path.with_name("copied.db")
    with closing(open_store(path)) as store:
        store.add_experiment(home())
        shutil.copy(path, copied)
        shutil.copy(f"{path}-wal", f"{copied}-wal")
    before = copied.read_bytes(), Path(f"{copied}-wal").read_bytes()
    assert quick_check(copied) == ()
    assert (copied.read_bytes(), Path(f"{copied}-wal").read_bytes()) == before


def serve(path: Path) -> SqliteStore:
    """Do what a service does when it starts, up to its first write."""
    with closing(open_store(path)) as store:
        store.put_setting(SERVING_SINCE, "now")
    store = open_store(path)
    store.add_experiment(home())
    return store


def test_f7_a_file_copied_while_it_was_served_is_cut_off(path: Path) -> None:
    copied = path.with_name("copied.db")
    with closing(serve(path)) as store:
        shutil.copy(path, copied)
        assert is_cut_off(copied)
        store.put_setting(SERVING_SINCE, None)
    assert not is_cut_off(path)


def test_f7_a_file_whose_log_was_deleted_is_cut_off(path: Path) -> None:
    killed = path.with_name("killed.db")
    with closing(serve(path)):
        for ending in ("", "-wal"):
            shutil.copy(f"{path}{ending}", f"{killed}{ending}")
    assert not is_cut_off(killed)
    Path(f"{killed}-wal").unlink()
    assert is_cut_off(killed)


def test_a_file_without_a_schema_cannot_be_judged(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(AbtestError) as caught:
        is_cut_off(path)
    assert caught.value.code is ErrorCode.UNAVAILABLE


def test_f5_rights_that_are_missing_are_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_rights(path)
    check_rights(path.with_name("none.db"))
    # Root may do everything, so the system's answer is replaced.
    for refused in (path, path.parent):
        monkeypatch.setattr("os.access", lambda p, _, no=refused: p != no)
        with pytest.raises(AbtestError, match="read-only") as caught:
            check_rights(path)
        assert str(refused) in caught.value.detail
        assert "\n" not in caught.value.detail


def test_the_condition_of_a_store(path: Path) -> None:
    with closing(open_store(path)) as store:
        assert store.condition().last_received is None
        store.add_experiment(home())
        store.record([exposure(1)], received_at=NOW)
        condition = store.condition()
        assert condition.pending == ()
        assert condition.size == path.stat().st_size
        assert condition.log_size == Path(f"{path}-wal").stat().st_size > 0
        assert 0 < condition.disk_free < condition.disk_size
        assert condition.last_received == to_milliseconds(NOW)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(
                "UPDATE _sqlite_migrations SET name = '9999_future'"
                " WHERE name LIKE '0001%'"
            )
        with pytest.raises(AbtestError, match="newer"):
            store.condition()


def test_many_use_a_database_and_one_claims_it(path: Path) -> None:
    with closing(use_database(path)), closing(use_database(path)):
        assert is_in_use(path)
        with pytest.raises(AbtestError, match="in use"):
            claim_database(path)
    assert not is_in_use(path)
    with closing(claim_database(path)):
        assert is_in_use(path)
        with pytest.raises(AbtestError, match="restored"):
            use_database(path)
    with suppress(AbtestError), closing(claim_database(path.parent / "no" / "x.db")):
        raise AssertionError
    assert not is_in_use(path.parent / "no" / "x.db")
