"""Databases that were filled before there was a table of days get it right."""

import sqlite3
from contextlib import closing
from pathlib import Path

from abtest.store.migrate import migrate, pending
from abtest.store.protocol import Difference
from abtest.store.sqlite import open_store
from tests.store.builders import (
    LEAD,
    NOW,
    conversion,
    exposure,
    home,
    identity,
    refund,
    trial,
)
from tests.store.reference import expected_activity

EVENTS = (
    exposure(1, "v1"),
    exposure(2, "v2", variant="b", hours=25),
    exposure(3, "v3", hours=30),
    exposure(4, "v4"),
    conversion(5, "v1", order="o1"),
    conversion(6, "v1", hours=80),
    conversion(7, "v1", step=LEAD, hours=81),
    refund(8, "o1", hours=200, value=100),
    identity(9, "v4", "c1"),
    exposure(10, "v1", variant="c", experiment=trial().key),
)


def test_a_filled_database_gets_its_days(path: Path) -> None:
    with closing(open_store(path)) as store:
        store.add_experiment(home())
        store.add_experiment(trial())
        store.record(EVENTS, received_at=NOW)
    with closing(sqlite3.connect(path)) as connection:
        for undo in (
            "DROP TABLE activity",
            "ALTER TABLE outcome DROP COLUMN exposed_at",
            "ALTER TABLE outcome DROP COLUMN journey",
        ):
            connection.execute(undo)
        connection.execute(
            "DELETE FROM _sqlite_migrations"
            " WHERE name IN ('0003_activity', '0008_journey')"
        )
        connection.commit()
    assert pending(path)[0] == "0003_activity"
    migrate(path)
    with closing(open_store(path)) as store:
        for experiment in (home(), trial()):
            days = store.activity(experiment.key)
            found = {d.day: (d.exposures, d.conversions) for d in days}
            assert found == expected_activity(EVENTS, experiment)
            assert all(d.changes > 0 for d in days)
        assert not any(isinstance(step, Difference) for step in store.verify())
