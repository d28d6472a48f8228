"""Covariances of means in whole numbers, for visitors who are nearly all alike."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from abtest.stats.columns import Columns, Rows, Whole, absolute, exact_type
from abtest.stats.follow_up import FollowUp


def exact_spread(
    columns: Columns,
    known: FollowUp,
    sums: Sequence[Rows],
    products: Sequence[Sequence[Rows]],
) -> list[list[float]]:
    """Return what `cumulative` takes from floats, with no digit lost.

    A visitor's influence is sum_d N (Y(d) - T(d) / N_d) / N_d over the lags d up to
    which the visitor was followed, N_d visitors being followed that far and T(d) their
    sum. The products of two such sums, added over visitors, are for the lags d <= D

        N^2 / (N_d N_D) (X(d, D) - T(D) S(d, D) / N_D)

    where X is the sum of products and S(d, D) that at lag d over the N_D visitors.
    Lags with the same N_d are added up first. N_D X - T S is then a whole number,
    however large the mean is beside the spread.

    Args:
        columns: one variant.
        known: who has been followed how far.
        sums: of each process.
        products: of the lower triangle of pairs of processes.

    Returns:
        The lower triangle, divided by N^2.
    """
    if known.is_mature:
        return _plain_spread(known, sums, products)
    window = known.followed.size - 1
    totals = [
        _sums_by_group(known, running_sums(columns, known.visible(rows), window))
        for rows in sums
    ]
    bounds = [1 + absolute(total).max(axis=1).sum() for total in totals]
    followed = known.followed[known.starts]
    fewer = np.minimum.outer(followed, followed)
    n = followed.astype(np.float64)
    weights = np.multiply.outer(n, n) * fewer
    return [
        [
            float(
                (
                    _whole_spread(
                        known,
                        totals[i],
                        totals[k],
                        known.visible(rows),
                        fewer,
                        taken=bounds[i] * bounds[k],
                    )
                    / weights
                ).sum()
            )
            for k, rows in enumerate(row)
        ]
        for i, row in enumerate(products)
    ]


def _plain_spread(
    known: FollowUp, sums: Sequence[Rows], products: Sequence[Sequence[Rows]]
) -> list[list[float]]:
    """Do it where all have been followed: (N X - T T') / N^3, over all lags."""

    def total(rows: Rows) -> int:
        return int(rows.chosen(rows.cohort < known.cohorts).value.sum())

    n, totals = known.visitors, [total(rows) for rows in sums]
    return [
        [(n * total(rows) - totals[i] * totals[k]) / n**3 for k, rows in enumerate(row)]
        for i, row in enumerate(products)
    ]


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
    summed: Whole = np.add.reduceat(by_lag.T, known.starts, axis=0)
    return np.triu(summed)


def _whole_spread(
    known: FollowUp,
    one: Whole,
    other: Whole,
    products: Rows,
    fewer: Whole,
    *,
    taken: float,
) -> NDArray[np.float64]:
    """Return N_D X - T S for any two groups of lags.

    Args:
        known: who has been followed how far.
        one: sums by group, of one process.
        other: the same of the other.
        products: of both.
        fewer: N_D of any two groups.
        taken: bound of any sum of T S.
    """
    added = known.visitors * float(absolute(products.value).sum())
    kind = exact_type(added, taken)
    one, other, fewer = (t.astype(kind, copy=False) for t in (one, other, fewer))
    # Both are zero below their diagonals, on which T T stands in each of them.
    expected: Whole = one * other.diagonal() + (other * one.diagonal()).T
    np.fill_diagonal(expected, one.diagonal() * other.diagonal())
    product: Whole = np.zeros(fewer.shape, kind)
    groups = known.grouped(products.lag), known.grouped(products.other_lag)
    np.add.at(product, groups, products.value.astype(kind))
    whole: Whole = fewer * product - expected
    return whole.astype(np.float64)
