"""`abtest migrate`, `rebuild`, `verify`, `doctor`."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from abtest.domain.events import EventId, Exposure, Milliseconds
from abtest.domain.experiment import ExperimentKey, VariantKey, VisitorId
from abtest.store.sqlite.store import open_store
from tests.cli.conftest import Commands
from tests.web.api.conftest import HOME


def test_migrate_makes_the_database_and_does_nothing_twice(run: Commands) -> None:
    first = run("migrate", "--json")
    assert first.content["applied"][0].startswith("0001")
    assert first.content["backup"] is None
    assert run("migrate").out == "nothing to do\n"


def test_what_is_derived_is_verified_and_rebuilt(run: Commands) -> None:
    run("experiment", "create", "-", stdin=json.dumps(HOME))
    assert run("verify").out == "everything agrees with the raw events\n"
    assert run("verify", "--json").content == {"differences": []}
    assert run("rebuild", "--json").content == {"visitors": 0}
    assert "0 visitors" in run("rebuild").out


def test_what_was_tampered_with_is_found_and_mended(run: Commands) -> None:
    run("experiment", "create", "-", stdin=json.dumps(HOME))
    run("experiment", "start", "home")
    shown = Exposure(
        id=EventId(bytes(16)),
        at=Milliseconds(1_772_452_800_000),
        visitor=VisitorId("v1"),
        experiment=ExperimentKey("home"),
        variant=VariantKey("a"),
    )
    with closing(open_store(run.database)) as store:
        store.record([shown], received_at=datetime(2026, 3, 2, tzinfo=UTC))
    assert run("verify").code == 0
    with closing(sqlite3.connect(run.database)) as database, database:
        database.execute("UPDATE cohort SET visitors = visitors + 1")
    found = run("verify", "--json")
    assert found.code == 1
    (difference,) = found.content["differences"]
    assert difference["experiment"] == "home"
    for_people = run("verify")
    assert for_people.code == 1
    assert "1 differences; run `abtest rebuild`" in for_people.out
    assert run("rebuild", "--json").content == {"visitors": 1}
    assert run("verify").code == 0


def findings(run: Commands) -> dict[str, tuple[str, str]]:
    done = run("doctor", "--json")
    found = done.content["findings"]
    has_failed = any(f["state"] == "failed" for f in found)
    assert done.code == int(has_failed)
    assert all(f["remedy"] for f in found if f["state"] != "ok")
    return {f["check"]: (f["state"], f["detail"]) for f in found}


def test_a_healthy_installation(run: Commands) -> None:
    run("migrate")
    found = findings(run)
    assert {state for state, _ in found.values()} == {"ok"}
    assert found.keys() == {
        "configuration",
        "snippets",
        "permissions",
        "schema",
        "writing",
        "integrity",
    }
    text = run("doctor").out
    assert "ABTEST_DATABASE" in text
    assert str(run.database) in text


def test_a_database_that_is_not_there(run: Commands) -> None:
    assert findings(run)["database"][0] == "failed"
    text = run("doctor").out
    assert "-> run `abtest migrate`" in text


def test_a_database_without_its_schema(run: Commands) -> None:
    run.database.parent.mkdir()
    run.database.touch(mode=0o600)
    state, detail = findings(run)["schema"]
    assert state == "failed"
    assert "0001" in detail


def test_others_can_read_the_database(run: Commands) -> None:
    run("migrate")
    run.database.chmod(0o644)
    state, detail = findings(run)["permissions"]
    assert state == "warning"
    assert "644" in detail


def test_damage_is_found(run: Commands) -> None:
    run("migrate")
    with closing(sqlite3.connect(run.database)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(run.database.read_bytes())
    content[4096 : 4096 * 6] = b"\xa5" * (4096 * 5)
    run.database.write_bytes(content)
    assert "failed" in {state for state, _ in findings(run).values()}


def test_a_wrong_setting(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABTEST_DURABILITY", "perhaps")
    state, detail = findings(run)["configuration"]
    assert state == "failed"
    assert "perhaps" in detail
    assert "full, normal" in detail
