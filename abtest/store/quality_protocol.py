"""What every store promises about counts of what came in."""

from collections.abc import Mapping
from typing import Protocol

from abtest.domain.experiment import ExperimentKey
from abtest.domain.quality import QualityMark


class QualityStore(Protocol):
    """Counts by UTC day, in days since 1970-01-01.

    They are no part of any report, and nothing is derived from them.
    """

    def tally(self, day: int, counts: Mapping[QualityMark, int]) -> None:
        """Add to the counts of the day; never fails and never waits for a disk.

        Within about a second they are stored, in the order of the store's choice; a
        crash may lose that second, and a full disk keeps them in memory.
        """
        ...

    def read_tally(
        self, key: ExperimentKey | None, *, since: int
    ) -> Mapping[int, Mapping[QualityMark, int]]:
        """Return the counts of each day from `since` on; `not_found`.

        What was counted by this store object is included, stored or not.

        Args:
            key: None for the counts of the installation.
        """
        ...
