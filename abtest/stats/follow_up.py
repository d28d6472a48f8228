"""How many visitors have been followed how far, on one day."""

from dataclasses import dataclass

import numpy as np

from abtest.stats.columns import Rows, Whole
from abtest.stats.results import NotEstimable, Reason


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
    starts = np.append(0, 1 + np.flatnonzero(followed[1:] < followed[:-1]))
    return FollowUp(cohorts=cohorts, reach=reach, followed=followed, starts=starts)
