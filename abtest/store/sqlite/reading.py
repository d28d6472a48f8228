"""Questions that are answered from derived tables alone, whatever the traffic."""

import sqlite3

from abtest.store.protocol import ExperimentFacts
from abtest.store.sqlite.connection import query
from abtest.store.sqlite.experiments import Known
from abtest.store.sqlite.people import to_json


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
