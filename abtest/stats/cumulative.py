"""Means of what visitors bring within a window, when not all were followed for it.

The mean cumulative function: at each lag the sum is divided by the visitors who have
been followed that far. Its variance is that of the visitors' influence functions,
computed from sums in whole numbers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from abtest.stats.columns import Columns, Process, Rows, Whole, absolute, exact_type
from abtest.stats.results import JointEstimate, NotEstimable, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Means per visitor of several processes, and the covariance of these means.

    Attributes:
        is_mature: everybody has been followed for the longest window, and the means
            are plain ones.
    """

    visitors: int
    means: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    is_mature: bool

    @classmethod
    def from_lower(
        cls,
        *,
        visitors: int,
        means: Sequence[float],
        lower: Sequence[Sequence[float]],
        is_mature: bool,
    ) -> "Means":
        """Complete the lower triangle of a covariance matrix."""
        size = range(len(means))
        return cls(
            visitors=visitors,
            means=tuple(means),
            covariance=tuple(
                tuple(lower[max(i, k)][min(i, k)] for k in size) for i in size
            ),
            is_mature=is_mature,
        )

    def joint(self) -> JointEstimate:
        """Return the first two means as first and second conversion."""
        (variance_first, covariance), (_, variance_second) = self.covariance
        return JointEstimate(
            visitors=self.visitors,
            first=self.means[0],
            second=self.means[1],
            variance_first=variance_first,
            covariance=covariance,
            variance_second=variance_second,
            is_mature=self.is_mature,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FollowUp:
    """How many visitors have been followed how far.

    Attributes:
        cohorts: how many of the ascending exposure days count.
        reach: for each lag, how many of these days have been followed that far.
        followed: for each lag, the visitors who have been followed that far.
        starts: the lags at which `followed` falls; between them it is constant.
    """

    cohorts: int
    reach: Whole
    followed: Whole
    starts: Whole

    @property
    def visitors(self) -> int:
        """All visitors."""
        return int(self.followed[0])

    @property
    def is_mature(self) -> bool:
        """Whether everybody has been followed to the last lag."""
        return bool(self.reach[-1] == self.cohorts)

    def visible(self, rows: Rows) -> Rows:
        """Return the rows that belong to the cohorts and have been observed."""
        lag = np.maximum(rows.lag, rows.other_lag)
        return rows.chosen(rows.cohort < self.reach[lag])

    def grouped(self, lag: Whole) -> Whole:
        """Return for each lag which stretch of constant `followed` it lies in."""
        return np.searchsorted(self.starts, lag, side="right") - 1


def follow_up(
    days: Whole, sizes: Whole, *, window: int, as_of: int, last_day: int
) -> FollowUp | NotEstimable:
    """Count the visitors by how far they have been followed.

    Args:
        days: exposure days, ascending.
        sizes: visitors of each.
        window: last lag of interest, in days.
        as_of: last complete day.
        last_day: last exposure day that counts, not after `as_of`.
    """
    cohorts = int(np.searchsorted(days, last_day, side="right"))
    if cohorts == 0:
        return NotEstimable(Reason.NO_VISITORS)
    reach = np.searchsorted(days, as_of - np.arange(window + 1), side="right")
    reach = np.minimum(reach, cohorts)
    if reach[-1] == 0:
        return NotEstimable(Reason.NOT_MATURE)
    followed = np.cumsum(sizes)[reach - 1]
    starts = np.flatnonzero(np.diff(followed, prepend=-1))
    return FollowUp(cohorts=cohorts, reach=reach, followed=followed, starts=starts)


def estimate_means(
    columns: Columns, processes: Sequence[Process], *, as_of: int, last_day: int
) -> Means | NotEstimable:
    """Estimate the means of processes within their windows, on one day.

    See `estimate_path`.

    Args:
        columns: one variant.
        processes: what is accumulated.
        as_of: last complete day.
        last_day: last exposure day that counts, not after `as_of`.
    """
    until = None if last_day == as_of else last_day
    (means,) = estimate_path(columns, processes, [as_of], last_day=until)
    return means


def estimate_path(
    columns: Columns,
    processes: Sequence[Process],
    days: Sequence[int],
    *,
    last_day: int | None = None,
) -> Iterator[Means | NotEstimable]:
    """Yield the estimates on each of several days; none is made twice.

    Args:
        columns: one variant.
        processes: what is accumulated.
        days: last complete days, ascending.
        last_day: last exposure day that counts; None takes all that are known.

    References:
        Nelson: Recurrent events data analysis (2003), ch. 4,
        https://doi.org/10.1137/1.9780898718454 (the mean cumulative function)
        Lawless and Nadeau, https://doi.org/10.1080/00401706.1995.10484300 (its
        variance without a model)
    """
    asked = tuple(processes), last_day
    path: _Path | None = None
    for day in days:
        means = columns.answers.get((asked, day))
        if not isinstance(means, Means | NotEstimable):
            path = path or _Path.of_processes(columns, processes, last_day)
            means = path.on(day)
            columns.answers[asked, day] = means
        yield means


def estimate_step_mean(
    columns: Columns, step: str, *, window: int, as_of: int
) -> Means | NotEstimable:
    """Estimate which share of the visitors reaches a funnel step within the window."""
    rows = columns.reached(step, window=window)
    return _Path(
        columns=columns,
        window=window,
        last_day=None,
        running=[running_sums(columns, rows, window)],
        products=[[_Products.of(columns, rows, window)]],
    ).on(as_of)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Path:
    """What estimates on ascending days are made of.

    Attributes:
        window: the longest one of all processes.
        last_day: last exposure day that counts; None takes all that are known.
        running: for each process, see `running_sums`.
        products: for the lower triangle of pairs of processes.
    """

    columns: Columns
    window: int
    last_day: int | None
    running: Sequence[Whole]
    products: "Sequence[Sequence[_Products]]"

    @classmethod
    def of_processes(
        cls, columns: Columns, processes: Sequence[Process], last_day: int | None
    ) -> "_Path":
        """Read what is needed."""
        window = max(process.window for process in processes)

        def products(one: Process, other: Process) -> _Products:
            rows = columns.products(one, other)
            if last_day is not None:
                rows = rows.chosen(columns.days[rows.cohort] <= last_day)
            return _Products.of(columns, rows, window)

        return cls(
            columns=columns,
            window=window,
            last_day=last_day,
            running=[
                running_sums(columns, columns.totals(process), window)
                for process in processes
            ],
            products=[
                [products(one, other) for other in processes[: i + 1]]
                for i, one in enumerate(processes)
            ],
        )

    def on(self, day: int) -> Means | NotEstimable:
        """Return the means at the end of a day; days must not go back."""
        known = follow_up(
            self.columns.days,
            self.columns.sizes,
            window=self.window,
            as_of=day,
            last_day=day if self.last_day is None else self.last_day,
        )
        if isinstance(known, NotEstimable):
            return known
        if known.visitors < 2:
            return NotEstimable(Reason.TOO_FEW_VISITORS)
        sums = [_sums_by_group(known, running) for running in self.running]
        bounds = [1 + absolute(total).max(axis=1).sum() for total in sums]
        followed = known.followed[known.starts]
        n = followed.astype(np.float64)
        fewer = np.minimum.outer(followed, followed)
        weights = np.multiply.outer(n, n) * fewer
        scale = known.visitors / (known.visitors - 1)
        lower = [
            [
                float(
                    (
                        _spread(
                            known,
                            sums[i],
                            sums[k],
                            products.until(day),
                            fewer,
                            taken=bounds[i] * bounds[k],
                        )
                        / weights
                    ).sum()
                )
                * scale
                for k, products in enumerate(row)
            ]
            for i, row in enumerate(self.products)
        ]
        return Means.from_lower(
            visitors=known.visitors,
            means=[float((total.diagonal() / n).sum()) for total in sums],
            lower=lower,
            is_mature=known.is_mature,
        )


def running_sums(columns: Columns, rows: Rows, window: int) -> Whole:
    """Return the sum at a lag (column) over all cohorts up to one (row)."""
    table: Whole = np.zeros((columns.days.size, window + 1), rows.value.dtype)
    table[rows.cohort, rows.lag] = rows.value
    running: Whole = table.cumsum(axis=0)
    return running


def _sums_by_group(known: FollowUp, running: Whole) -> Whole:
    """Return the sum at a group of lags (row) over visitors followed to another.

    Only on and above the diagonal: nobody is known at lags not followed to.
    """
    by_lag = running[known.reach[known.starts] - 1]
    return np.triu(_by_group(by_lag.T, known.starts))


def _spread(
    known: FollowUp,
    one: Whole,
    other: Whole,
    products: "_Products",
    fewer: Whole,
    *,
    taken: float,
) -> NDArray[np.float64]:
    """Return what the groups of lags add to the covariance of two means.

    A visitor's influence is sum_d (N / N_d) (Y(d) - T(d) / N_d) over the lags d up to
    which the visitor was followed, N_d visitors being followed that far and T(d) their
    sum. The products of two such sums, added over visitors, are for the lags d <= D

        N^2 / (N_d N_D) (X(d, D) - T(D) S(d, D) / N_D)

    where X is the sum of products and S(d, D) that at lag d over the N_D visitors.
    Lags with the same N_d are added up first. N_D X - T S is then a whole number: no
    digit is lost, however large the mean is beside the spread.

    Args:
        fewer: N_D of any two groups.
        taken: bound of any sum of T S.
    """
    kind = exact_type(known.visitors * products.absolute, taken)
    one, other, fewer = (t.astype(kind, copy=False) for t in (one, other, fewer))
    # Both are zero below their diagonals, on which T T stands in each of them.
    expected: Whole = one * other.diagonal() + (other * one.diagonal()).T
    np.fill_diagonal(expected, one.diagonal() * other.diagonal())
    product = _by_group(products.table.astype(kind, copy=False), known.starts)
    if product.ndim == 1:
        product = np.diag(product)
    else:
        product = _by_group(product.T, known.starts).T
    whole: Whole = fewer * product - expected
    return whole.astype(np.float64)


def _by_group(values: Whole, starts: Whole) -> Whole:
    """Add up the rows of each group."""
    if starts.size == len(values):
        return values
    summed: Whole = np.add.reduceat(values, starts, axis=0)
    return summed


@dataclass(slots=True, kw_only=True, eq=False)
class _Products:
    """Sums of products by lag and other lag, growing with the day until which is seen.

    Attributes:
        rows: in the order of the days on which they were seen.
        seen_on: these days.
        table: what has been added up until now, lags x other lags; by lag alone
            where the two are always the same.
        absolute: bound of any sum of what has been added.
        added: how many of the rows these are.
    """

    rows: Rows
    seen_on: Whole
    table: Whole
    absolute: float = 0.0
    added: int = 0

    @classmethod
    def of(cls, columns: Columns, rows: Rows, window: int) -> "_Products":
        """Begin before the first day."""
        dimensions = 1 if (rows.lag == rows.other_lag).all() else 2
        return cls(
            rows=rows,
            seen_on=columns.seen_on(rows),
            table=np.zeros((window + 1,) * dimensions, rows.value.dtype),
        )

    def until(self, day: int) -> "_Products":
        """Add what was seen until a day; days must not go back."""
        end = int(np.searchsorted(self.seen_on, day, side="right"))
        if end > self.added:
            new = slice(self.added, end)
            value = self.rows.value[new]
            lags = (self.rows.lag[new], self.rows.other_lag[new])
            np.add.at(self.table, lags[: self.table.ndim], value)
            self.absolute += float(absolute(value).sum())
            self.added = end
        return self
