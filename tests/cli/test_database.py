"""`abtest migrate`, `rebuild`, `verify`."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

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
