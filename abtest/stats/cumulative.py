"""Means of what visitors bring within a window, when not all were followed for it.

The mean cumulative function: at each lag the sum is divided by the visitors who have
been followed that far. Its variance is that of the visitors' influence functions,
computed from sums in whole numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

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
    """Estimate the means of processes within their windows.

    References:
        Nelson: Recurrent events data analysis (2003), ch. 4,
        https://doi.org/10.1137/1.9780898718454 (the mean cumulative function)
        Lawless and Nadeau, https://doi.org/10.1080/00401706.1995.10484300 (its
        variance without a model)
    """
    window = max(process.window for process in processes)
    known = follow_up(
        columns.days, columns.sizes, window=window, as_of=as_of, last_day=last_day
    )
    if isinstance(known, NotEstimable):
        return known
    sums = [sums_by_follow_up(known, columns.totals(p)) for p in processes]
    remembered = columns.covariances

    def covariance(i: int, k: int) -> float:
        question = (processes[i], processes[k], window, as_of, last_day)
        if question not in remembered:
            products = columns.products(processes[i], processes[k])
            remembered[question] = _covariance(known, sums[i], sums[k], products)
        return remembered[question]

    return _means(known, sums, covariance)


def estimate_step_mean(
    columns: Columns, step: str, *, window: int, as_of: int
) -> Means | NotEstimable:
    """Estimate which share of the visitors reaches a funnel step within the window."""
    known = follow_up(
        columns.days, columns.sizes, window=window, as_of=as_of, last_day=as_of
    )
    if isinstance(known, NotEstimable):
        return known
    rows = columns.reached(step, window=window)
    sums = sums_by_follow_up(known, rows)
    return _means(known, [sums], lambda _i, _k: _covariance(known, sums, sums, rows))


def _means(
    known: FollowUp, sums: Sequence[Whole], covariance: Callable[[int, int], float]
) -> Means | NotEstimable:
    """Estimate from each process's sums and the covariance of any two."""
    if known.visitors < 2:
        return NotEstimable(Reason.TOO_FEW_VISITORS)
    n = known.followed[known.starts].astype(np.float64)
    totals = [_by_group(s.diagonal(), known.starts).astype(np.float64) for s in sums]
    return Means.from_lower(
        visitors=known.visitors,
        means=[float((total / n).sum()) for total in totals],
        lower=[[covariance(i, k) for k in range(i + 1)] for i in range(len(sums))],
        is_mature=known.is_mature,
    )


def sums_by_follow_up(known: FollowUp, rows: Rows) -> Whole:
    """Return the sum at a lag (row) over visitors followed to a lag (column)."""
    seen = known.visible(rows)
    lags = known.reach.size
    by_cohort: Whole = np.zeros((known.cohorts, lags), seen.value.dtype)
    by_cohort[seen.cohort, seen.lag] = seen.value
    running: Whole = by_cohort.cumsum(axis=0)[known.reach - 1].T
    return running


def _covariance(known: FollowUp, one: Whole, other: Whole, products: Rows) -> float:
    """Return the covariance of two means.

    A visitor's influence is sum_d (N / N_d) (Y(d) - T(d) / N_d) over the lags d up to
    which the visitor was followed, N_d visitors being followed that far and T(d) their
    sum. The products of two such sums, added over visitors, are for the lags d <= D

        N^2 / (N_d N_D) (X(d, D) - T(D) S(d, D) / N_D)

    where X is the sum of products and S(d, D) that at lag d over the N_D visitors.
    N_D X - T S is a whole number, and stays one when it is added up over lags with
    the same N_d: no digit is lost, however large the mean is beside the spread.
    """
    products = known.visible(products)
    kind = exact_type(
        known.visitors * absolute(products.value).sum(),
        (1 + absolute(one).max(axis=1).sum()) * (1 + absolute(other).max(axis=1).sum()),
    )
    one, other = one.astype(kind), other.astype(kind)
    product: Whole = np.zeros(one.shape, kind)
    np.add.at(product, (products.lag, products.other_lag), products.value.astype(kind))
    lags = np.arange(len(one))
    later = np.maximum.outer(lags, lags)
    expected = np.where(
        later == lags, one * other.diagonal(), (other * one.diagonal()).T
    )
    whole: Whole = known.followed.astype(kind)[later] * product - expected
    grouped = _by_group(_by_group(whole, known.starts).T, known.starts).T
    n = known.followed[known.starts].astype(np.float64)
    weights = np.multiply.outer(n, n) * np.minimum.outer(n, n)
    total = float((grouped.astype(np.float64) / weights).sum())
    return total * known.visitors / (known.visitors - 1)


def _by_group(values: Whole, starts: Whole) -> Whole:
    """Add up the rows of each group."""
    summed: Whole = np.add.reduceat(values, starts, axis=0)
    return summed
