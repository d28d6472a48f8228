"""Sufficient statistics as numpy columns, read once, and sliced by lag and by day."""

from array import array
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from abtest.stats.moments import Column, Moments, StepKey, Table

Whole = NDArray[Any]
"""Integers: int64 where no sum can overflow, Python's own (dtype object) elsewhere."""

K = TypeVar("K", bound=tuple[int, ...])
V = TypeVar("V", bound=tuple[int, ...])

Flags = NDArray[np.bool_]

LARGEST_SUM = 2**62
"""Sums of absolute values below it are safe in int64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What is accumulated over a visitor's lags: one conversion, counted or in money.

    Attributes:
        ordinal: 1 first conversion, 2 second conversion.
        in_money: amounts in minor units instead of counts.
        window: last lag that counts, in days.
    """

    ordinal: int
    in_money: bool
    window: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Integers with the cohort (as a position) and the lags that they belong to."""

    cohort: Whole
    lag: Whole
    other_lag: Whole
    value: Whole

    def chosen(self, which: Flags) -> "Rows":
        """Return some of the rows."""
        return self if which.all() else self.at(np.flatnonzero(which))

    def at(self, places: Whole) -> "Rows":
        """Return the rows at these places, in their order."""
        return Rows(
            cohort=self.cohort[places],
            lag=self.lag[places],
            other_lag=self.other_lag[places],
            value=self.value[places],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """The tables of `Moments`, one array for each column.

    Attributes:
        days: exposure days with visitors, ascending.
        sizes: visitors of each.
        cell_keys: cohort position, lag, ordinal.
        cells: conversions, total, squares.
        pair_keys: cohort position, ordinal and lag of the smaller entry, of the other.
        pairs: conversions, product, count_amount, amount_count.
        steps: visitors who reached it, for each funnel step.
        crossed_keys: as `cell_keys`.
        crossed_sums: of covariate x count, of covariate x amount.
        rows: what was sorted out so far, by what was asked.
        answers: estimates made so far, by what was asked, and what they are made of.
    """

    days: Whole
    sizes: Whole
    cell_keys: tuple[Whole, ...]
    cells: tuple[Whole, ...]
    pair_keys: tuple[Whole, ...]
    pairs: tuple[Whole, ...]
    steps: Mapping[str, Rows]
    crossed_keys: tuple[Whole, ...]
    crossed_sums: tuple[Whole, ...]
    rows: dict[Hashable, Rows] = field(default_factory=dict)
    answers: dict[Hashable, object] = field(default_factory=dict)

    @classmethod
    def of(cls, moments: Moments) -> "Columns":
        """Read the moments, or return what was read of them before."""
        known = moments.derived.get(cls)
        if isinstance(known, cls):
            return known
        columns = cls._read(moments)
        moments.derived[cls] = columns
        return columns

    @classmethod
    def _read(cls, moments: Moments) -> "Columns":
        cohorts = sorted((d, n) for d, n in moments.cohorts.items() if n)
        days = np.array([day for day, _ in cohorts], dtype=np.int64)
        (cell_day, *cell_keys), cells = _read_table(moments.cells, 3, 3)
        (pair_day, *pair_keys), pairs = _read_table(moments.pairs, 5, 4)
        (crossed_day, *crossed_keys), crossed_sums = _read_table(
            moments.covariate_cells, 3, 2
        )
        return cls(
            days=days,
            sizes=np.array([n for _, n in cohorts], dtype=np.int64),
            cell_keys=(_positions(days, cell_day), *cell_keys),
            cells=cells,
            pair_keys=(_positions(days, pair_day), *pair_keys),
            pairs=pairs,
            steps=_read_steps(moments.steps, days),
            crossed_keys=(_positions(days, crossed_day), *crossed_keys),
            crossed_sums=crossed_sums,
        )

    def enrolled(self, last_day: int) -> int:
        """Return the visitors exposed until a day."""
        return int(self.sizes[self.days <= last_day].sum())

    def seen(self, process: Process, *, as_of: int) -> int:
        """Return the sum of a process over all visitors at the end of a day."""
        rows = self.totals(process)
        return int(rows.value[self.seen_on(rows) <= as_of].sum())

    def totals(self, process: Process) -> Rows:
        """Return the sums of a process by cohort and lag."""
        if process not in self.rows:
            self.rows[process] = self._cells(
                process.ordinal, process.window, int(process.in_money)
            )
        return self.rows[process]

    def crossed(self, process: Process) -> Rows:
        """Return the sums of a process x covariate by cohort and lag."""
        cohort, lag, ordinals = self.crossed_keys
        value = self.crossed_sums[int(process.in_money)]
        rows = Rows(cohort=cohort, lag=lag, other_lag=lag, value=value)
        return rows.chosen((ordinals == process.ordinal) & (lag <= process.window))

    def reached(self, step: str, *, window: int) -> Rows:
        """Return the visitors who reached a step, by cohort and lag."""
        nothing = np.zeros(0, np.int64)
        nobody = Rows(cohort=nothing, lag=nothing, other_lag=nothing, value=nothing)
        rows = self.steps.get(step, nobody)
        return rows.chosen(rows.lag <= window)

    def products(self, one: Process, other: Process) -> Rows:
        """Return the sums over visitors of `one` at a lag x `other` at another lag."""
        if (one, other) not in self.rows:
            self.rows[one, other] = self._products(one, other)
        return self.rows[one, other]

    def seen_on(self, rows: Rows) -> Whole:
        """Return the day at whose end both lags are known."""
        seen: Whole = self.days[rows.cohort] + np.maximum(rows.lag, rows.other_lag)
        return seen

    def _products(self, one: Process, other: Process) -> Rows:
        """Collect the rows of `products`."""
        parts = [self._turned(one, other, turned=False)]
        if one.ordinal == other.ordinal:
            parts += [self._turned(one, other, turned=True), self._own(one, other)]
        elif one.ordinal > other.ordinal:
            parts = [self._turned(one, other, turned=True)]
        return Rows(
            cohort=np.concatenate([part.cohort for part in parts]),
            lag=np.concatenate([part.lag for part in parts]),
            other_lag=np.concatenate([part.other_lag for part in parts]),
            value=np.concatenate([part.value for part in parts]),
        )

    def _turned(self, one: Process, other: Process, *, turned: bool) -> Rows:
        """Pairs in which `one` is the smaller entry or, turned, the larger one."""
        cohort, *entries = self.pair_keys
        small, large = (other, one) if turned else (one, other)
        ordinal_a, lag_a, ordinal_b, lag_b = entries
        column = {(0, 0): 0, (1, 1): 1, (0, 1): 2, (1, 0): 3}
        return Rows(
            cohort=cohort,
            lag=lag_b if turned else lag_a,
            other_lag=lag_a if turned else lag_b,
            value=self.pairs[column[small.in_money, large.in_money]],
        ).chosen(
            (ordinal_a == small.ordinal)
            & (ordinal_b == large.ordinal)
            & (lag_a <= small.window)
            & (lag_b <= large.window)
        )

    def _own(self, one: Process, other: Process) -> Rows:
        """Products of an entry with itself: its square, or its count x amount."""
        window = min(one.window, other.window)
        if one.in_money == other.in_money:
            return self._cells(one.ordinal, window, 2 if one.in_money else 0)
        # A refund on a later day has count 0: what it takes back is not part of the
        # sum. Its amount stands in the pair that it forms with its conversion.
        counts = Process(ordinal=one.ordinal, in_money=False, window=window)
        amounts = Process(ordinal=one.ordinal, in_money=True, window=window)
        net = self.totals(amounts)
        refunds = self._turned(counts, amounts, turned=False)
        lag = np.concatenate([net.lag, refunds.other_lag])
        return Rows(
            cohort=np.concatenate([net.cohort, refunds.cohort]),
            lag=lag,
            other_lag=lag,
            value=np.concatenate([net.value, -refunds.value]),
        )

    def _cells(self, ordinal: int, window: int, column: int) -> Rows:
        """Return one column of the cells of an ordinal, within the window."""
        cohort, lag, ordinals = self.cell_keys
        rows = Rows(cohort=cohort, lag=lag, other_lag=lag, value=self.cells[column])
        return rows.chosen((ordinals == ordinal) & (lag <= window))


def absolute(numbers: Whole) -> NDArray[np.float64]:
    """Return the absolute values, rounded, to bound what a sum may reach."""
    return np.abs(numbers.astype(np.float64))


def exact_type(added: float, taken: float = 0.0) -> type:
    """Return the type that loses no digits of a difference of sums.

    Args:
        added: bound of what is added, absolute.
        taken: bound of what is subtracted from it, absolute.

    Returns:
        int64 while nothing can overflow; beyond, floats where the difference is about
        as large as the sums (their rounding is then no worse than that of the result)
        and Python's integers where it may be much smaller.
    """
    if added + taken < LARGEST_SUM:
        return np.int64
    return np.float64 if 0 < 2 * taken < added else object


def _read_steps(steps: Mapping[StepKey, int], days: Whole) -> dict[str, Rows]:
    """Return the visitors who reached each funnel step."""
    if isinstance(steps, Table):
        (found, lags, names), (visitors,) = steps.keys_by_column, steps.sums_by_column
    else:
        found, lags, names = zip(*steps, strict=True) if steps else ((), (), ())
        visitors = tuple(steps.values())
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    lag = np.array(lags, np.int64)
    reached = Rows(
        cohort=_positions(days, np.array(found, np.int64)),
        lag=lag,
        other_lag=lag,
        value=np.array(visitors, np.int64),
    )
    which = np.fromiter(map(numbers.__getitem__, names), np.int64, len(names))
    return {name: reached.chosen(which == number) for name, number in numbers.items()}


def _read_table(
    table: Mapping[K, V], keys: int, sums: int
) -> tuple[tuple[Whole, ...], tuple[Whole, ...]]:
    """Return the columns of the keys and of the sums, given how many these are."""
    if isinstance(table, Table):
        return (
            tuple(np.asarray(column) for column in table.keys_by_column),
            tuple(_safe(_whole(column)) for column in table.sums_by_column),
        )
    return _table(table.keys(), width=keys), _table(table.values(), width=sums)


def _whole(column: Column) -> Whole:
    """Return a column as an array that holds every number."""
    return np.asarray(column, None if isinstance(column, array) else object)


def _table(rows: Collection[Iterable[int]], *, width: int) -> tuple[Whole, ...]:
    """Return the columns of a table of integers."""
    size = len(rows) * width
    flat = chain.from_iterable
    try:
        table: Whole = np.fromiter(flat(rows), np.int64, size)
    except OverflowError:
        table = np.fromiter(flat(rows), object, size)
    return tuple(_safe(column) for column in table.reshape(-1, width).T)


def _safe(column: Whole) -> Whole:
    """Leave int64 for Python's integers where a sum could overflow."""
    return column.astype(exact_type(absolute(column).sum()))


def _positions(days: Whole, found: Whole) -> Whole:
    """Return where in the ascending `days` each of `found` stands.

    Raises:
        ValueError: a conversion on a day without visitors.
    """
    positions = np.searchsorted(days, found)
    if found.size and not (days.size and np.isin(found, days).all()):
        raise ValueError("there are conversions of exposure days without visitors")
    return positions
