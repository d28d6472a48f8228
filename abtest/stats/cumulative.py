"""Means of what visitors bring within a window, when not all were followed for it.

The mean cumulative function: at each lag the sum is divided by the visitors who have
been followed that far. Its variance is that of the visitors' influence functions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from abtest.stats.columns import Columns, Process, Rows, Whole
from abtest.stats.exact_spread import exact_spread
from abtest.stats.follow_up import follow_up
from abtest.stats.results import JointEstimate, NotEstimable, Reason

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

CANCELLED = 0.01
"""A variance that is a smaller part of the mean square is computed in whole numbers.

As is every plain one, of visitors who have all been followed: that takes no time.
"""


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
    for day in days:
        means = columns.answers.get((asked, day))
        if not isinstance(means, Means | NotEstimable):
            path = columns.answers.get(asked)
            if not isinstance(path, _Path):
                path = _Path.of_processes(columns, processes, last_day)
                columns.answers[asked] = path
            means = columns.answers[asked, day] = path.on(day)
        yield means


def estimate_step_mean(
    columns: Columns, step: str, *, window: int, as_of: int
) -> Means | NotEstimable:
    """Estimate which share of the visitors reaches a funnel step within the window."""
    rows = columns.reached(step, window=window)
    return _Path.of(columns, [rows], [[rows]], window=window, last_day=None).on(as_of)


@dataclass(slots=True, kw_only=True, eq=False)
class _Path:
    """What estimates are made of, growing from day to day.

    Attributes:
        window: the longest one of all processes.
        last_day: last exposure day that counts; None takes all that are known.
        sums: rows of each process.
        products: rows of the lower triangle of pairs of processes.
        seen_on: the day of each of these rows, ascending.
        place: where in `table` each of them is added.
        value: what is added.
        pair: place of each pair of processes among the products.
        table: what has been seen: sums (processes x cohorts) by lag, and below them
            products (pairs x other lags) by lag.
        added: how many of the rows that is.
    """

    columns: Columns
    window: int
    last_day: int | None
    sums: Sequence[Rows]
    products: Sequence[Sequence[Rows]]
    seen_on: Whole
    place: Whole
    value: Vector
    pair: Whole
    table: Vector
    added: int = 0

    @classmethod
    def of_processes(
        cls, columns: Columns, processes: Sequence[Process], last_day: int | None
    ) -> "_Path":
        """Read what is needed."""

        def chosen(rows: Rows) -> Rows:
            if last_day is None:
                return rows
            return rows.chosen(columns.days[rows.cohort] <= last_day)

        return cls.of(
            columns,
            [chosen(columns.totals(process)) for process in processes],
            [
                [chosen(columns.products(one, other)) for other in processes[:i]]
                for i, one in enumerate(processes, 1)
            ],
            window=max(process.window for process in processes),
            last_day=last_day,
        )

    @classmethod
    def of(
        cls,
        columns: Columns,
        sums: Sequence[Rows],
        products: Sequence[Sequence[Rows]],
        *,
        window: int,
        last_day: int | None,
    ) -> "_Path":
        """Begin before the first day."""
        width, height = window + 1, columns.days.size
        below = height * len(sums)
        parts = [(rows, i * height + rows.cohort) for i, rows in enumerate(sums)]
        parts += [
            (rows, below + i * width + rows.other_lag)
            for i, rows in enumerate(chain.from_iterable(products))
        ]
        seen_on = np.concatenate([columns.seen_on(rows) for rows, _ in parts])
        place = np.concatenate([line * width + rows.lag for rows, line in parts])
        value = np.concatenate([rows.value.astype(np.float64) for rows, _ in parts])
        order = _order(seen_on)
        pairs = len(parts) - len(sums)
        return cls(
            columns=columns,
            window=window,
            last_day=last_day,
            sums=sums,
            products=products,
            seen_on=seen_on[order],
            place=place[order],
            value=value[order],
            pair=_pairs(len(sums)),
            table=np.zeros((below + pairs * width) * width),
        )

    def on(self, day: int) -> Means | NotEstimable:
        """Return the means at the end of a day; fastest where days ascend.

        A visitor followed to lag F brought Z = sum_d Y(d) / N_d over the lags d <= F,
        N_d visitors having been followed to d, and was expected to bring
        m = sum_d T(d) / N_d^2, T(d) being what those visitors brought at d. The
        influence on the mean is N (Z - m), and with the sums over each cohort e

            sum (Z - m) (Z' - m') = sum Z Z' - sum_e (Z_e m' + m Z_e' - n_e m m')
        """
        days, sizes = self.columns.days, self.columns.sizes
        known = follow_up(
            days,
            sizes,
            window=self.window,
            as_of=day,
            last_day=day if self.last_day is None else self.last_day,
        )
        if isinstance(known, NotEstimable):
            return known
        if known.visitors < 2:
            return NotEstimable(Reason.TOO_FEW_VISITORS)
        table, weight = self._until(day), 1 / known.followed
        below = days.size * len(self.sums)
        weighted = table @ weight
        brought = weighted[:below].reshape(-1, days.size)[:, : known.cohorts]
        squares = (weighted[below:].reshape(-1, weight.size) @ weight)[self.pair]
        totals = table[:below].reshape(-1, days.size, weight.size).sum(axis=1)
        followed = np.minimum(day - days[: known.cohorts], self.window)
        expected = (totals * weight**2).cumsum(axis=1)[:, followed]
        crossed = brought @ expected.T
        spread = (
            squares
            - (crossed + crossed.T)
            + (expected * sizes[: known.cohorts]) @ expected.T
        )
        lower = spread.tolist()
        is_close = (spread.diagonal() < CANCELLED * squares.diagonal()).any()
        if is_close or known.is_mature:
            lower = exact_spread(self.columns, known, self.sums, self.products)
        scale = known.visitors / (known.visitors - 1)
        # Whole numbers are added before they are divided: a plain mean is exact.
        by_group = np.add.reduceat(totals, known.starts, axis=1)
        return Means.from_lower(
            visitors=known.visitors,
            means=(by_group / known.followed[known.starts]).sum(axis=1).tolist(),
            lower=[[scale * covariance for covariance in row] for row in lower],
            is_mature=known.is_mature,
        )

    def _until(self, day: int) -> Matrix:
        """Add what was seen until a day, and return the table."""
        end = int(np.searchsorted(self.seen_on, day, side="right"))
        if end < self.added:
            self.table[:], self.added = 0, 0
        new = slice(self.added, end)
        np.add.at(self.table, self.place[new], self.value[new])
        self.added = end
        return self.table.reshape(-1, self.window + 1)


def _pairs(number: int) -> Whole:
    """Return where in the lower triangle, row by row, a pair of so many stands."""
    one = np.arange(number)
    larger, smaller = np.maximum.outer(one, one), np.minimum.outer(one, one)
    place: Whole = larger * (larger + 1) // 2 + smaller
    return place


def _order(days: Whole) -> Whole:
    """Sort stably: numbers of few bits are sorted in time proportional to them."""
    since = days - days.min(initial=0)
    return np.argsort(
        since.astype(np.min_scalar_type(since.max(initial=0))), kind="stable"
    )
