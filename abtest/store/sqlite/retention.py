"""Folds old visitors: their events go, what they contributed to the sums stays."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import msgspec

from abtest.domain.events import Milliseconds
from abtest.domain.experiment import Experiment, ExperimentKey, Status
from abtest.domain.visitor import date_to_day, local_day
from abtest.store.lean_sqlite_utils import Database
from abtest.store.privacy_protocol import Folded
from abtest.store.sqlite.connection import query
from abtest.store.sqlite.erasure import contributions_of, forget, times_of
from abtest.store.sqlite.events import EXPOSURE
from abtest.store.sqlite.experiments import Experiments, Known
from abtest.store.sqlite.folded import horizon_of
from abtest.store.sqlite.people import Node, Person, members_of, to_json

CHECKED_AT_ONCE = 1000
FOLDED_AT_ONCE = 250
"""Bounds how long others wait for a transaction: some hundredths of a second."""

_ENDED = frozenset({Status.CLOSED, Status.STOPPED, Status.DECIDED, Status.ARCHIVED})
"""No visitor enters any more, and no action leads back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """The time before which events may go, and what that means for experiments.

    Attributes:
        over: last exposure day whose visitors were followed for the window, by number
            of experiment; open experiments are not in it.
    """

    at: Milliseconds
    over: Mapping[int, int]

    @classmethod
    def of(cls, at: Milliseconds, known: Known) -> "Horizon":
        """Look at all experiments."""
        return cls(
            at=at,
            over={
                number: local_day(at, experiment.time_zone) - experiment.window_days - 1
                for number, key in known.keys.items()
                if _is_over(experiment := known.by_key[key], at)
            },
        )


def begin(database: Database, experiments: Experiments, at: Milliseconds) -> None:
    """Store the horizon, inside an open transaction; it never goes back."""
    before = horizon_of(database.conn)
    if before is None or before < at:
        database.conn.execute(
            "INSERT INTO retention VALUES (1, ?)"
            " ON CONFLICT DO UPDATE SET horizon = excluded.horizon",
            (at,),
        )
        experiments.renew(database)


def next_persons(connection: sqlite3.Connection, after: int) -> list[Person]:
    """Return persons with numbers above `after`, some hundreds at a time."""
    rows = connection.execute(query("next_persons"), (after, CHECKED_AT_ONCE))
    return [Person(person) for (person,) in rows]


def foldable(
    connection: sqlite3.Connection, persons: Sequence[Person], horizon: Horizon
) -> list[Person]:
    """Return those of the persons who may be folded now."""
    over = msgspec.json.encode({str(n): day for n, day in horizon.over.items()})
    rows = connection.execute(
        query("foldable"), (to_json(persons), horizon.at, over.decode())
    )
    return [Person(person) for (person,) in rows]


def rehearse(
    connection: sqlite3.Connection,
    known: Known,
    persons: Sequence[Person],
    horizon: Horizon,
) -> Folded:
    """Count what folding the foldable ones of the persons would delete."""
    chosen = foldable(connection, persons, horizon)
    nodes = _nodes(connection, chosen)
    visitors, events = connection.execute(
        query("count_of"), (to_json(nodes),)
    ).fetchone()
    refunds = connection.execute(query("sole_refunds"), (to_json(nodes),)).fetchall()
    return Folded(
        checked=len(persons),
        persons=len(chosen),
        visitors=visitors,
        events=events + len(refunds),
        experiments=_experiments(connection, known, nodes),
    )


def fold(
    database: Database,
    experiments: Experiments,
    persons: Sequence[Person],
    horizon: Horizon,
) -> Folded:
    """Fold the foldable ones of the persons inside an open transaction.

    They are judged again, because more may have come in since they were found; the
    experiments can only have ended meanwhile.
    """
    connection = database.conn
    known = experiments.known(database)
    chosen = foldable(connection, persons, horizon)
    nodes = _nodes(connection, chosen)
    visitors, _ = connection.execute(query("count_of"), (to_json(nodes),)).fetchone()
    touched = _experiments(connection, known, nodes)
    contributions_of(connection, nodes).fold(connection)
    for kind, experiment, step, first, last in times_of(connection, nodes):
        if kind == EXPOSURE:
            span = (experiment, first, last)
            connection.execute(_folded("extend_exposure_span"), span)
        else:
            connection.execute(_folded("extend_step_reach"), (step, last))
    events = forget(connection, nodes)
    if not touched <= known.retention.folded:
        experiments.renew(database)
    return Folded(
        checked=len(persons),
        persons=len(chosen),
        visitors=visitors,
        events=events,
        experiments=touched,
    )


def _is_over(experiment: Experiment, at: Milliseconds) -> bool:
    if experiment.status not in _ENDED:
        return False
    until = experiment.followed_until
    today = local_day(at, experiment.time_zone)
    return until is None or date_to_day(date.fromisoformat(until)) < today


def _nodes(connection: sqlite3.Connection, persons: Sequence[Person]) -> list[Node]:
    members = members_of(connection, persons)
    return [node for nodes in members.values() for node in nodes]


def _experiments(
    connection: sqlite3.Connection, known: Known, nodes: Sequence[Node]
) -> frozenset[ExperimentKey]:
    rows = connection.execute(query("stored_outcomes"), (to_json(nodes),))
    return frozenset(known.keys[experiment] for _, experiment, *_ in rows)


def _folded(name: str) -> str:
    """Return the statement for the table of folded visitors."""
    return query(name).replace("INTO ", "INTO folded_", 1)
