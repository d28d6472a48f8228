"""What is derived is a function of the set of events, in every store."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from hypothesis import given, settings
from hypothesis import strategies as st

from abtest.domain.events import Event
from abtest.domain.experiment import Experiment, VariantKey
from abtest.domain.funnel import ConversionGoal, Repeat
from abtest.stats.moments import Moments
from abtest.store.protocol import Difference, Store
from tests.store.builders import BUY, NOW, conversion, exposure, home, trial
from tests.store.event_sets import event_sets, sendings
from tests.store.reference import (
    expected_activity,
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


FIRST_DAY = 20_454
"""2026-01-01."""


def agrees(store: Store, events: list[Event], *experiments: Experiment) -> bool:
    """Whether the store says of the events what the reference says."""
    return all(
        store.moments(e.key) == expected_moments(events, e)
        and store.facts(e.key) == expected_facts(events, e)
        and _activity(store, e) == expected_activity(events, e)
        for e in experiments
    )


def _activity(store: Store, experiment: Experiment) -> dict[int, tuple[int, int]]:
    """Return what is told of days on which somebody came or converted."""
    days = store.activity(experiment.key)
    assert [d.day for d in days] == sorted({d.day for d in days})
    assert store.activities()[experiment.key] == days
    return {
        d.day: (d.exposures, d.conversions)
        for d in days
        if d.exposures or d.conversions
    }


def _stamps(store: Store, experiment: Experiment) -> dict[int, int]:
    """Return the stamp of each day around the events."""
    days = store.activity(experiment.key)
    return {
        until: sum(d.changes for d in days if d.day <= until)
        for until in range(FIRST_DAY - 1, FIRST_DAY + 40)
    }


def _until(
    moments: Mapping[VariantKey, Moments], day: int
) -> dict[VariantKey, Moments]:
    cut = {variant: m.until(day) for variant, m in moments.items()}
    return {variant: m for variant, m in cut.items() if m != Moments()}


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

    @settings(max_examples=60, deadline=None)
    @given(data=st.data(), plan=st.sampled_from(PLANS), events=event_sets())
    def test_an_equal_stamp_means_equal_sums(
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
            known, stamps = store.moments(plan.key), _stamps(store, plan)
            for batch in batches:
                store.record(batch, received_at=NOW)
                before, earlier = known, stamps
                known, stamps = store.moments(plan.key), _stamps(store, plan)
                for day, stamp in stamps.items():
                    same = _until(before, day) == _until(known, day)
                    assert same or stamp > earlier[day]

    def test_a_rebuild_and_a_changed_plan_change_the_stamp(
        self, fresh_store: FreshStore
    ) -> None:
        with fresh_store() as store:
            store.add_experiment(home())
            store.record([exposure(1), conversion(2, hours=30)], received_at=NOW)
            stamps = [_stamps(store, home())]
            for _ in store.rebuild():
                pass
            stamps.append(_stamps(store, home()))
            store.replace_experiment(home(version=2, goal=PLANS[2].goal))
            assert store.get_experiment(home().key).version == 2
            for day in range(FIRST_DAY, FIRST_DAY + 5):
                assert len({found[day] for found in stamps}) == len(stamps)

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
