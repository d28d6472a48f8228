"""The experiments, kept in memory until somebody, in any process, changes one."""

from collections.abc import Mapping
from dataclasses import dataclass

from abtest.domain.experiment import Experiment, ExperimentKey
from abtest.domain.funnel import LaterStep, StepKey
from abtest.domain.visitor import OutcomePlan
from abtest.errors import AbtestError, ErrorCode
from abtest.store.lean_sqlite_utils import Database
from abtest.store.privacy_protocol import Retention
from abtest.store.sqlite.codec import decode_experiment, encode_experiment
from abtest.store.sqlite.folded import horizon_of, visitors_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All experiments as of one stamp.

    Attributes:
        by_key: oldest first.
        numbers: what stands for the key in other tables.
        keys: the other way round.
        plans: how outcomes are judged, by number.
        steps: the steps that can change an outcome, by number.
        retention: what is taken no more.
    """

    stamp: int
    by_key: Mapping[ExperimentKey, Experiment]
    numbers: Mapping[ExperimentKey, int]
    keys: Mapping[int, ExperimentKey]
    plans: Mapping[int, OutcomePlan]
    steps: Mapping[int, frozenset[StepKey]]
    retention: Retention

    def get(self, key: ExperimentKey) -> Experiment:
        """Return the experiment; `not_found`."""
        if key not in self.by_key:
            raise _not_found(key)
        return self.by_key[key]

    def number(self, key: ExperimentKey) -> int:
        """Return what stands for the experiment in other tables; `not_found`."""
        if key not in self.numbers:
            raise _not_found(key)
        return self.numbers[key]


class Experiments:
    """The table, and a copy of it in memory.

    Each call reads one stamp, a random number that every change replaces; a change
    that was rolled back can therefore never be taken for a later one.
    """

    def __init__(self) -> None:
        self._known: Known | None = None

    def known(self, database: Database) -> Known:
        """Return all experiments as this connection sees them."""
        row = database.conn.execute("SELECT stamp FROM experiment_stamp").fetchone()
        known = self._known
        if known is None or known.stamp != row[0]:
            known = self._known = _load(database, row[0])
        return known

    def add(self, database: Database, experiment: Experiment) -> None:
        """Insert; `conflict` when the key is taken."""
        if experiment.key in self.known(database).numbers:
            raise AbtestError(
                ErrorCode.CONFLICT, f"the key {experiment.key!r} is taken already"
            )
        database.table("experiment").insert(_row(experiment))
        _restamp(database)

    def replace(self, database: Database, experiment: Experiment) -> Experiment:
        """Update and return what was there; `not_found`, `conflict`."""
        known = self.known(database)
        before = known.get(experiment.key)
        if experiment.version != before.version + 1:
            raise AbtestError(
                ErrorCode.CONFLICT,
                f"experiment {experiment.key!r} was changed by somebody else"
                f" (it has version {before.version}); read it again",
            )
        number = known.number(experiment.key)
        database.table("experiment").update(number, _row(experiment))
        _restamp(database)
        return before

    def renew(self, database: Database) -> None:
        """Let caches in all processes read again, because visitors were forgotten."""
        _restamp(database)


def _load(database: Database, stamp: int) -> Known:
    rows = database.conn.execute(
        "SELECT id, document FROM experiment ORDER BY id"
    ).fetchall()
    experiments = {number: decode_experiment(document) for number, document in rows}
    return Known(
        stamp=stamp,
        by_key={e.key: e for e in experiments.values()},
        numbers={e.key: number for number, e in experiments.items()},
        keys={number: e.key for number, e in experiments.items()},
        plans={number: OutcomePlan.of(e) for number, e in experiments.items()},
        steps={number: _steps(e) for number, e in experiments.items()},
        retention=Retention(
            horizon=horizon_of(database.conn),
            folded=frozenset(experiments[n].key for n in visitors_of(database.conn)),
        ),
    )


def _steps(experiment: Experiment) -> frozenset[StepKey]:
    goal = experiment.goal
    second = goal.second.step if isinstance(goal.second, LaterStep) else goal.first
    return frozenset({*experiment.step_keys, goal.first, second})


def _row(experiment: Experiment) -> dict[str, str | int]:
    return {
        "key": experiment.key,
        "status": experiment.status.value,
        "version": experiment.version,
        "document": encode_experiment(experiment),
    }


def _restamp(database: Database) -> None:
    database.execute("UPDATE experiment_stamp SET stamp = random()")


def _not_found(key: ExperimentKey) -> AbtestError:
    return AbtestError(ErrorCode.NOT_FOUND, f"there is no experiment {key!r}")
