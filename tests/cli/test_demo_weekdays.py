"""The demo shows what it shall whatever the weekday on which it is made."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from abtest.services.analysis import analyze
from abtest.services.demo.build import build_demo
from abtest.store.migrate import migrate
from abtest.store.sqlite.store import open_store
from tests.cli.demo_promises import (
    VERDICTS,
    check_costs,
    check_finished,
    check_groups,
    check_traffic,
)

MONDAY = datetime(2026, 6, 1, 15, 30, tzinfo=UTC)


@pytest.mark.slow
@pytest.mark.parametrize("days", range(7))
def test_every_story_holds(tmp_path: Path, days: int) -> None:
    now = MONDAY + timedelta(days=days)
    migrate(tmp_path / "test.db")
    store = open_store(tmp_path / "test.db", durability="normal")
    try:
        made = build_demo(store, now=now)
        found = {}
        for experiment in made.experiments:
            verdict = analyze(store, experiment.key, now=now).verdict
            found[experiment.key] = (experiment.status, verdict.code, verdict.variant)
        assert found == VERDICTS
        check_costs(store, now=now)
        check_groups(store, now=now)
        check_traffic(store, now=now)
        check_finished(store)
    finally:
        store.close()
