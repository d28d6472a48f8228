"""The sums that statistics need: what one outcome adds to them, and reading them."""

import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, combinations, product
from operator import add
from random import getrandbits
from typing import Any, TypeVar

import msgspec

from abtest.domain.experiment import VariantKey
from abtest.domain.visitor import Entry, Outcome
from abtest.stats.moments import (
    Cell,
    CellKey,
    Column,
    CovariateCell,
    CovariateCohort,
    Moments,
    Pair,
    PairKey,
    StepKey,
    Table,
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
R = TypeVar("R", bound=tuple[Any, ...])
V = TypeVar("V")
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
        after: Sequence[Entry] = (),
        sign: int = 1,
    ) -> None:
        """Add what somebody did who is in the cohort already.

        Args:
            after: entries added before, all of lower (ordinal, lag).
        """
        for e in entries:
            values = (sign * e.count, sign * e.amount, sign * e.amount**2)
            _bump(self.cells, (*cohort, e.lag, e.ordinal), values)
        for a, b in _pairs(after, entries):
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
    for variant, day, visitors in connection.execute(
        "SELECT variant, day, visitors FROM cohort WHERE experiment = ?", (experiment,)
    ):
        cohorts.setdefault(variant, {})[day] = visitors
    covariate_cohorts: dict[VariantKey, dict[int, CovariateCohort]] = {}
    for variant, day, total, high, low in connection.execute(
        query("read_covariate_cohorts"), (experiment,)
    ):
        sums = CovariateCohort(total, _joined(high, low))
        covariate_cohorts.setdefault(variant, {})[day] = sums
    read = partial(_read_tables, connection, experiment)
    cells = read("cells", CellKey, Cell, width=3, wide=2)
    pairs = read("pairs", PairKey, Pair, width=5, wide=1)
    steps = read("step_cells", StepKey, int, width=3)
    covariate_cells = read("covariate_cells", CellKey, CovariateCell, width=3, wide=1)
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


def _read_tables(
    connection: sqlite3.Connection,
    experiment: int,
    name: str,
    key: Callable[..., R],
    sums: Callable[..., V],
    *,
    width: int,
    wide: int | None = None,
) -> dict[VariantKey, Table[R, V]]:
    """Return a table of each variant.

    SQLite writes each column as JSON, in the order of the primary key: that takes
    half of the time that a tuple for each row would.

    Args:
        connection: in a transaction.
        experiment: its number.
        name: of the query, without "read_".
        key: of a row, made of the first `width` columns.
        sums: of a row, made of the others.
        width: columns of the key.
        wide: which of the sums has two columns, see `_split`.
    """
    tables = {}
    for variant, *texts in connection.execute(query(f"read_{name}"), (experiment,)):
        columns = [_read_column(text) for text in texts]
        keys, values = columns[:width], columns[width:]
        if wide is not None:
            values[wide : wide + 2] = [_joined_column(*values[wide : wide + 2])]
        tables[variant] = Table(key, sums, keys, values)
    return tables


def _read_column(text: str) -> Column:
    values = msgspec.json.decode(text)
    return values if isinstance(values[0], str) else array("q", values)


def _joined_column(high: Column, low: Column) -> Column:
    if not any(high):
        return low
    joined = list(map(_joined, high, low))
    try:
        return array("q", joined)
    except OverflowError:
        return joined


def _pairs(
    before: Sequence[Entry], entries: Sequence[Entry]
) -> Iterable[tuple[Entry, Entry]]:
    """Return all pairs with one of the entries, in order."""
    if not before and len(entries) < 2:
        return ()
    return chain(product(before, entries), combinations(entries, 2))


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
