"""`abtest doctor`: each thing that can be wrong is found, with what to do."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from abtest.domain.access import KeyKind, Role
from abtest.services.access import (
    COMMAND_LINE,
    add_user,
    create_key,
    find_key,
)
from abtest.services.backups import Failure, note_failure
from abtest.store.sqlite.integrity import SERVING_SINCE
from abtest.store.sqlite.store import open_store
from tests.cli.conftest import Commands
from tests.store.builders import exposure, home, trial

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def healthy(run: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Return an installation that leaves nothing to be wished for."""
    monkeypatch.setenv("ABTEST_BACKUP_DIR", str(tmp_path / "backups"))
    run.database.parent.mkdir(mode=0o700)
    run("migrate")
    with closing(open_store(run.database)) as store:
        store.add_experiment(trial())
        add_user(
            store,
            "ada",
            password="correct horse battery",
            role=Role.ADMIN,
            caller=COMMAND_LINE,
            now=NOW,
        )
        new = create_key(store, KeyKind.SERVER, name="", caller=COMMAND_LINE, now=NOW)
        assert find_key(store, new.secret)
    assert run("backup").code == 0
    return run


def findings(run: Commands) -> dict[str, tuple[str, str]]:
    """Return state and detail by check; of several the worst."""
    done = run("doctor", "--json")
    found = done.content["findings"]
    has_failed = any(f["state"] == "error" for f in found)
    assert done.code == int(has_failed)
    assert all(f["remedy"] for f in found if f["state"] != "ok")
    worst = {"ok": 0, "warning": 1, "error": 2}
    found.sort(key=lambda f: worst[f["state"]])
    return {f["check"]: (f["state"], f["detail"]) for f in found}


def test_a_healthy_installation(healthy: Commands) -> None:
    found = findings(healthy)
    assert {state for state, _ in found.values()} == {"ok"}
    assert sorted(found) == [
        "backups",
        "clock",
        "configuration",
        "disk",
        "integrity",
        "keys",
        "log",
        "permissions",
        "schema",
        "size",
        "snippets",
        "time zones",
        "users",
        "writing",
    ]
    assert "Pacific/Auckland" in found["time zones"][1]


def test_settings_are_told_with_their_origin(
    run: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "abtest.toml").write_text('language = "de"\n')
    monkeypatch.setenv("ABTEST_CONFIG", str(tmp_path / "abtest.toml"))
    text = run("doctor").out
    assert f"ABTEST_DATABASE={run.database} (environment)" in text
    assert "ABTEST_LANGUAGE=de (file)" in text
    assert "ABTEST_DURABILITY=full (default)" in text


def test_a_new_installation_lacks_backups_and_users(run: Commands) -> None:
    run("migrate")
    found = findings(run)
    assert found["backups"][0] == found["users"][0] == "warning"


def test_a_database_that_is_not_there(run: Commands) -> None:
    assert findings(run)["database"][0] == "error"
    text = run("doctor").out
    assert "-> run `abtest migrate`" in text


def test_a_database_without_its_schema(run: Commands) -> None:
    run.database.parent.mkdir()
    run.database.touch(mode=0o600)
    state, detail = findings(run)["schema"]
    assert state == "error"
    assert "0001" in detail


def test_others_can_read_the_database(healthy: Commands, tmp_path: Path) -> None:
    for place in (healthy.database, healthy.database.parent, tmp_path / "backups"):
        before = place.stat().st_mode
        place.chmod(0o755 if place.is_dir() else 0o644)
        state, detail = findings(healthy)["permissions"]
        assert state == "warning"
        assert str(place) in detail
        place.chmod(before)


def test_f6_damage_is_found_and_the_newest_good_backup_named(
    healthy: Commands, tmp_path: Path
) -> None:
    content = bytearray(healthy.database.read_bytes())
    content[4096 : 4096 * 6] = b"\xa5" * (4096 * 5)
    healthy.database.write_bytes(content)
    assert findings(healthy)["integrity"][0] == "error"
    (backup,) = (tmp_path / "backups").glob("*.db")
    assert f"abtest restore {backup}" in healthy("doctor").out
    backup.write_bytes(b"damaged too")
    assert findings(healthy)["backups"][0] == "error"
    assert "There is no good backup" in healthy("doctor").out


def test_f7_a_live_file_copied_with_cp_is_warned_of(
    healthy: Commands, tmp_path: Path
) -> None:
    copied = tmp_path / "copied"
    copied.mkdir(mode=0o700)
    with closing(open_store(healthy.database)) as store:
        store.put_setting(SERVING_SINCE, "now")
    with closing(open_store(healthy.database)) as store:
        store.add_experiment(home())
        shutil.copy(healthy.database, copied)
        # What is in use is not looked at.
        assert findings(healthy)["log"] == ("ok", "the database is in use")
    state, detail = findings(Commands(copied / "abtest.db"))["log"]
    assert state == "warning"
    assert "abtest.db-wal" in detail


def test_a_wrong_setting(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABTEST_DURABILITY", "perhaps")
    state, detail = findings(run)["configuration"]
    assert state == "error"
    assert "perhaps" in detail
    assert "full, normal" in detail


def test_a_backup_that_failed_or_is_old(healthy: Commands, tmp_path: Path) -> None:
    with closing(open_store(healthy.database)) as store:
        note_failure(store, Failure(at=NOW, detail="the disk is full"))
    assert findings(healthy)["backups"] == (
        "error",
        "the last try, 2026-03-02 00:00 UTC, failed: the disk is full",
    )
    with closing(open_store(healthy.database)) as store:
        note_failure(store, None)
    (backup,) = (tmp_path / "backups").glob("*.db")
    three_days_ago = datetime.now(UTC) - timedelta(days=3)
    backup.rename(backup.with_name(f"abtest-{three_days_ago:%Y%m%dT%H%M%SZ}.db"))
    state, detail = findings(healthy)["backups"]
    assert (state, "72.0 hours old" in detail) == ("error", True)
    shutil.rmtree(tmp_path / "backups")
    assert findings(healthy)["backups"][0] == "warning"


def test_a_clock_that_stands_before_the_newest_event(healthy: Commands) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1, hours=1)
    with closing(open_store(healthy.database)) as store:
        store.add_experiment(home())
        store.record([exposure(1)], received_at=tomorrow)
    assert findings(healthy)["clock"][0] == "error"


def test_nobody_is_admin_and_a_key_lies_about(healthy: Commands) -> None:
    with closing(sqlite3.connect(healthy.database)) as connection, connection:
        connection.execute("UPDATE user SET role = 'viewer'")
    with closing(open_store(healthy.database)) as store:
        new = create_key(store, KeyKind.READ, name="bi", caller=COMMAND_LINE, now=NOW)
    found = findings(healthy)
    assert found["users"] == ("warning", "none of 1 is an admin")
    assert found["keys"] == ("warning", f"never used: {new.key.id} (rk bi)")


def test_a_zone_nobody_knows(healthy: Commands) -> None:
    with closing(open_store(healthy.database)) as store:
        store.add_experiment(home(time_zone="Mars/Olympus"))
    assert findings(healthy)["time zones"][0] == "error"
