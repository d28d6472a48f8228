"""The sums that statistics need: what one outcome adds to them, and reading them."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from operator import add
from random import getrandbits
from typing import TypeVar

from abtest.domain.experiment import VariantKey
from abtest.domain.visitor import Entry, Outcome
from abtest.stats.moments import (
    Cell,
    CellKey,
    CovariateCell,
    CovariateCohort,
    Moments,
    Pair,
    PairKey,
    StepKey,
)
from abtest.store.sqlite.connection import query

_LOW_BITS = 32
_LOW = 2**_LOW_BITS - 1
_STEP_BITS = 32
_SECOND = 2
"""The ordinal."""

Cohort = tuple[int, str, int]
"""Experiment, variant and exposure day: what the key of every table begins with."""

InCell = tuple[int, str, int, int, int]
"""Cohort, lag, ordinal."""

InPair = tuple[int, str, int, int, int, int, int]
"""Cohort, ordinal, lag, ordinal, lag."""

AtStep = tuple[int, str, int, int, str]
"""Cohort, lag, step."""

K = TypeVar("K", bound=tuple[int | str, ...])
Values = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sums:
    """Changes to be added to the stored sums; gathered first, written once.

    Attributes:
        cohorts: visitors, contaminated.
        cells: conversions, total, squares.
        pairs: conversions, product, count x amount, amount x count.
        steps: visitors.
        covariate_cohorts: covariate, its square.
        covariate_cells: covariate x count, covariate x amount.
    """

    cohorts: dict[Cohort, Values] = field(default_factory=dict)
    cells: dict[InCell, Values] = field(default_factory=dict)
    pairs: dict[InPair, Values] = field(default_factory=dict)
    steps: dict[AtStep, Values] = field(default_factory=dict)
    covariate_cohorts: dict[Cohort, Values] = field(default_factory=dict)
    covariate_cells: dict[InCell, Values] = field(default_factory=dict)

    def add(self, experiment: int, outcome: Outcome, *, sign: int = 1) -> None:
        """Add what the outcome contributes, or with sign -1 take it away."""
        cohort = (experiment, outcome.variant, outcome.day)
        _bump(self.cohorts, cohort, (sign, sign * (outcome.variants_seen > 1)))
        if outcome.covariate:
            x = sign * outcome.covariate
            _bump(self.covariate_cohorts, cohort, (x, x * outcome.covariate))
        if outcome.steps or outcome.entries:
            self.add_deeds(
                cohort,
                outcome.entries,
                outcome.steps,
                covariate=outcome.covariate,
                sign=sign,
            )

    def add_visitors(self, cohort: Cohort, visitors: int) -> None:
        """Add visitors who saw one variant and did nothing."""
        _bump(self.cohorts, cohort, (visitors, 0))

    def add_deeds(
        self,
        cohort: Cohort,
        entries: Sequence[Entry],
        steps: Iterable[tuple[str, int]],
        *,
        covariate: int,
        sign: int = 1,
    ) -> None:
        """Add what somebody did who is in the cohort already."""
        for e in entries:
            values = (sign * e.count, sign * e.amount, sign * e.amount**2)
            _bump(self.cells, (*cohort, e.lag, e.ordinal), values)
        for a, b in combinations(entries, 2):  # they are in order
            products = (
                sign * a.count * b.count,
                sign * a.amount * b.amount,
                sign * a.count * b.amount,
                sign * a.amount * b.count,
            )
            _bump(self.pairs, (*cohort, a.ordinal, a.lag, b.ordinal, b.lag), products)
        for step, lag in steps:
            _bump(self.steps, (*cohort, lag, step), (sign,))
        if covariate:
            x = sign * covariate
            for e in entries:
                key = (*cohort, e.lag, e.ordinal)
                _bump(self.covariate_cells, key, (x * e.count, x * e.amount))

    def write(self, connection: sqlite3.Connection) -> None:
        """Add everything to the stored sums; rows that become zero are deleted."""
        self._add_to(connection, "")
        connection.executemany(query("add_activity"), self._activity())

    def fold(self, connection: sqlite3.Connection) -> None:
        """Add everything to the sums of visitors whose events are deleted."""
        self._add_to(connection, "folded_")

    def _add_to(self, connection: sqlite3.Connection, prefix: str) -> None:
        """Add to the tables whose names begin so."""
        _write(connection, prefix, "cohort", self.cohorts)
        _write(connection, prefix, "cell", self.cells, wide=2)
        _write(connection, prefix, "pair", self.pairs, wide=1)
        _write(connection, prefix, "step_cell", self.steps)
        _write(connection, prefix, "covariate_cohort", self.covariate_cohorts, wide=1)
        _write(connection, prefix, "covariate_cell", self.covariate_cells, wide=1)

    def _activity(self) -> Iterator[tuple[int, ...]]:
        """Say what the changes mean for calendar days.

        The step by which `changes` grows is random, so that after a rebuild, which
        begins anew, the sum of the steps is not by chance what it was.
        """
        days: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
        for (experiment, _, day), values in _changes(self.cohorts):
            days[experiment, day][0] += values[0]
        for (experiment, _, day, lag, _), values in _changes(self.steps):
            days[experiment, day + lag][1] += values[0]
        for (experiment, _, day, lag, ordinal), values in _changes(self.cells):
            days[experiment, day + lag][2] += values[0] if ordinal == _SECOND else 0
        for (experiment, _, day, _, lag_a, _, lag_b), _ in _changes(self.pairs):
            days[experiment, day + max(lag_a, lag_b)][0] += 0
        for (experiment, _, day), _ in _changes(self.covariate_cohorts):
            days[experiment, day][0] += 0
        for (experiment, _, day, lag, _), _ in _changes(self.covariate_cells):
            days[experiment, day + lag][0] += 0
        step = 1 + getrandbits(_STEP_BITS)
        return ((*key, *counts, step) for key, counts in days.items())


def read_moments(
    connection: sqlite3.Connection, experiment: int
) -> Mapping[VariantKey, Moments]:
    """Return the sums of each variant of the experiment.

    The caller opens a transaction, so that the tables agree.
    """
    cohorts: dict[VariantKey, dict[int, int]] = {}
    cells: dict[VariantKey, dict[CellKey, Cell]] = {}
    pairs: dict[VariantKey, dict[PairKey, Pair]] = {}
    steps: dict[VariantKey, dict[StepKey, int]] = {}
    for variant, day, visitors in connection.execute(
        "SELECT variant, day, visitors FROM cohort WHERE experiment = ?", (experiment,)
    ):
        cohorts.setdefault(variant, {})[day] = visitors
    for variant, day, lag, ordinal, count, total, high, low in connection.execute(
        query("read_cells"), (experiment,)
    ):
        cells.setdefault(variant, {})[CellKey(day, lag, ordinal)] = Cell(
            count, total, _joined(high, low)
        )
    for (
        variant,
        *key,
        count,
        high,
        low,
        count_amount,
        amount_count,
    ) in connection.execute(query("read_pairs"), (experiment,)):
        pairs.setdefault(variant, {})[PairKey(*key)] = Pair(
            count, _joined(high, low), count_amount, amount_count
        )
    for variant, day, lag, step, visitors in connection.execute(
        query("read_step_cells"), (experiment,)
    ):
        steps.setdefault(variant, {})[StepKey(day, lag, step)] = visitors
    covariate_cohorts = _read_covariate_cohorts(connection, experiment)
    covariate_cells = _read_covariate_cells(connection, experiment)
    return {
        variant: Moments(
            cohorts=found,
            cells=cells.get(variant, {}),
            pairs=pairs.get(variant, {}),
            steps=steps.get(variant, {}),
            covariate_cohorts=covariate_cohorts.get(variant, {}),
            covariate_cells=covariate_cells.get(variant, {}),
        )
        for variant, found in cohorts.items()
    }


def _read_covariate_cohorts(
    connection: sqlite3.Connection, experiment: int
) -> dict[VariantKey, dict[int, CovariateCohort]]:
    found: dict[VariantKey, dict[int, CovariateCohort]] = {}
    for variant, day, total, high, low in connection.execute(
        query("read_covariate_cohorts"), (experiment,)
    ):
        sums = CovariateCohort(total, _joined(high, low))
        found.setdefault(variant, {})[day] = sums
    return found


def _read_covariate_cells(
    connection: sqlite3.Connection, experiment: int
) -> dict[VariantKey, dict[CellKey, CovariateCell]]:
    found: dict[VariantKey, dict[CellKey, CovariateCell]] = {}
    for variant, day, lag, ordinal, by_count, high, low in connection.execute(
        query("read_covariate_cells"), (experiment,)
    ):
        sums = CovariateCell(by_count, _joined(high, low))
        found.setdefault(variant, {})[CellKey(day, lag, ordinal)] = sums
    return found


def _bump(sums: dict[K, Values], key: K, values: Values) -> None:
    before = sums.get(key)
    sums[key] = values if before is None else tuple(map(add, before, values))


def _changes(sums: Mapping[K, Values]) -> list[tuple[K, Values]]:
    return [(key, values) for key, values in sums.items() if any(values)]


def _write(
    connection: sqlite3.Connection,
    prefix: str,
    table: str,
    sums: Mapping[K, Values],
    *,
    wide: int | None = None,
) -> None:
    changes = _changes(sums)
    if not changes:
        return
    add = query(f"add_{table}").replace("INTO ", f"INTO {prefix}", 1)
    connection.executemany(add, [(*k, *_split(v, wide)) for k, v in changes])
    # A row to which something countable was added cannot be zero.
    is_counted = not table.startswith("covariate")
    may_be_empty = [k for k, v in changes if v[0] <= 0 or not is_counted]
    if may_be_empty:
        drop = query(f"drop_empty_{table}").replace("FROM ", f"FROM {prefix}", 1)
        connection.executemany(drop, may_be_empty)


def _split(values: Values, wide: int | None) -> Values:
    """Write the value at place `wide` as high x 2^32 + low, 0 <= low < 2^32."""
    if wide is None:
        return values
    value = values[wide]
    return (*values[:wide], value >> _LOW_BITS, value & _LOW, *values[wide + 1 :])


def _joined(high: int, low: int) -> int:
    return (high << _LOW_BITS) + low
