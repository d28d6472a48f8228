"""The estimate within exposure days, for a traffic split that changed on the way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from abtest.stats.columns import Columns, Process, Rows, Whole, absolute, exact_type
from abtest.stats.cumulative import Means
from abtest.stats.delayed import Measure, Window, processes
from abtest.stats.follow_up import FollowUp, follow_up
from abtest.stats.moments import Moments
from abtest.stats.results import JointEstimate, NotEstimable, Reason

Vector = NDArray[np.float64]

ROUNDING = 1e-13
"""A difference of sums that is smaller than this part of them is none."""


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
    days = reduce(np.intersect1d, [table.days for table in present])
    everybody = np.sum([_sizes(table, days) for table in present], axis=0)
    known = follow_up(
        days,
        everybody,
        window=max(process.window for process in wanted),
        as_of=as_of,
        last_day=as_of,
    )
    if not (days <= as_of).any():
        known = NotEstimable(Reason.NO_CONTROL_DAYS)
    if isinstance(known, NotEstimable):
        nobody = NotEstimable(Reason.NO_VISITORS)
        return tuple(known if table.enrolled(as_of) else nobody for table in tables)
    seen = _Seen.of(known, days, everybody, as_of)
    read = [
        _read_arm(_Arm.of(table, wanted, days, known.followed.size), seen)
        if table.enrolled(as_of)
        else NotEstimable(Reason.NO_VISITORS)
        for table in tables
    ]
    common = _common_spread([arm for arm in read if isinstance(arm, _ReadArm)])
    return tuple(
        arm if isinstance(arm, NotEstimable) else arm.means(common if has_floor else ())
        for arm in read
    )


def _sizes(table: Columns, days: Whole) -> Whole:
    """Return the arm's visitors on days on which it has some."""
    sizes: Whole = table.sizes[np.searchsorted(table.days, days)]
    return sizes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Seen:
    """What has been seen of the shared days at the end of one day.

    Attributes:
        known: the follow-up of all arms together.
        everybody: visitors of all arms on each day, 0 on those to come.
        weight: days x lags, 1 / M with M visitors of all arms followed to that lag, 0
            where nothing has been seen.
        followed: the last lag that has been seen of each day.
    """

    known: FollowUp
    everybody: Whole
    weight: Vector
    followed: Whole

    @classmethod
    def of(cls, known: FollowUp, days: Whole, everybody: Whole, as_of: int) -> "_Seen":
        """Look at the shared days at the end of one day."""
        lag = np.arange(known.followed.size)
        is_seen = np.add.outer(days, lag) <= as_of
        return cls(
            known=known,
            everybody=np.where(days <= as_of, everybody, 0),
            weight=np.where(is_seen, 1 / known.followed, 0.0),
            followed=np.clip(as_of - days, 0, lag[-1]),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Arm:
    """One arm's visitors of the days that the arms share, whatever has been seen.

    Attributes:
        sizes: n, visitors of each day.
        sums: processes x days x lags, the sums S.
        spread: pairs of processes x days x lags, n X - S S' with the products X of the
            same lag: a whole number, no digit of which is lost.
        taken: the same for S S' alone.
        crossed: of each pair, the products of different lags.
    """

    sizes: Whole
    sums: Vector
    spread: Vector
    taken: Vector
    crossed: Sequence[Rows]

    @classmethod
    def of(
        cls, table: Columns, wanted: Sequence[Process], days: Whole, lags: int
    ) -> "_Arm":
        """Read the arm, or return what was read of it before."""
        asked = tuple(wanted), days.tobytes()
        arm = table.answers.get(asked)
        if not isinstance(arm, cls):
            arm = table.answers[asked] = cls._read(table, wanted, days, lags)
        return arm

    @classmethod
    def _read(
        cls, table: Columns, wanted: Sequence[Process], days: Whole, lags: int
    ) -> "_Arm":
        sizes = _sizes(table, days)
        shape = (days.size, lags)
        sums = [_by_lag(_moved(table, days, table.totals(p)), shape) for p in wanted]
        spread, taken, crossed = [], [], []
        for i, one in enumerate(wanted):
            for k, other in enumerate(wanted[: i + 1]):
                rows = _moved(table, days, table.products(one, other))
                product = _by_lag(rows.chosen(rows.lag == rows.other_lag), shape)
                kind = exact_type(
                    sizes.max(initial=0) * absolute(product).max(initial=0.0),
                    (1 + absolute(sums[i]).max(initial=0.0))
                    * (1 + absolute(sums[k]).max(initial=0.0)),
                )
                squares: Whole = sums[i].astype(kind) * sums[k].astype(kind)
                whole: Whole = (
                    sizes.astype(kind)[:, None] * product.astype(kind) - squares
                )
                spread.append(whole.astype(np.float64))
                taken.append(squares.astype(np.float64))
                crossed.append(rows.chosen(rows.lag != rows.other_lag))
        return cls(
            sizes=sizes,
            sums=np.array([table.astype(np.float64) for table in sums]),
            spread=np.array(spread),
            taken=np.array(taken),
            crossed=crossed,
        )

    def within(self, weight: Vector, brought: Vector) -> list[list[Vector]]:
        """Return n sum Z Z' - sum Z sum Z' of each day, for the triangle of pairs.

        Args:
            weight: days x lags.
            brought: sum of Z, processes x days.
        """
        squared = weight**2
        exact = np.einsum("pdl,dl->pd", self.spread, squared)
        own = np.einsum("pdl,dl->pd", self.taken, squared)
        found: list[list[Vector]] = []
        for i, one in enumerate(brought):
            found.append([])
            for k, other in enumerate(brought[: i + 1]):
                pair = i * (i + 1) // 2 + k
                joint = self.sizes * _joint(self.crossed[pair], weight)
                apart = one * other - own[pair]
                most = np.abs(joint) + np.abs(apart)
                rest = _without_noise(joint - apart, most)
                most += np.abs(exact[pair])
                found[-1].append(_without_noise(exact[pair] + rest, most))
        return found


def _joint(rows: Rows, weight: Vector) -> Vector:
    """Return the sum of products of each day, each lag with its weight."""
    weights = weight[rows.cohort, rows.lag] * weight[rows.cohort, rows.other_lag]
    value = rows.value.astype(np.float64)
    sums = np.bincount(rows.cohort, value * weights, len(weight))
    return np.asarray(sums, np.float64)


def _without_noise(differences: Vector, most: Vector) -> Vector:
    """Take for nothing what rounding may have left of differences of so much."""
    return np.where(np.abs(differences) < ROUNDING * most, 0.0, differences)


def _moved(table: Columns, days: Whole, rows: Rows) -> Rows:
    """Return the rows of some days, with their position among these."""
    place = np.full(table.days.size, -1)
    place[np.searchsorted(table.days, days)] = np.arange(days.size)
    return replace(rows, cohort=place[rows.cohort]).chosen(place[rows.cohort] >= 0)


def _by_lag(rows: Rows, shape: tuple[int, int]) -> Whole:
    """Return the sums by day and lag."""
    sums: Whole = np.zeros(shape, rows.value.dtype)
    np.add.at(sums, (rows.cohort, rows.lag), rows.value)
    return sums


def _read_arm(arm: _Arm, seen: _Seen) -> "_ReadArm | NotEstimable":
    """Add up what has been seen of one arm's visitors of the shared days."""
    sizes = arm.sizes[: seen.known.cohorts]
    if sizes.sum() < 2:
        return NotEstimable(Reason.TOO_FEW_VISITORS)
    brought = np.einsum("pdl,dl->pd", arm.sums, seen.weight)
    return _ReadArm(
        arm=arm, seen=seen, brought=brought, within=arm.within(seen.weight, brought)
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
        for i in range(len(arms[0].within))
    ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _ReadArm:
    """An arm with what its visitors of the shared days have brought.

    A visitor of day e counts (n_.e / n_e) Z, Z = sum_d Y(d) / M_d, where n_e visitors
    of this arm and n_.e of all arms came on that day, and M_d visitors of all arms
    have been followed to lag d.

    Attributes:
        brought: sum of Z over each day's visitors, processes x days.
        within: by the lower triangle of pairs of processes; n_e sum Z Z' - sum Z sum Z'
            of each day.
    """

    arm: _Arm
    seen: _Seen
    brought: Vector
    within: Sequence[Sequence[Vector]]

    def means(self, floor: Sequence[Sequence[Vector]]) -> Means:
        """Return the estimates.

        Args:
            floor: covariances of Z that all arms share, day by day; they take the
                place of the arm's own where they give the second process a larger
                variance, and nowhere if there are none.
        """
        sizes = self.arm.sizes
        weights = self.seen.everybody / sizes
        # A day with one visitor has no variance of its own: what this visitor is away
        # from the average of all days, squared, stands in for it.
        several = sizes > 1
        apart = self._apart(weights)[:, ~several]
        shares = weights**2
        own = shares[several] / (sizes[several] - 1)
        lower = [
            [
                float(
                    (own * within[several]).sum()
                    + (shares[~several] * apart[i] * apart[k]).sum()
                )
                for k, within in enumerate(row)
            ]
            for i, row in enumerate(self.within)
        ]
        if floor and not self.seen.known.is_mature:
            common = [[float(shares * sizes @ one) for one in row] for row in floor]
            lower = max(lower, common, key=lambda found: found[1][1])
        return Means.from_lower(
            visitors=int(sizes[: self.seen.known.cohorts].sum()),
            means=(self.brought @ weights).tolist(),
            lower=lower,
            is_mature=False,
        )

    def _apart(self, weights: Vector) -> Vector:
        """Return how far each day is from what a visitor brings on average.

        On average over all days, with the follow-up of that day.
        """
        weight = self.seen.weight
        by_lag = np.einsum("pdl,dl->pl", self.arm.sums, weights[:, None] * weight)
        usual = (by_lag / self.seen.known.followed).cumsum(axis=1)
        apart: Vector = self.brought - usual[:, self.seen.followed]
        return apart
