"""What is derived is a function of the set of events, in every store."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from hypothesis import given, settings
from hypothesis import strategies as st

from abtest.domain.events import Event
from abtest.domain.experiment import Experiment
from abtest.domain.funnel import ConversionGoal, Repeat
from abtest.store.protocol import Difference, Store
from tests.store.builders import BUY, NOW, home, trial
from tests.store.event_sets import event_sets, sendings
from tests.store.reference import (
    expected_facts,
    expected_moments,
)

FreshStore = Callable[[], AbstractContextManager[Store]]
"""Opens a new and empty store."""

PLANS = (
    home(),
    home(covariate="orders"),
    home(
        order_cap=10_000,
        goal=ConversionGoal(
            first=BUY, second=Repeat(step=BUY, ordinal=3, min_gap_hours=24)
        ),
    ),
)


def agrees(store: Store, events: list[Event], *experiments: Experiment) -> bool:
    """Whether the store says of the events what the reference says."""
    return all(
        store.moments(e.key) == expected_moments(events, e)
        and store.facts(e.key) == expected_facts(events, e)
        for e in experiments
    )


class SetContract:
    """Order, repetition and split of the same events mean nothing."""

    @settings(max_examples=150, deadline=None)
    @given(data=st.data(), plan=st.sampled_from(PLANS), events=event_sets())
    def test_any_sending_gives_the_same_sums(
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
                store.record(batch, received_at=NOW)
            assert agrees(store, events, plan, trial())
            assert not any(isinstance(step, Difference) for step in store.verify())
            for _ in store.rebuild():
                pass
            assert agrees(store, events, plan, trial())

    @settings(max_examples=40, deadline=None)
    @given(before=st.sampled_from(PLANS), events=event_sets())
    def test_a_plan_changed_later_gives_the_same_sums(
        self, fresh_store: FreshStore, before: Experiment, events: list[Event]
    ) -> None:
        changed = home(
            version=2,
            time_zone="America/Sao_Paulo",
            goal=PLANS[2].goal,
            covariate="orders",
        )
        with fresh_store() as store:
            store.add_experiment(before)
            store.add_experiment(trial())
            store.record(events, received_at=NOW)
            store.replace_experiment(changed)
            assert agrees(store, events, changed, trial())
            assert not any(isinstance(step, Difference) for step in store.verify())
