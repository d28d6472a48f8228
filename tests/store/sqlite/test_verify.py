"""Whatever is changed behind the store's back is found, named and mended."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from abtest.store.protocol import Difference
from abtest.store.sqlite import SqliteStore
from tests.store.builders import (
    HOME,
    NOW,
    conversion,
    exposure,
    home,
    identity,
    refund,
    trial,
)

EVENTS = (
    exposure(1, "v1", attributes='{"orders": 2}'),
    exposure(2, "v2", variant="b"),
    exposure(3, "v3"),
    conversion(4, "v1", order="o1"),
    conversion(5, "v1", hours=30),
    refund(6, "o1", value=100),
    identity(7, "v2", "c1"),
    identity(8, "v3", "c1"),
)

# table, statement, where it must be found
TAMPERING = (
    ("person", "UPDATE person SET representative = 1", "node=4"),
    ("person", "DELETE FROM person WHERE node = 3", "node=3"),
    ("person", "INSERT INTO person VALUES (1, 4)", "node=1"),
    ("outcome", "UPDATE outcome SET variant = 'z' WHERE visitor = 2", "visitor=2"),
    ("outcome", "UPDATE outcome SET day = day + 1 WHERE visitor = 1", "visitor=1"),
    ("outcome", "UPDATE outcome SET variants_seen = 5 WHERE visitor = 3", "visitor=3"),
    ("outcome", "UPDATE outcome SET detail = NULL WHERE visitor = 1", "visitor=1"),
    ("outcome", "DELETE FROM outcome WHERE visitor = 3", "visitor=3"),
    (
        "outcome",
        "INSERT INTO outcome VALUES (9, 1, 'a', 20454, 1, NULL, 5, NULL)",
        "visitor=9",
    ),
    ("cohort", "UPDATE cohort SET visitors = 9 WHERE variant = 'a'", "variant=a"),
    ("cohort", "UPDATE cohort SET contaminated = 0 WHERE variant = 'b'", "variant=b"),
    ("cell", "UPDATE cell SET total = total + 1 WHERE lag = 0", "lag=0 ordinal=1"),
    ("cell", "UPDATE cell SET squares_low = 7 WHERE lag = 1", "lag=1 ordinal=2"),
    ("cell", "DELETE FROM cell WHERE ordinal = 2", "lag=1 ordinal=2"),
    ("pair", "UPDATE pair SET product_high = 1 WHERE ordinal_b = 2", "ordinal_b=2"),
    ("pair", "UPDATE pair SET count_amount = 1 WHERE ordinal_b = 2", "ordinal_b=2"),
    ("step_cell", "UPDATE step_cell SET lag = 3", "lag=3 step=purchase"),
    ("step_cell", "DELETE FROM step_cell", "lag=0 step=purchase"),
    ("covariate_cohort", "UPDATE covariate_cohort SET total = 1", "variant=a"),
    ("covariate_cell", "DELETE FROM covariate_cell WHERE lag = 1", "lag=1 ordinal=2"),
    ("exposure_span", "UPDATE exposure_span SET first_at = 1", ""),
    ("exposure_span", "DELETE FROM exposure_span", ""),
    ("step_reach", "UPDATE step_reach SET last_at = 1", "step=purchase"),
    ("activity", "UPDATE activity SET exposures = 7", "day=20454"),
    ("activity", "UPDATE activity SET seconds = 7", "day=20454"),
    ("activity", "DELETE FROM activity", "day=20455"),
    ("activity", "INSERT INTO activity VALUES (1, 9, 0, 1, 0, 5)", "day=9"),
)


@pytest.fixture
def filled(store: SqliteStore) -> SqliteStore:
    store.add_experiment(home(covariate="orders"))
    store.add_experiment(trial())
    store.record(EVENTS, received_at=NOW)
    return store


def differences(store: SqliteStore) -> Sequence[Difference]:
    return [step for step in store.verify() if isinstance(step, Difference)]


def dump(path: Path) -> list[str]:
    """Return everything but a number that no rebuild brings back."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE activity SET changes = 0")
        return list(connection.iterdump())  # and is not committed


@pytest.mark.parametrize(
    ("table", "statement", "where"), TAMPERING, ids=[s for _, s, _ in TAMPERING]
)
def test_tampering_is_found_where_it_is_and_mended(
    filled: SqliteStore, path: Path, table: str, statement: str, where: str
) -> None:
    sound = dump(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    tampered = dump(path)
    assert tampered != sound
    found = differences(filled)
    assert any(d.table == table and where in d.where for d in found)
    assert {d.table for d in found} == {table}
    assert dump(path) == tampered
    for _ in filled.rebuild():
        pass
    assert dump(path) == sound
    assert differences(filled) == []


def test_a_difference_says_what_is_stored_and_what_should_be(
    filled: SqliteStore, path: Path
) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE cohort SET visitors = 5 WHERE variant = 'b'")
        connection.execute("DELETE FROM cohort WHERE variant = 'a'")
        connection.commit()
    assert differences(filled) == [
        Difference(
            experiment=HOME,
            table="cohort",
            where="variant=b day=20454",
            stored="visitors=5 contaminated=1",
            expected="visitors=1 contaminated=1",
        ),
        Difference(
            experiment=HOME,
            table="cohort",
            where="variant=a day=20454",
            stored="no row",
            expected="visitors=2 contaminated=1",
        ),
    ]


def test_more_persons_than_fit_one_step(store: SqliteStore, path: Path) -> None:
    store.add_experiment(home())
    n = 2500
    store.record([exposure(i, f"v{i}") for i in range(n)], received_at=NOW)
    store.record(
        [conversion(n + i, f"v{i}", value=i) for i in range(0, n, 7)], received_at=NOW
    )
    sound = dump(path)
    assert differences(store) == []
    assert len(list(store.rebuild())) == 3
    assert dump(path) == sound
    store.replace_experiment(home(version=2, time_zone="Asia/Tokyo"))
    assert differences(store) == []
