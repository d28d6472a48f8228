"""What visitors contributed whose events are deleted: part of everything derived."""

import sqlite3
from collections.abc import Mapping

from abtest.domain.events import Milliseconds
from abtest.store.sqlite.connection import query

_KEY_LENGTHS = {
    "cohort": 3,
    "cell": 5,
    "pair": 7,
    "step_cell": 5,
    "covariate_cohort": 3,
    "covariate_cell": 5,
}
"""How many columns at the front of each table of sums are its key."""


def add_folded(connection: sqlite3.Connection) -> None:
    """Add the folded visitors to what was derived from the events that remain."""
    for table, key_length in _KEY_LENGTHS.items():
        rows = connection.execute(f"SELECT * FROM folded_{table}").fetchall()  # noqa: S608 - from the table above
        connection.executemany(query(f"add_{table}"), rows)
        # Amounts of folded and other visitors may cancel out.
        connection.executemany(
            query(f"drop_empty_{table}"), [row[:key_length] for row in rows]
        )
    for table, extend in (
        ("exposure_span", "extend_exposure_span"),
        ("step_reach", "extend_step_reach"),
    ):
        rows = connection.execute(f"SELECT * FROM folded_{table}").fetchall()  # noqa: S608 - as above
        connection.executemany(query(extend), rows)
    connection.execute(query("add_folded_activity"))


def horizon_of(connection: sqlite3.Connection) -> Milliseconds | None:
    """Return the time before which events are taken no more."""
    row = connection.execute("SELECT horizon FROM retention").fetchone()
    return None if row is None else Milliseconds(row[0])


def visitors_of(connection: sqlite3.Connection) -> Mapping[int, int]:
    """Return how many visitors are folded, by number of experiment."""
    return dict(
        connection.execute(
            "SELECT experiment, sum(visitors) FROM folded_cohort GROUP BY experiment"
        )
    )
