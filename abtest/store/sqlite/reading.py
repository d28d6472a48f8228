"""Questions that are answered from derived tables alone, whatever the traffic."""

import sqlite3
from collections.abc import Iterable, Mapping

from abtest.domain.experiment import ExperimentKey
from abtest.domain.funnel import Repeat
from abtest.store.protocol import DayActivity, ExperimentFacts
from abtest.store.sqlite.connection import query
from abtest.store.sqlite.experiments import Known
from abtest.store.sqlite.people import to_json

Days = tuple[DayActivity, ...]


def read_facts(
    connection: sqlite3.Connection, known: Known, experiment: int
) -> ExperimentFacts:
    """Return the facts; the caller opens a transaction, so that they agree."""
    contaminated, first, last, reach = connection.execute(
        query("facts"), (experiment, to_json(known.steps[experiment]))
    ).fetchone()
    times = [at for at in (last, reach) if at is not None]
    return ExperimentFacts(
        contaminated=contaminated,
        first_exposure=first,
        last_exposure=last,
        last_event=max(times, default=None),
    )


def read_activity(
    connection: sqlite3.Connection, known: Known, experiment: int
) -> Days:
    """Return the days of one experiment, in order."""
    rows = connection.execute(query("read_activity"), (experiment,))
    return _by_experiment(known, rows)[known.keys[experiment]]


def read_activities(
    connection: sqlite3.Connection, known: Known
) -> Mapping[ExperimentKey, Days]:
    """Return the days of every experiment."""
    return _by_experiment(known, connection.execute(query("read_activities")))


def _by_experiment(
    known: Known, rows: Iterable[tuple[int, int, int, int, int, int]]
) -> dict[ExperimentKey, Days]:
    has_repeat = {
        number: isinstance(known.by_key[key].goal.second, Repeat)
        for number, key in known.keys.items()
    }
    found: dict[int, list[DayActivity]] = {number: [] for number in known.keys}
    for number, day, exposures, steps, seconds, changes in rows:
        # A second conversion at a later step is that step's already.
        activity = DayActivity(
            day=day,
            exposures=exposures,
            conversions=steps + seconds if has_repeat[number] else steps,
            changes=changes,
        )
        found[number].append(activity)
    return {known.keys[number]: tuple(days) for number, days in found.items()}
