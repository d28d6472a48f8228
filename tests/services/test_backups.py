"""The folder of backups: names, checksums, what is kept and what is remembered."""

import hashlib
import stat
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abtest.config import Settings
from abtest.errors import AbtestError, ErrorCode
from abtest.services.backups import (
    Failure,
    Keep,
    check_backup,
    keep_of,
    last_backup,
    last_failure,
    list_backups,
    newest_good_backup,
    note_failure,
    select_kept,
    take_backup,
)
from abtest.store.file_lock import FileLock
from abtest.store.protocol import Store

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""A Monday."""

DATABASE = Path("data/abtest.db")
USUAL = Keep(daily=7, weekly=4, monthly=12)


def copy(target: Path) -> None:
    target.write_bytes(b"content")


def take(folder: Path, at: datetime = NOON, keep: Keep = USUAL) -> Path:
    taken = take_backup(copy, folder, database=DATABASE, keep=keep, now=at)
    return taken.backup.path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def days(*numbers: float) -> list[datetime]:
    return [NOON - timedelta(days=number) for number in numbers]


def test_a_year_of_daily_backups_leaves_days_weeks_and_months() -> None:
    kept = select_kept(days(*range(400)), USUAL)
    # 24 February to 2 March; the Sundays before; the last days of the months before.
    daily = days(0, 1, 2, 3, 4, 5, 6)
    weekly = [datetime(2026, month, day, 12, tzinfo=UTC) for month, day in ((2, 15),)]
    monthly = [
        datetime(year, month, day, 12, tzinfo=UTC)
        for year, month, day in (
            (2026, 1, 31),
            (2025, 12, 31),
            (2025, 11, 30),
            (2025, 10, 31),
            (2025, 9, 30),
            (2025, 8, 31),
            (2025, 7, 31),
            (2025, 6, 30),
            (2025, 5, 31),
            (2025, 4, 30),
        )
    ]
    sunday = datetime(2026, 2, 22, 12, tzinfo=UTC)
    assert kept == {*daily, sunday, *weekly, *monthly}


def test_several_a_day_leave_the_newest_but_for_the_last_24_hours() -> None:
    times = days(0, 0.25, 0.9, 1.0, 1.1, 2.0, 2.1, 2.4)
    kept = select_kept(times, Keep(daily=3, weekly=0, monthly=0))
    # 1.0 is Sunday noon; 2.0 is Saturday noon, and 0.9 Sunday afternoon.
    assert kept == set(days(0, 0.25, 0.9, 2.0))


@given(
    st.lists(st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1)), max_size=60),  # noqa: DTZ001 - made aware below
    st.integers(1, 9),
    st.integers(0, 9),
    st.integers(0, 9),
)
def test_what_is_kept(
    naive: list[datetime], daily: int, weekly: int, monthly: int
) -> None:
    times = [at.replace(tzinfo=UTC) for at in naive]
    keep = Keep(daily=daily, weekly=weekly, monthly=monthly)
    kept = select_kept(times, keep)
    assert kept <= set(times)
    if times:
        assert max(times) in kept
    # What was kept once is kept again: rotating twice removes nothing more.
    assert select_kept(kept, keep) == kept
    old = [at for at in kept if max(times) - at >= timedelta(days=1)]
    assert len(old) <= daily + weekly + monthly


def test_a_backup_is_private_and_its_checksum_is_that_of_sha256sum(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "new" / "backups"
    path = take(folder)
    assert path == folder / "abtest-20260302T120000Z.db"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert names(folder) == [path.name, f"{path.name}.sha256"]
    assert check_backup(path)
    summed = subprocess.run(
        ["sha256sum", "-c", f"{path.name}.sha256"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    assert summed.returncode == 0
    taken = take_backup(
        copy, folder, database=DATABASE, keep=USUAL, now=NOON + timedelta(hours=1)
    )
    assert taken.sha256 == hashlib.sha256(b"content").hexdigest()
    assert taken.backup.size == len(b"content")
    assert [b.at.hour for b in list_backups(folder, DATABASE)] == [13, 12]


def test_old_ones_go_with_their_checksums_and_nothing_else_does(
    tmp_path: Path,
) -> None:
    keep = Keep(daily=2, weekly=0, monthly=0)
    for other in ("other-20200101T000000Z.db", "abtest.db", "abtest-notes.txt"):
        (tmp_path / other).touch()
    for day in range(5):
        take(tmp_path, NOON + timedelta(days=day), keep)
    assert names(tmp_path) == [
        "abtest-20260305T120000Z.db",
        "abtest-20260305T120000Z.db.sha256",
        "abtest-20260306T120000Z.db",
        "abtest-20260306T120000Z.db.sha256",
        "abtest-notes.txt",
        "abtest.db",
        "other-20200101T000000Z.db",
    ]


def test_one_that_fails_removes_nothing_old(tmp_path: Path) -> None:
    keep = Keep(daily=1, weekly=0, monthly=0)
    first = take(tmp_path, NOON, keep)

    def fail(target: Path) -> None:
        target.touch()
        raise AbtestError(ErrorCode.UNAVAILABLE, "the disk is full")

    later = NOON + timedelta(days=9)
    with pytest.raises(AbtestError, match="full"):
        take_backup(fail, tmp_path, database=DATABASE, keep=keep, now=later)
    assert check_backup(first)
    # What it left is cleared away by the next.
    take(tmp_path, later, keep)
    assert not list(tmp_path.glob(".*"))


def test_two_at_once_are_a_conflict(tmp_path: Path) -> None:
    with closing(FileLock(tmp_path)), pytest.raises(AbtestError) as caught:
        take(tmp_path)
    assert caught.value.code is ErrorCode.CONFLICT


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "deeper"):
        with pytest.raises(AbtestError) as caught:
            take(folder)
        assert caught.value.code is ErrorCode.UNAVAILABLE
    with pytest.raises(AbtestError):
        list_backups(tmp_path / "file", DATABASE)


def test_what_is_not_what_it_was_is_told(tmp_path: Path) -> None:
    path = take(tmp_path)
    path.write_bytes(b"contend")
    with pytest.raises(AbtestError, match="not what it was") as caught:
        check_backup(path)
    assert caught.value.code is ErrorCode.INVALID
    Path(f"{path}.sha256").write_bytes(b"\xff")
    with pytest.raises(AbtestError) as caught:
        check_backup(path)
    assert caught.value.code is ErrorCode.UNAVAILABLE
    Path(f"{path}.sha256").unlink()
    assert not check_backup(path)
    path.unlink()
    with pytest.raises(AbtestError) as caught:
        check_backup(path)
    assert caught.value.code is ErrorCode.NOT_FOUND


def test_the_newest_good_one_is_found(tmp_path: Path) -> None:
    settings = Settings(
        database=str(DATABASE),
        durability="full",
        base_url="",
        language="en",
        backup_dir=str(tmp_path / "backups"),
    )
    assert last_backup(settings) is None
    assert newest_good_backup(settings) is None
    paths = [take(tmp_path / "backups", at) for at in days(2, 1, 0)]
    paths[2].write_bytes(b"damaged")
    Path(f"{paths[1]}.sha256").unlink()
    newest = last_backup(settings)
    good = newest_good_backup(settings)
    assert newest is not None
    assert newest.path == paths[2]
    assert good is not None
    assert (good.path, good.at) == (paths[0], NOON - timedelta(days=2))
    assert keep_of(settings) == USUAL


def test_no_folder_no_backups(settings: Settings) -> None:
    assert last_backup(settings) is None
    assert newest_good_backup(settings) is None


def test_a_failure_is_remembered_until_a_success(store: Store) -> None:
    failure = Failure(at=NOON, detail="the disk is full; make room")
    note_failure(store, failure)
    assert last_failure(store) == failure
    note_failure(store, None)
    assert last_failure(store) is None
