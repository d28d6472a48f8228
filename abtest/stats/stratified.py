"""The estimate within exposure days, for a traffic split that changed on the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from abtest.stats.columns import Columns, Process, Rows, Whole, absolute, exact_type
from abtest.stats.cumulative import FollowUp, Means, follow_up
from abtest.stats.delayed import Measure, Window, processes
from abtest.stats.moments import Moments
from abtest.stats.results import JointEstimate, NotEstimable, Reason

Vector = NDArray[np.float64]

ROUNDING = 1e-13
"""A difference of two sums that is smaller than this part of them is none."""


def estimate_stratified(
    arms: Sequence[Moments],
    *,
    window: Window,
    as_of: int,
    measure: Measure,
    has_floor: bool = False,
) -> tuple[JointEstimate | NotEstimable, ...]:
    """Estimate all arms with the same weight for each exposure day.

    When the split changes while the visitors change too, the arms' visitors come from
    different days, and so differ without any effect. Here each day counts in every arm
    with the visitors that ALL arms had on it; a day of which one arm has no visitors
    is left out of all. An arm without any visitors does not count as one.

    A tenth of the traffic on the first days may have brought no late conversion by mere
    chance. Its estimate is too low then, and so is its variance, and "worse" is said
    too often: for tests and intervals the variance needs a floor.

    Args:
        arms: one for each variant.
        window: days that count.
        as_of: last complete day.
        measure: counts, or amounts in minor units.
        has_floor: until all have been followed, an arm's variance is that which all
            arms' visitors of a day have in common where this is larger (measured by the
            second conversions).

    Returns:
        For each arm the estimate (never `is_mature`: it is no plain mean), or the
        reasons of `delayed.estimate`, or NO_CONTROL_DAYS when the arms share no day.
    """
    wanted = processes(window, measure)
    means = stratified_means(arms, wanted, as_of=as_of, has_floor=has_floor)
    return tuple(m if isinstance(m, NotEstimable) else m.joint() for m in means)


def stratified_means(
    arms: Sequence[Moments],
    wanted: Sequence[Process],
    *,
    as_of: int,
    has_floor: bool = False,
) -> tuple[Means | NotEstimable, ...]:
    """Estimate the means of processes day by day; see `estimate_stratified`.

    References:
        Cochran: Sampling techniques, 3rd edition (1977), section 5A.9
    """
    tables = [Columns.of(moments) for moments in arms]
    present = [table for table in tables if table.enrolled(as_of)]
    if not present:
        return tuple(NotEstimable(Reason.NO_VISITORS) for _ in arms)
    shared = reduce(np.intersect1d, [table.days for table in present])
    shared = shared[shared <= as_of]
    everybody = np.sum([_sizes(table, shared) for table in present], axis=0)
    known = follow_up(
        shared,
        everybody,
        window=max(process.window for process in wanted),
        as_of=as_of,
        last_day=as_of,
    )
    if not shared.size:
        known = NotEstimable(Reason.NO_CONTROL_DAYS)
    read = [
        _read_arm(table, wanted, shared, everybody, known)
        if table.enrolled(as_of)
        else NotEstimable(Reason.NO_VISITORS)
        for table in tables
    ]
    common = _common_spread([arm for arm in read if isinstance(arm, _ReadArm)])
    return tuple(
        arm if isinstance(arm, NotEstimable) else arm.means(common if has_floor else ())
        for arm in read
    )


def _read_arm(
    table: Columns,
    wanted: Sequence[Process],
    shared: Whole,
    everybody: Whole,
    known: FollowUp | NotEstimable,
) -> "_ReadArm | NotEstimable":
    """Add up one arm's visitors of the shared days."""
    if isinstance(known, NotEstimable):
        return known
    sizes = _sizes(table, shared)
    if sizes.sum() < 2:
        return NotEstimable(Reason.TOO_FEW_VISITORS)
    arm = _Arm(known=known, sizes=sizes, weights=everybody / sizes)
    sums = [arm.by_group(_moved(table, shared, table.totals(p))) for p in wanted]
    return _ReadArm(
        arm=arm,
        sums=sums,
        within=[
            [
                arm.within(
                    sums[i],
                    sums[k],
                    _moved(table, shared, table.products(wanted[i], wanted[k])),
                )
                for k in range(i + 1)
            ]
            for i in range(len(wanted))
        ],
    )


def _common_spread(arms: "Sequence[_ReadArm]") -> list[list[Vector]]:
    """Return the covariances of Z between visitors of a day, pooled over the arms."""
    if not arms:
        return []
    degrees = np.maximum(1, np.sum([arm.arm.sizes - 1 for arm in arms], axis=0))
    return [
        [
            np.sum([one.within[i][k] / one.arm.sizes for one in arms], axis=0) / degrees
            for k in range(i + 1)
        ]
        for i in range(len(arms[0].sums))
    ]


def _sizes(table: Columns, shared: Whole) -> Whole:
    """Return the arm's visitors on the shared days."""
    sizes: Whole = table.sizes[np.isin(table.days, shared)]
    return sizes


def _moved(table: Columns, shared: Whole, rows: Rows) -> Rows:
    """Return the rows of shared days, with their position among these."""
    days = table.days[rows.cohort]
    return Rows(
        cohort=np.searchsorted(shared, days),
        lag=rows.lag,
        other_lag=rows.other_lag,
        value=rows.value,
    ).chosen(np.isin(days, shared))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Arm:
    """One arm's visitors of the shared days.

    A visitor of day e counts (n_.e / n_e) Z, Z = sum_d Y(d) / M_d, where n_e visitors
    of this arm and n_.e of all arms came on that day, and M_d visitors of all arms
    have been followed to lag d. Lags with the same M_d form a group.

    Attributes:
        known: the follow-up of all arms together.
        sizes: n_e.
        weights: n_.e / n_e.
    """

    known: FollowUp
    sizes: Whole
    weights: Vector

    @property
    def _followed(self) -> Vector:
        """M of each group of lags."""
        return self.known.followed[self.known.starts].astype(np.float64)

    def by_group(self, rows: Rows) -> Whole:
        """Return the sums by day and group of lags."""
        seen = self.known.visible(rows)
        shape = (self.sizes.size, self.known.starts.size)
        sums: Whole = np.zeros(shape, seen.value.dtype)
        np.add.at(sums, (seen.cohort, self.known.grouped(seen.lag)), seen.value)
        return sums

    def brought(self, sums: Whole) -> Vector:
        """Return the sum of Z over each day's visitors."""
        brought: Vector = (sums.astype(np.float64) / self._followed).sum(axis=1)
        return brought

    def covariance(self, one: Whole, other: Whole, within: Vector) -> float:
        """Return the covariance of two means: day by day n_e times that of Z.

        A day with one visitor has no variance of its own: what this visitor is away
        from the average of all days, squared, stands in for it.
        """
        several = self.sizes > 1
        apart = [(self.brought(s) - self._usual(s))[~several] for s in (one, other)]
        weights = self.weights**2
        return float(
            (weights[several] * within[several] / (self.sizes[several] - 1)).sum()
            + (weights[~several] * apart[0] * apart[1]).sum()
        )

    def _usual(self, sums: Whole) -> Vector:
        """Return what a visitor with each day's follow-up brings on average."""
        by_group = self.weights @ sums.astype(np.float64) / self._followed**2
        reach = self.known.reach[self.known.starts]
        groups = (reach > np.arange(self.sizes.size)[:, None]).sum(axis=1)
        usual: Vector = by_group.cumsum()[groups - 1]
        return usual

    def within(self, one: Whole, other: Whole, products: Rows) -> Vector:
        """Return n_e sum Z Z' - sum Z sum Z' of each day.

        Within a group this is a whole number over M squared, and no digit is lost.
        """
        seen = self.known.visible(products)
        group, other_group = (
            self.known.grouped(lag) for lag in (seen.lag, seen.other_lag)
        )
        near = group == other_group
        kind = exact_type(
            self.sizes.max() * absolute(seen.value).sum(),
            (1 + absolute(one).sum()) * (1 + absolute(other).sum()),
        )
        product: Whole = np.zeros(one.shape, kind)
        np.add.at(
            product, (seen.cohort[near], group[near]), seen.value[near].astype(kind)
        )
        expected: Whole = one.astype(kind) * other.astype(kind)
        spread: Whole = self.sizes.astype(kind)[:, None] * product - expected
        exact = (spread.astype(np.float64) / self._followed**2).sum(axis=1)
        far = seen.chosen(~near)
        weight = 1 / (self._followed[group] * self._followed[other_group])[~near]
        joint = self.sizes * np.bincount(
            far.cohort, far.value.astype(np.float64) * weight, self.sizes.size
        )
        own = (expected.astype(np.float64) / self._followed**2).sum(axis=1)
        product_of_sums = self.brought(one) * self.brought(other) - own
        rest = joint - product_of_sums
        rest[np.abs(rest) < ROUNDING * (np.abs(joint) + np.abs(product_of_sums))] = 0
        within: Vector = exact + rest
        return within


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _ReadArm:
    """An arm with what its visitors of the shared days brought.

    Attributes:
        sums: by process; days x groups of lags.
        within: by the lower triangle of pairs of processes; n_e sum Z Z' - sum Z sum Z'
            of each day.
    """

    arm: _Arm
    sums: Sequence[Whole]
    within: Sequence[Sequence[Vector]]

    def means(self, floor: Sequence[Sequence[Vector]]) -> Means:
        """Return the estimates.

        Args:
            floor: covariances of Z that all arms share, day by day; they take the
                place of the arm's own where they give the second process a larger
                variance, and nowhere if there are none.
        """
        arm = self.arm
        lower = [
            [
                arm.covariance(self.sums[i], self.sums[k], within)
                for k, within in enumerate(row)
            ]
            for i, row in enumerate(self.within)
        ]
        if floor and not arm.known.is_mature:
            weights = arm.weights**2 * arm.sizes
            shared = [[float(weights @ spread) for spread in row] for row in floor]
            lower = max(lower, shared, key=lambda found: found[1][1])
        return Means.from_lower(
            visitors=int(arm.sizes.sum()),
            means=[float(arm.weights @ arm.brought(total)) for total in self.sums],
            lower=lower,
            is_mature=False,
        )
