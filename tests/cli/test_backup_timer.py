"""Backups that a service takes by itself: when, and what a failure leaves behind."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from abtest.cli import backup_timer, recurring
from abtest.cli.backup_timer import BackupTimer
from abtest.config import Settings
from abtest.errors import AbtestError, ErrorCode
from abtest.services.backups import last_failure, list_backups
from abtest.store.file_lock import FileLock
from abtest.store.protocol import Store
from tests.conftest import Clock


@pytest.fixture
def backing_up(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, backup_dir=str(tmp_path / "backups"), backup_hours=6)


@pytest.fixture
def timer(backing_up: Settings, store: Store, clock: Clock) -> Iterator[BackupTimer]:
    timer = BackupTimer(backing_up, lambda: store, clock=clock)
    yield timer
    timer.stop()


def hours(settings: Settings) -> list[int]:
    found = list_backups(Path(settings.backup_dir), Path(settings.database))
    return [backup.at.hour for backup in reversed(found)]


def test_one_is_taken_when_the_last_is_old_enough(
    timer: BackupTimer, backing_up: Settings, clock: Clock
) -> None:
    for _ in range(20):
        timer.take_if_due()
        clock.time += timedelta(hours=1)
    # It began at noon.
    assert hours(backing_up) == [12, 18, 0, 6]


def test_a_failure_is_logged_remembered_and_tried_again(
    timer: BackupTimer,
    backing_up: Settings,
    clock: Clock,
    store: Store,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = Path(backing_up.backup_dir)
    folder.touch()  # a file where the folder should be
    for _ in range(3):
        timer.take_if_due()
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    failure = last_failure(store)
    assert failure is not None
    assert failure.at == clock.time
    assert failure.detail in record.getMessage()
    assert str(folder) in failure.detail
    folder.unlink()
    clock.time += timedelta(minutes=9)
    timer.take_if_due()
    assert not folder.exists()
    clock.time += timedelta(minutes=1)
    timer.take_if_due()
    assert hours(backing_up) == [12]
    assert last_failure(store) is None


def test_an_unexpected_error_ends_nothing(
    backing_up: Settings,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    def unavailable() -> Store:
        raise AbtestError(ErrorCode.UNAVAILABLE, "no database")

    monkeypatch.setattr(backup_timer, "take_backup", break_down)
    BackupTimer(backing_up, unavailable, clock=clock).take_if_due()
    told = [record.getMessage() for record in caplog.records]
    assert told[0] == "a backup failed"
    assert "RuntimeError" in told[1]
    assert told[2] == "that cannot be stored: no database"


def test_somebody_else_s_backup_is_no_failure(
    timer: BackupTimer, backing_up: Settings, store: Store
) -> None:
    folder = Path(backing_up.backup_dir)
    folder.mkdir()
    lock = FileLock(folder)
    timer.take_if_due()
    lock.close()
    assert last_failure(store) is None
    assert hours(backing_up) == []


def test_the_thread_takes_one_and_ends(
    timer: BackupTimer, backing_up: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recurring, "_FIRST_PAUSE", 0.01)
    timer.start()
    for _ in range(500):
        if hours(backing_up):
            break
        threading.Event().wait(0.01)
    timer.stop()
    assert hours(backing_up) == [12]
    assert "abtest-backup" not in {thread.name for thread in threading.enumerate()}


def test_a_copy_under_way_is_given_up_when_the_service_ends(
    timer: BackupTimer, backing_up: Settings, store: Store
) -> None:
    timer.stop()
    timer.take_if_due()
    assert hours(backing_up) == []
    assert list(Path(backing_up.backup_dir).iterdir()) == []
    assert last_failure(store) is None


def test_without_a_folder_there_is_no_thread(settings: Settings, store: Store) -> None:
    timer = BackupTimer(settings, lambda: store)
    timer.start()
    assert "abtest-backup" not in {thread.name for thread in threading.enumerate()}
    timer.stop()
