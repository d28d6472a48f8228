"""Sufficient statistics of one variant: counts and sums that add with +.

They are the only thing that crosses from the store to the statistics
(STATISTICS section E). Integers throughout: sums of squares of money leave the
range in which floats are exact.
"""

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress
from operator import add
from typing import Any, NamedTuple, TypeVar

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T", bound=tuple[int, ...])
R = TypeVar("R", bound=tuple[Any, ...])

Column = Sequence[Any]
"""`array("q")` where 64 bits are enough, a list of integers or of texts elsewhere."""


class CellKey(NamedTuple):
    """Exposure day, lag in days, and ordinal (1 first, 2 second conversion)."""

    day: int
    lag: int
    ordinal: int


class Cell(NamedTuple):
    """Sums over the visitors of a cell.

    `conversions` is a plain count; `total` and `squares` are the sums of each
    visitor's amount at that lag and of its square, in minor units; refunds are
    negative amounts.
    """

    conversions: int
    total: int
    squares: int


class PairKey(NamedTuple):
    """Exposure day and two different (ordinal, lag) of one visitor, smaller first."""

    day: int
    ordinal_a: int
    lag_a: int
    ordinal_b: int
    lag_b: int


class Pair(NamedTuple):
    """Cross sums over visitors.

    With a the smaller and b the larger (ordinal, lag): `conversions` is the sum of
    count_a x count_b, `product` of amount_a x amount_b, `count_amount` of
    count_a x amount_b, `amount_count` of amount_a x count_b.
    """

    conversions: int
    product: int
    count_amount: int
    amount_count: int


class CovariateCohort(NamedTuple):
    """Sum and sum of squares of a pre-period covariate over a cohort's visitors."""

    total: int
    squares: int


class CovariateCell(NamedTuple):
    """Sums over visitors of covariate x count and covariate x amount in a cell."""

    by_count: int
    by_amount: int


class StepKey(NamedTuple):
    """Exposure day, lag and the funnel step's key."""

    day: int
    lag: int
    step: str


class Table(Mapping[K, V]):
    """Rows of sums kept column by column; a mapping to whoever looks at single rows.

    Tens of thousands of rows are read, cut and hashed without an object for each.

    Attributes:
        keys_by_column: of the parts of the keys, which rise from row to row.
        sums_by_column: of the parts of the sums, as many rows.
    """

    def __init__(
        self,
        key: Callable[..., K],
        sums: Callable[..., V],
        keys_by_column: Sequence[Column],
        sums_by_column: Sequence[Column],
    ) -> None:
        self._key, self._sums = key, sums
        self.keys_by_column = keys_by_column
        self.sums_by_column = sums_by_column

    def __getitem__(self, key: K) -> V:
        """Return the sums of a row."""
        return self._rows[key]

    def __iter__(self) -> Iterator[K]:
        """Go through the keys."""
        return iter(self._rows)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.keys_by_column[0])

    def until(self, as_of: int, *lags: int) -> "Table[K, V]":
        """Return the rows that were known at the end of a day.

        Args:
            as_of: the day.
            lags: which columns of the key are lags; the exposure day is the first.
        """
        import numpy as np  # noqa: PLC0415 - a process that only records needs none

        days, *others = map(np.asarray, self.keys_by_column)
        known = np.logical_and.reduce([days + others[n - 1] <= as_of for n in lags])
        if known.all():
            return self
        rows = known.tolist()
        return Table(
            self._key,
            self._sums,
            [_chosen(column, rows) for column in self.keys_by_column],
            [_chosen(column, rows) for column in self.sums_by_column],
        )

    @cached_property
    def _rows(self) -> dict[K, V]:
        keys = map(self._key, *self.keys_by_column)
        return dict(zip(keys, map(self._sums, *self.sums_by_column), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Everything that is known of one variant, by exposure day and lag.

    Attributes:
        cohorts: exposure day -> visitors exposed for the first time.
        cells: sums by day, lag and ordinal; zero cells are absent.
        pairs: cross sums of two entries of the same visitor.
        steps: visitors who reached a funnel step for the first time at that lag.
        covariate_cohorts: empty unless the experiment declares a covariate.
        covariate_cells: the same.
        derived: what was computed from these moments and is worth keeping with them,
            by its type; nobody changes moments once they are made.
    """

    cohorts: Mapping[int, int] = field(default_factory=dict)
    cells: Mapping[CellKey, Cell] = field(default_factory=dict)
    pairs: Mapping[PairKey, Pair] = field(default_factory=dict)
    steps: Mapping[StepKey, int] = field(default_factory=dict)
    covariate_cohorts: Mapping[int, CovariateCohort] = field(default_factory=dict)
    covariate_cells: Mapping[CellKey, CovariateCell] = field(default_factory=dict)
    derived: dict[type, object] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def visitors(self) -> int:
        """All visitors."""
        return sum(self.cohorts.values())

    def until(self, as_of: int) -> "Moments":
        """Return what was known at the end of day `as_of`."""
        return Moments(
            cohorts=_without(self.cohorts, [d for d in self.cohorts if d > as_of]),
            cells=_until(self.cells, as_of, 1),
            pairs=_until(self.pairs, as_of, 2, 4),
            steps=_until(self.steps, as_of, 1),
            covariate_cohorts=_without(
                self.covariate_cohorts,
                [d for d in self.covariate_cohorts if d > as_of],
            ),
            covariate_cells=_until(self.covariate_cells, as_of, 1),
        )

    def __add__(self, other: "Moments") -> "Moments":
        """Add two disjoint groups of visitors."""
        return Moments(
            cohorts=_added(self.cohorts, other.cohorts),
            cells=_added_tuples(Cell, self.cells, other.cells),
            pairs=_added_tuples(Pair, self.pairs, other.pairs),
            steps=_added(self.steps, other.steps),
            covariate_cohorts=_added_tuples(
                CovariateCohort, self.covariate_cohorts, other.covariate_cohorts
            ),
            covariate_cells=_added_tuples(
                CovariateCell, self.covariate_cells, other.covariate_cells
            ),
        )


def _until(table: Mapping[R, V], as_of: int, *lags: int) -> Mapping[R, V]:
    """Return the rows that were known at the end of a day; see `Table.until`."""
    if isinstance(table, Table):
        return table.until(as_of, *lags)
    later = [k for k in table if any(k[0] + k[lag] > as_of for lag in lags)]
    return _without(table, later)


def _chosen(column: Column, rows: Sequence[bool]) -> Column:
    values = compress(column, rows)
    return array("q", values) if isinstance(column, array) else list(values)


def _without(table: Mapping[K, V], later: Collection[K]) -> Mapping[K, V]:
    """Return the table without some keys; copied, for most are few."""
    if not later:
        return table
    kept = dict(table)
    for key in later:
        del kept[key]
    return kept


def _added(left: Mapping[K, int], right: Mapping[K, int]) -> dict[K, int]:
    return {k: left.get(k, 0) + right.get(k, 0) for k in {**left, **right}}


def _added_tuples(
    kind: Callable[..., T], left: Mapping[K, T], right: Mapping[K, T]
) -> dict[K, T]:
    """Add named tuples of integers key by key."""
    added = dict(left)
    for key, sums in right.items():
        known = added.get(key)
        added[key] = sums if known is None else kind(*map(add, known, sums))
    return added
