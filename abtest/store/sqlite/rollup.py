"""The sums that statistics need: what one outcome adds to them, and reading them."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from operator import add

from abtest.domain.experiment import VariantKey
from abtest.domain.visitor import Outcome
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

Key = tuple[int | str, ...]
"""Experiment, variant, day and what else the table is keyed by."""

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

    cohorts: dict[Key, Values] = field(default_factory=dict)
    cells: dict[Key, Values] = field(default_factory=dict)
    pairs: dict[Key, Values] = field(default_factory=dict)
    steps: dict[Key, Values] = field(default_factory=dict)
    covariate_cohorts: dict[Key, Values] = field(default_factory=dict)
    covariate_cells: dict[Key, Values] = field(default_factory=dict)

    def add(self, experiment: int, outcome: Outcome, *, sign: int = 1) -> None:
        """Add what the outcome contributes, or with sign -1 take it away."""
        cohort: Key = (experiment, outcome.variant, outcome.day)
        _bump(self.cohorts, cohort, (sign, sign * (outcome.variants_seen > 1)))
        for e in outcome.entries:
            key = (*cohort, e.lag, e.ordinal)
            _bump(
                self.cells, key, (sign * e.count, sign * e.amount, sign * e.amount**2)
            )
        for a, b in combinations(outcome.entries, 2):  # they are in order
            key = (*cohort, a.ordinal, a.lag, b.ordinal, b.lag)
            products = (
                sign * a.count * b.count,
                sign * a.amount * b.amount,
                sign * a.count * b.amount,
                sign * a.amount * b.count,
            )
            _bump(self.pairs, key, products)
        for step, lag in outcome.steps:
            _bump(self.steps, (*cohort, lag, step), (sign,))
        if outcome.covariate:
            self._add_covariate(cohort, outcome, sign)

    def write(self, connection: sqlite3.Connection) -> None:
        """Add everything to the stored sums; rows that become zero are deleted."""
        for table, sums, wide, is_counted in (
            ("cohort", self.cohorts, None, True),
            ("cell", self.cells, 2, True),
            ("pair", self.pairs, 1, True),
            ("step_cell", self.steps, None, True),
            ("covariate_cohort", self.covariate_cohorts, 1, False),
            ("covariate_cell", self.covariate_cells, 1, False),
        ):
            changes = [(k, v) for k, v in sums.items() if any(v)]
            connection.executemany(
                query(f"add_{table}"), [(*k, *_split(v, wide)) for k, v in changes]
            )
            # A row to which something countable was added cannot be zero.
            connection.executemany(
                query(f"drop_empty_{table}"),
                [k for k, v in changes if v[0] <= 0 or not is_counted],
            )

    def _add_covariate(self, cohort: Key, outcome: Outcome, sign: int) -> None:
        x = sign * outcome.covariate
        _bump(self.covariate_cohorts, cohort, (x, x * outcome.covariate))
        for e in outcome.entries:
            key = (*cohort, e.lag, e.ordinal)
            _bump(self.covariate_cells, key, (x * e.count, x * e.amount))


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


def _bump(sums: dict[Key, Values], key: Key, values: Values) -> None:
    before = sums.get(key)
    sums[key] = values if before is None else tuple(map(add, before, values))


def _split(values: Values, wide: int | None) -> Values:
    """Write the value at place `wide` as high x 2^32 + low, 0 <= low < 2^32."""
    if wide is None:
        return values
    value = values[wide]
    return (*values[:wide], value >> _LOW_BITS, value & _LOW, *values[wide + 1 :])


def _joined(high: int, low: int) -> int:
    return (high << _LOW_BITS) + low
