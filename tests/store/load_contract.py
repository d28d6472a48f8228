"""Loading is recording many events, with a bookmark in the same transaction."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abtest.domain.events import Event
from abtest.domain.experiment import Experiment, ExperimentKey
from abtest.errors import AbtestError, ErrorCode
from abtest.store.protocol import Bookmark, Difference, Store
from tests.store.builders import (
    HOME,
    NOW,
    conversion,
    exposure,
    home,
    identity,
    trial,
)
from tests.store.event_sets import event_sets, sendings
from tests.store.set_contract import PLANS, FreshStore, agrees

FIRST, SECOND = (Bookmark(name="place", value=value) for value in ("1", "2"))


class LoadContract:
    """What `record` promises, in any mixture with it."""

    def test_load_says_which_events_are_new(self, store: Store) -> None:
        store.add_experiment(home())
        outcome = store.load(
            [exposure(1), exposure(2, "v2"), exposure(1)],
            received_at=NOW,
            bookmark=FIRST,
        )
        assert outcome.is_new == (True, True, False)
        again: list[Event] = [conversion(3), exposure(2, "v2")]
        outcome = store.load(again, received_at=NOW, bookmark=FIRST)
        assert outcome.is_new == (True, False)
        assert store.load([], received_at=NOW, bookmark=FIRST).is_new == ()

    def test_bookmark_is_put_and_taken_away(self, store: Store) -> None:
        store.add_experiment(home())
        for bookmark in (FIRST, SECOND, Bookmark(name="place", value=None)):
            store.load([exposure(1)], received_at=NOW, bookmark=bookmark)
            assert store.get_setting("place") == bookmark.value

    def test_nothing_of_a_refused_batch_is_stored(self, store: Store) -> None:
        store.add_experiment(home())
        store.load([exposure(1)], received_at=NOW, bookmark=FIRST)
        batch = [exposure(2, "v2"), exposure(3, experiment=ExperimentKey("none"))]
        with pytest.raises(AbtestError) as caught:
            store.load(batch, received_at=NOW, bookmark=SECOND)
        assert caught.value.code is ErrorCode.NOT_FOUND
        assert store.get_setting("place") == "1"
        assert sum(m.visitors for m in store.moments(HOME).values()) == 1

    def test_persons_joined_by_a_batch_are_judged_together(self, store: Store) -> None:
        store.add_experiment(home())
        before = [exposure(1), exposure(2, "v2", variant="b", hours=1)]
        joined = [identity(3, "v1", "c1"), identity(4, "v2", "c1")]
        store.load(before, received_at=NOW, bookmark=FIRST)
        store.load(joined, received_at=NOW, bookmark=SECOND)
        assert agrees(store, [*before, *joined], home())

    @settings(max_examples=150, deadline=None)
    @given(data=st.data(), plan=st.sampled_from(PLANS), events=event_sets())
    def test_any_loading_gives_the_same_sums(
        self,
        fresh_store: FreshStore,
        data: st.DataObject,
        plan: Experiment,
        events: list[Event],
    ) -> None:
        batches = data.draw(sendings(events))
        with fresh_store() as store:
            store.add_experiment(plan)
            store.add_experiment(trial())
            for batch in batches:
                if data.draw(st.booleans()):
                    store.load(batch, received_at=NOW, bookmark=FIRST)
                else:
                    store.record(batch, received_at=NOW)
            assert agrees(store, events, plan, trial())
            assert not any(isinstance(step, Difference) for step in store.verify())
