"""A rebuild while others write, change plans and delete."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from abtest.domain.events import Event
from abtest.errors import AbtestError, ErrorCode
from abtest.store.protocol import Difference, Progress
from abtest.store.sqlite import SqliteStore
from tests.store.builders import (
    HOME,
    NOW,
    TRIAL,
    conversion,
    exposure,
    home,
    identity,
    refund,
    trial,
)
from tests.store.reference import expected_facts, expected_moments

FIRST: tuple[Event, ...] = (
    exposure(1),
    exposure(2, "v2", variant="b"),
    exposure(3, "v3"),
    conversion(4, "v1", order="o1"),
    conversion(5, "v1", hours=30),
)
MEANWHILE: tuple[Event, ...] = (
    exposure(10, "v4", hours=90),
    conversion(11, "v2"),
    refund(12, "o1", value=100),
    identity(13, "v3", "c1"),
    identity(14, "v2", "c1"),
    conversion(15, None, customer="c1", hours=99),
    exposure(16, "v1", variant="c", experiment=TRIAL),
)


@pytest.fixture
def filled(store: SqliteStore) -> SqliteStore:
    store.add_experiment(home())
    store.add_experiment(trial())
    store.record(FIRST, received_at=NOW)
    return store


def differences(store: SqliteStore) -> list[Difference]:
    return [step for step in store.verify() if isinstance(step, Difference)]


def damage(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in (
            "UPDATE cohort SET visitors = 99",
            "UPDATE outcome SET day = 7 WHERE visitor IN (1, 3)",
            "DELETE FROM outcome WHERE visitor = 2",
            "INSERT INTO outcome VALUES (77, 1, 'a', 20454, 1, NULL, 5, NULL)",
            "INSERT INTO person VALUES (3, 1)",
        ):
            connection.execute(statement)
        connection.commit()


def begun(steps: Iterator[Progress]) -> Iterator[Progress]:
    next(steps)
    return steps


def test_others_write_meanwhile_and_nothing_is_lost(
    filled: SqliteStore, path: Path
) -> None:
    damage(path)
    steps = begun(filled.rebuild())
    for event in MEANWHILE:
        began = time.monotonic()
        filled.record([event], received_at=NOW)
        assert time.monotonic() - began < 4  # far less than waiting for a lock
    list(steps)
    events = [*FIRST, *MEANWHILE]
    for experiment in (home(), trial()):
        key = experiment.key
        assert filled.moments(key) == expected_moments(events, experiment)
        assert filled.facts(key) == expected_facts(events, experiment)
    assert differences(filled) == []


def test_a_plan_changed_meanwhile_is_the_one_that_holds(
    filled: SqliteStore, path: Path
) -> None:
    damage(path)
    steps = begun(filled.rebuild())
    changed = home(version=2, time_zone="Asia/Tokyo", goal=trial().goal)
    filled.replace_experiment(changed)
    list(steps)
    assert filled.moments(HOME) == expected_moments(FIRST, changed)
    assert differences(filled) == []


def test_events_deleted_meanwhile_do_not_come_back(
    filled: SqliteStore, path: Path
) -> None:
    steps = begun(filled.rebuild())
    with closing(sqlite3.connect(path)) as connection:
        for statement in (
            "DELETE FROM event WHERE seq = 5",
            "DELETE FROM event WHERE seq = 3",
        ):
            connection.execute(statement)
        connection.commit()
    filled.record([conversion(50, "v2")], received_at=NOW)
    list(steps)
    left = [*FIRST[:2], FIRST[3], conversion(50, "v2")]
    assert filled.moments(HOME) == expected_moments(left, home())
    assert differences(filled) == []


def test_it_gives_up_when_plans_change_all_the_time(filled: SqliteStore) -> None:
    zones = ("Asia/Tokyo", "Europe/Berlin", "America/Lima")
    steps = filled.rebuild()
    for version, zone in enumerate(zones, 2):
        next(steps)
        filled.replace_experiment(home(version=version, time_zone=zone))
    with pytest.raises(AbtestError) as error:
        next(steps)
    assert error.value.code is ErrorCode.UNAVAILABLE
    assert differences(filled) == []
