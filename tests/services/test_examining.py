"""What the doctor and the system page tell alike."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from abtest.config import SETTINGS, Origin, Settings
from abtest.errors import AbtestError, ErrorCode
from abtest.services.backups import keep_of, take_backup
from abtest.services.examining import (
    Finding,
    State,
    attempt,
    examine_store,
    masked,
    shown_settings,
)
from abtest.store.protocol import Store
from tests.conftest import Clock


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("base_url", "https://ab.example", "https://ab.example"),
        ("base_url", "https://anna:pw@ab.example/x", "https://•••@ab.example/x"),
        ("mail_password", "hunter2", "•••"),
        ("webhook_secret", "s", "•••"),
        ("access_token", "t", "•••"),
        ("mail_password", "", ""),
        ("database", "data/abtest.db", "data/abtest.db"),
    ],
)
def test_what_is_secret_is_masked(name: str, value: str, expected: str) -> None:
    assert masked(name, value) == expected


def test_all_settings_are_shown_in_their_order(settings: Settings) -> None:
    origins = {setting.name: Origin.DEFAULT for setting in SETTINGS}
    shown = list(shown_settings(settings, origins))
    assert [s.variable for s in shown] == [f"ABTEST_{s.name.upper()}" for s in SETTINGS]
    assert shown[0].value == settings.database
    assert {s.origin for s in shown} == {Origin.DEFAULT}


def copy(target: Path) -> None:
    target.write_bytes(b"content")


def test_only_the_doctor_reads_the_whole_backup(
    settings: Settings, store: Store, clock: Clock, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    settings = replace(settings, backup_dir=str(folder))
    taken = take_backup(
        copy,
        folder,
        database=Path(settings.database),
        keep=keep_of(settings),
        now=clock.time,
    )
    taken.backup.path.write_bytes(b"changed")

    def backups(*, reads_backup: bool) -> list[State]:
        now = clock.time + timedelta(hours=1)
        found = examine_store(settings, store, now, reads_backup=reads_backup)
        return [f.state for f in found if f.check == "backups"]

    assert backups(reads_backup=True) == [State.ERROR]
    assert backups(reads_backup=False) == [State.OK]


def test_each_check_stands_once(settings: Settings, store: Store, clock: Clock) -> None:
    found = Counter(f.check for f in examine_store(settings, store, clock.time))
    assert set(found.values()) == {1}
    assert found.keys() == {
        "writing",
        "size",
        "disk",
        "clock",
        "backups",
        "users",
        "keys",
        "time zones",
    }


def test_a_check_that_fails_is_a_finding() -> None:
    def fail() -> list[Finding]:
        raise AbtestError(ErrorCode.UNAVAILABLE, "the disk is full")

    (found,) = attempt("writing", fail)
    assert (found.check, found.state) == ("writing", State.ERROR)
    assert found.detail == "the disk is full"
