"""What every store must do with counts of what came in."""

import pytest

from abtest.domain.experiment import ExperimentKey
from abtest.domain.quality import QualityKind, QualityMark
from abtest.errors import AbtestError, ErrorCode
from abtest.store.protocol import Store
from tests.store.builders import BUY, HOME, NOW, conversion, exposure, home
from tests.store.contract import NewStore

DAY = 20_605
LATE = QualityMark(kind=QualityKind.LATE)
LATE_AT_HOME = QualityMark(kind=QualityKind.LATE, experiment=HOME)
UNKNOWN_STEP = QualityMark(kind=QualityKind.REJECTED, code="unknown_step")
NOW_DAY = int(NOW.timestamp()) // 86_400


def unassigned(store: Store, key: ExperimentKey | None) -> int:
    mark = QualityMark(kind=QualityKind.UNASSIGNED, experiment=key)
    return store.read_tally(key, since=NOW_DAY).get(NOW_DAY, {}).get(mark, 0)


class TallyContract:
    """Counts by day."""

    def test_counts_add_up_by_day(self, store: Store) -> None:
        store.tally(DAY, {LATE: 2, UNKNOWN_STEP: 1})
        store.tally(DAY, {LATE: 1})
        store.tally(DAY + 1, {LATE: 5})
        assert store.read_tally(None, since=DAY) == {
            DAY: {LATE: 3, UNKNOWN_STEP: 1},
            DAY + 1: {LATE: 5},
        }
        assert store.read_tally(None, since=DAY + 1) == {DAY + 1: {LATE: 5}}

    def test_each_experiment_has_its_own(self, store: Store) -> None:
        store.add_experiment(home())
        store.tally(DAY, {LATE: 1, LATE_AT_HOME: 4})
        assert store.read_tally(HOME, since=DAY) == {DAY: {LATE_AT_HOME: 4}}
        assert store.read_tally(None, since=DAY) == {DAY: {LATE: 1}}
        with pytest.raises(AbtestError) as error:
            store.read_tally(ExperimentKey("unknown"), since=DAY)
        assert error.value.code is ErrorCode.NOT_FOUND

    def test_closing_stores_them(self, new_stores: NewStore) -> None:
        for _ in range(2):
            with new_stores() as store:
                store.tally(DAY, {LATE: 2})
        with new_stores() as store:
            assert store.read_tally(None, since=DAY) == {DAY: {LATE: 4}}

    def test_conversions_of_nobody_in_an_experiment_are_counted(
        self, store: Store
    ) -> None:
        store.add_experiment(home())
        store.record([exposure(1, "v1")], received_at=NOW)
        store.record([conversion(2, "v1", step=BUY)], received_at=NOW)
        assert unassigned(store, None) == 0
        for _ in range(2):  # a repeat is no new conversion
            store.record(
                [conversion(3, "v2", step=BUY), conversion(4, "v3", step=BUY)],
                received_at=NOW,
            )
        assert unassigned(store, None) == 2
        assert unassigned(store, HOME) == 2
