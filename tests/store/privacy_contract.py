"""What every store must do when persons are shown, erased, exported and folded."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abtest.domain.events import Event, EventId
from abtest.domain.experiment import Experiment, Status, VisitorId
from abtest.domain.person import NameKind, PersonName
from abtest.errors import AbtestError, ErrorCode
from abtest.store.privacy_protocol import BEFORE_RETENTION, Erased, Retention
from abtest.store.protocol import Difference, Store
from tests.store.builders import (
    HOME,
    LEAD,
    NOW,
    TRIAL,
    after,
    conversion,
    cost,
    exposure,
    home,
    identity,
    refund,
    trial,
)
from tests.store.event_sets import event_sets
from tests.store.reference import expected_facts, expected_moments
from tests.store.set_contract import PLANS, agrees

FreshStore = Callable[[], AbstractContextManager[Store]]

LONG_AFTER = after(24 * 200)
"""When everybody of the short stories below was followed for every window."""

STORY: tuple[Event, ...] = (
    exposure(1, "phone"),
    exposure(2, "laptop", variant="b", hours=20),
    exposure(3, "phone", variant="c", experiment=TRIAL, hours=1),
    identity(4, "phone", "c1"),
    conversion(5, "laptop", customer="c1", hours=26, order="o1"),
    refund(6, "o1", hours=60, value=1000),
    exposure(7, "other"),
    conversion(8, "other", hours=5, order="o2"),
    conversion(9, "nobody", step=LEAD, value=None),
    cost(10),
)
OF_C1 = STORY[:6]
OF_OTHERS = STORY[6:]


def visitor(name: str) -> PersonName:
    return PersonName(kind=NameKind.VISITOR, name=name)


def customer(name: str) -> PersonName:
    return PersonName(kind=NameKind.CUSTOMER, name=name)


def is_sound(store: Store) -> bool:
    return not any(isinstance(step, Difference) for step in store.verify())


def filled(store: Store, *events: Event) -> Store:
    store.add_experiment(home())
    store.add_experiment(trial())
    store.record(events, received_at=NOW)
    return store


def end(store: Store, *experiments: Experiment) -> None:
    for experiment in experiments:
        store.replace_experiment(
            replace(experiment, status=Status.STOPPED, version=experiment.version + 1)
        )


def folded(store: Store, *, is_rehearsal: bool = False) -> tuple[int, int, int]:
    """Fold and return checked persons, folded visitors and events."""
    steps = list(store.fold(LONG_AFTER, is_rehearsal=is_rehearsal))
    return (
        sum(step.checked for step in steps),
        sum(step.visitors for step in steps),
        sum(step.events for step in steps),
    )


class PrivacyContract:
    """Persons shown, erased, exported and folded."""

    @pytest.mark.parametrize(
        "name", [visitor("phone"), visitor("laptop"), customer("c1")]
    )
    def test_a_person_is_found_by_every_name(
        self, store: Store, name: PersonName
    ) -> None:
        record = filled(store, *STORY).find_person(name)
        assert record is not None
        assert set(record.names) == {
            visitor("phone"),
            visitor("laptop"),
            customer("c1"),
        }
        in_time = sorted(OF_C1, key=lambda e: e.at)
        assert [told.event for told in record.events] == in_time
        assert {told.received_at for told in record.events} == {1_780_315_200_000}

    def test_nothing_is_told_of_a_stranger(self, store: Store) -> None:
        filled(store, *STORY)
        assert store.find_person(visitor("c1")) is None
        assert store.find_person(customer("phone")) is None
        assert store.erase_person(visitor("c1")) == Erased(persons=0, events=0)
        assert agrees(store, list(STORY), home(), trial())

    @pytest.mark.parametrize(
        "name", [visitor("phone"), visitor("laptop"), customer("c1")]
    )
    def test_an_erased_person_is_as_if_never_seen(
        self, store: Store, name: PersonName
    ) -> None:
        filled(store, *STORY)
        assert store.erase_person(name) == Erased(persons=1, events=6)
        assert agrees(store, list(OF_OTHERS), home(), trial())
        assert is_sound(store)
        for gone in (visitor("phone"), visitor("laptop"), customer("c1")):
            assert store.find_person(gone) is None
            assert store.erase_person(gone) == Erased(persons=0, events=0)
        assert store.find_exposures(VisitorId("phone")) == {}
        assert set(store.experiment_events(HOME)) == {STORY[6], STORY[7], STORY[9]}

    def test_everybody_may_go(self, store: Store) -> None:
        filled(store, *STORY)
        for name in ("phone", "other", "nobody"):
            assert store.erase_person(visitor(name)).persons == 1
        assert store.moments(HOME) == {}
        assert store.facts(HOME) == expected_facts([], home())
        assert is_sound(store)

    def test_somebody_elses_order_keeps_its_refund(self, store: Store) -> None:
        both = (
            exposure(1, "browser"),
            exposure(2, "till", variant="b"),
            conversion(3, "browser", order="o1"),
            conversion(4, "till", order="o1"),
            refund(5, "o1", value=700),
        )
        filled(store, *both)
        assert store.erase_person(visitor("browser")).events == 2
        left: list[Event] = [both[1], both[3], both[4]]
        assert agrees(store, left, home())
        assert store.erase_person(visitor("till")).events == 3
        assert agrees(store, [], home())

    def test_an_erased_visitor_who_returns_is_new(self, store: Store) -> None:
        filled(store, *STORY)
        store.erase_person(visitor("phone"))
        again = exposure(1, "phone", variant="b", hours=300)
        assert store.record([again], received_at=NOW).is_new == (True,)
        assert agrees(store, [*OF_OTHERS, again], home(), trial())

    def test_erasure_renews_what_processes_remember(self, store: Store) -> None:
        filled(store, *STORY)
        before = store.list_experiments()
        store.erase_person(visitor("phone"))
        after_it = store.list_experiments()
        assert after_it == before
        assert all(a is not b for a, b in zip(after_it, before, strict=True))

    @settings(max_examples=60, deadline=None)
    @given(data=st.data(), plan=st.sampled_from(PLANS), events=event_sets())
    def test_erasing_anybody_leaves_the_sums_of_the_others(
        self,
        fresh_store: FreshStore,
        data: st.DataObject,
        plan: Experiment,
        events: list[Event],
    ) -> None:
        with fresh_store() as store:
            store.add_experiment(plan)
            store.add_experiment(trial())
            store.record(events, received_at=NOW)
            name = data.draw(st.sampled_from(["v1", "v2", "v3"]))
            record = store.find_person(visitor(name))
            gone = {told.event.id for told in record.events} if record else set()
            kept_refunds = {e.id for e in _shared_refunds(events, gone)}
            store.erase_person(visitor(name))
            left = [e for e in events if e.id not in gone - kept_refunds]
            assert agrees(store, left, plan, trial())
            assert is_sound(store)

    @settings(max_examples=60, deadline=None)
    @given(plan=st.sampled_from(PLANS), events=event_sets())
    def test_exported_events_give_the_same_sums_elsewhere(
        self, fresh_store: FreshStore, plan: Experiment, events: list[Event]
    ) -> None:
        with fresh_store() as store, fresh_store() as elsewhere:
            store.add_experiment(plan)
            store.add_experiment(trial())
            store.record(events, received_at=NOW)
            elsewhere.add_experiment(plan)
            exported = list(store.experiment_events(plan.key))
            elsewhere.record(exported, received_at=NOW)
            assert elsewhere.moments(plan.key) == store.moments(plan.key)
            assert elsewhere.facts(plan.key).contaminated == (
                store.facts(plan.key).contaminated
            )

    def test_an_unknown_experiment_has_no_events(self, store: Store) -> None:
        with pytest.raises(AbtestError) as error:
            list(store.experiment_events(HOME))
        assert error.value.code is ErrorCode.NOT_FOUND

    def test_nothing_is_folded_while_an_experiment_goes_on(self, store: Store) -> None:
        filled(store, *STORY)
        # Only who is in no experiment at all.
        assert folded(store) == (3, 1, 1)
        assert store.retention() == Retention(horizon=LONG_AFTER)
        assert agrees(store, list(STORY), home(), trial())
        end(store, home())
        assert folded(store) == (2, 1, 2)
        assert store.find_person(visitor("other")) is None
        assert store.find_person(visitor("phone")) is not None
        end(store, trial())
        assert folded(store) == (1, 2, 6)
        assert store.retention().folded == {HOME, TRIAL}
        assert store.folded_visitors() == {HOME: 3, TRIAL: 1}

    def test_folding_changes_no_sum(self, store: Store) -> None:
        filled(store, *STORY)
        end(store, home(), trial())
        assert folded(store, is_rehearsal=True) == (3, 4, 9)
        assert store.retention() == Retention()
        assert folded(store) == (3, 4, 9)
        assert folded(store) == (0, 0, 0)
        for _ in range(2):
            for experiment in (home(), trial()):
                key = experiment.key
                assert store.moments(key) == expected_moments(STORY, experiment)
                assert store.facts(key) == expected_facts(STORY, experiment)
            assert agrees(store, list(STORY), home(), trial())
            assert is_sound(store)
            for _ in store.rebuild():
                pass
        assert list(store.experiment_events(HOME)) == [STORY[9]]

    @pytest.mark.parametrize(
        "late",
        [
            exposure(20, "other", experiment=TRIAL, hours=24 * 201),
            conversion(20, "other", hours=24 * 201),
            identity(20, "other", "c7", hours=24 * 201),
            refund(20, "o2", hours=24 * 201),
        ],
    )
    def test_who_did_something_lately_stays(self, store: Store, late: Event) -> None:
        filled(store, *STORY, late)
        end(store, home(), trial())
        folded(store)
        assert store.folded_visitors() == {HOME: 2, TRIAL: 1}
        assert store.find_person(visitor("other")) is not None
        assert agrees(store, [*STORY, late], home(), trial())
        assert is_sound(store)

    def test_who_was_not_followed_for_the_window_stays(self, store: Store) -> None:
        # The day of the horizon is day 200: day 139 + 60 is over before it, 140 not.
        filled(store, exposure(1, "old", hours=24 * 139), exposure(2, hours=24 * 140))
        end(store, home())
        folded(store)
        assert store.folded_visitors() == {HOME: 1}
        assert store.find_person(visitor("old")) is None

    def test_closed_experiments_are_followed_as_long_as_they_say(
        self, store: Store
    ) -> None:
        filled(store, exposure(1))
        closed = home(status=Status.CLOSED, version=2, followed_until="2027-01-01")
        store.replace_experiment(closed)
        assert folded(store)[1] == 0
        store.replace_experiment(
            replace(closed, version=3, followed_until="2026-03-01")
        )
        assert folded(store)[1] == 1

    def test_events_before_the_horizon_are_refused(self, store: Store) -> None:
        filled(store, *STORY)
        end(store, home())
        folded(store)
        later = exposure(31, "v9", experiment=TRIAL, variant="c", hours=24 * 210)
        for refused in (
            STORY[6],
            conversion(30, "new", hours=24 * 199),
            exposure(30, "other", hours=24 * 201),
        ):
            with pytest.raises(AbtestError) as error:
                store.record([later, refused], received_at=NOW)
            assert error.value.code is ErrorCode.INVALID
            assert error.value.errors[0].code == BEFORE_RETENTION
        repeats = [STORY[0], cost(32), later]
        assert store.record(repeats, received_at=NOW).is_new == (False, True, True)
        assert store.moments(HOME) == expected_moments(STORY, home())
        earlier = list(store.fold(after(24)))
        assert sum(step.persons for step in earlier) == 0
        assert store.retention().horizon == LONG_AFTER

    def test_a_folded_experiment_keeps_its_plan(self, store: Store) -> None:
        filled(store, *STORY)
        end(store, home())
        folded(store)
        for change in ({"order_cap": 1}, {"time_zone": "Asia/Tokyo"}):
            with pytest.raises(AbtestError) as error:
                store.replace_experiment(
                    home(status=Status.STOPPED, version=3, **change)
                )
            assert error.value.code is ErrorCode.CONFLICT
            assert "gc" in error.value.detail
        store.replace_experiment(home(status=Status.ARCHIVED, version=3, name="Old"))
        assert is_sound(store)

    def test_folding_may_be_left_for_another_day(self, store: Store) -> None:
        n = 600
        events = [exposure(i, f"v{i}") for i in range(n)]
        buys = [conversion(n + i, f"v{i}", value=i) for i in range(0, n, 3)]
        filled(store, *events, *buys)
        end(store, home())
        steps = store.fold(LONG_AFTER)
        first = next(iter(steps))
        assert 0 < first.persons < n
        steps.close()  # type: ignore[attr-defined]  # a generator
        assert agrees(store, [*events, *buys], home())
        assert is_sound(store)
        assert store.folded_visitors() == {HOME: first.visitors}
        rest = list(store.fold(LONG_AFTER))
        assert first.persons + sum(step.persons for step in rest) == n
        assert agrees(store, [*events, *buys], home())
        assert is_sound(store)

    @settings(max_examples=80, deadline=None)
    @given(data=st.data(), plan=st.sampled_from(PLANS), events=event_sets())
    def test_folding_any_events_changes_nothing_that_is_told(
        self,
        fresh_store: FreshStore,
        data: st.DataObject,
        plan: Experiment,
        events: list[Event],
    ) -> None:
        with fresh_store() as store:
            store.add_experiment(plan)
            store.add_experiment(trial())
            store.record(events, received_at=NOW)
            end(store, plan)
            if data.draw(st.booleans()):
                end(store, trial())
            horizon = after(24 * data.draw(st.integers(60, 100)))
            for _ in store.fold(horizon):
                pass
            assert agrees(store, events, plan, trial())
            if data.draw(st.booleans()):
                for _ in store.rebuild():
                    pass
                assert agrees(store, events, plan, trial())
            name = data.draw(st.sampled_from(["v1", "v2", "v3"]))
            store.erase_person(visitor(name))
            assert is_sound(store)

    def test_space_and_compacting(self, store: Store) -> None:
        n = 2000
        filled(store, *(exposure(i, f"visitor-{i:032}") for i in range(n)))
        end(store, home())
        assert folded(store)[1] == n
        before = store.space()
        assert before.free > 100_000
        store.compact()
        small = store.space()
        assert small.free == 0
        assert small.total <= before.total - before.free
        assert is_sound(store)


def _shared_refunds(events: list[Event], gone: set[EventId]) -> list[Event]:
    """Return refunds of orders that somebody who stays told of."""
    kept_orders = {
        getattr(e, "order", None)
        for e in events
        if e.id not in gone and hasattr(e, "step")
    }
    return [
        e
        for e in events
        if hasattr(e, "order") and not hasattr(e, "step") and e.order in kept_orders
    ]
