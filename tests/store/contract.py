"""What every store must do with events; each store binds this suite to itself."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from abtest.domain.events import Event
from abtest.domain.experiment import VariantKey
from abtest.domain.visitor import to_milliseconds
from abtest.errors import AbtestError, ErrorCode
from abtest.stats.moments import CellKey, CovariateCell, CovariateCohort
from abtest.store.protocol import (
    Difference,
    ExposureOutcome,
    Progress,
    Store,
)
from tests.store.builders import (
    BUY,
    HOME,
    LEAD,
    NOW,
    TRIAL,
    conversion,
    cost,
    exposure,
    home,
    identity,
    refund,
    trial,
)
from tests.store.reference import expected_facts, expected_moments

NewStore = Callable[[], AbstractContextManager[Store]]


class EventContract:
    """Recording, exposing, and what is derived."""

    def test_record_says_which_events_are_new(self, store: Store) -> None:
        store.add_experiment(home())
        outcome = store.record(
            [exposure(1), exposure(2, "v2"), exposure(1)], received_at=NOW
        )
        assert outcome.is_new == (True, True, False)
        outcome = store.record([conversion(3), exposure(2, "v2")], received_at=NOW)
        assert outcome.is_new == (True, False)
        assert (outcome.accepted, outcome.duplicates) == (1, 1)
        assert store.record([], received_at=NOW).is_new == ()

    def test_a_known_id_changes_nothing_whatever_comes_with_it(
        self, store: Store
    ) -> None:
        store.add_experiment(home())
        store.record([exposure(1)], received_at=NOW)
        before = store.moments(HOME)
        for again in (exposure(1, "v9", variant="b"), conversion(1), cost(1)):
            assert store.record([again], received_at=NOW).is_new == (False,)
        assert store.moments(HOME) == before
        assert store.find_exposures(exposure(1, "v9").visitor) == {}

    def test_a_batch_with_an_unknown_experiment_stores_nothing(
        self, store: Store
    ) -> None:
        store.add_experiment(home())
        with pytest.raises(AbtestError) as error:
            store.record([exposure(1), exposure(2, experiment=TRIAL)], received_at=NOW)
        assert error.value.code is ErrorCode.NOT_FOUND
        assert store.moments(HOME) == {}
        assert store.record([exposure(1)], received_at=NOW).is_new == (True,)

    def test_the_first_exposure_holds(self, store: Store) -> None:
        store.add_experiment(home())
        store.add_experiment(trial())
        visitor = exposure(1).visitor
        held = store.expose(visitor, [exposure(1, variant="b")], received_at=NOW)
        assert held == {HOME: ExposureOutcome(variant=VariantKey("b"), is_first=True)}
        held = store.expose(
            visitor,
            [exposure(2, variant="a"), exposure(3, variant="c", experiment=TRIAL)],
            received_at=NOW,
        )
        assert held == {
            HOME: ExposureOutcome(variant=VariantKey("b"), is_first=False),
            TRIAL: ExposureOutcome(variant=VariantKey("c"), is_first=True),
        }
        assert store.find_exposures(visitor) == {HOME: "b", TRIAL: "c"}
        assert store.facts(HOME).contaminated == 0

    def test_an_earlier_exposure_that_comes_late_is_the_first(
        self, store: Store
    ) -> None:
        store.add_experiment(home())
        late, early = exposure(1, variant="a", hours=5), exposure(2, variant="b")
        store.record([late], received_at=NOW)
        store.record([early], received_at=NOW)
        assert store.find_exposures(late.visitor) == {HOME: "b"}
        assert set(store.moments(HOME)) == {"b"}
        assert store.facts(HOME) == expected_facts([late, early], home())

    def test_a_story_of_two_devices_and_a_refund(self, store: Store) -> None:
        """Sums are compared with those of the whole set, judged the simple way."""
        store.add_experiment(home(order_cap=4000))
        store.add_experiment(trial())
        story: list[Event] = [
            refund(9, "o1", hours=60, value=1000),
            conversion(3, None, customer="c1", hours=50, order="o1"),
            exposure(1, "phone", hours=0),
            exposure(2, "laptop", variant="b", hours=20),
            exposure(8, "phone", variant="c", experiment=TRIAL, hours=1),
            conversion(4, "laptop", hours=26, value=3000),
            identity(5, "phone", "c1"),
            conversion(6, "laptop", customer="c1", step=LEAD, hours=27, value=None),
            cost(7),
        ]
        for i, event in enumerate(story):
            store.record([event], received_at=NOW)
            for experiment in (home(order_cap=4000), trial()):
                known = story[: i + 1]
                key = experiment.key
                assert store.moments(key) == expected_moments(known, experiment)
                assert store.facts(key) == expected_facts(known, experiment)
        assert store.facts(HOME).contaminated == 2

    def test_a_refund_meets_everybody_who_reported_the_order(
        self, store: Store
    ) -> None:
        store.add_experiment(home())
        events: list[Event] = [
            exposure(1, "browser"),
            exposure(2, "till", variant="b"),
            conversion(3, "browser", order="o1"),
            conversion(4, "till", order="o1"),
            refund(5, "o1", value=700),
        ]
        store.record([events[4]], received_at=NOW)
        store.record(events[:4], received_at=NOW)
        sums = store.moments(HOME)
        assert sums == expected_moments(events, home())
        assert {sum(c.total for c in m.cells.values()) for m in sums.values()} == {4300}

    def test_sums_of_squares_leave_64_bits_and_stay_exact(self, store: Store) -> None:
        store.add_experiment(home())
        huge = 10**11
        events: list[Event] = [
            event
            for i in range(40)
            for event in (
                exposure(3 * i, f"v{i}"),
                conversion(3 * i + 1, f"v{i}", value=huge - i),
                conversion(3 * i + 2, f"v{i}", hours=30, value=huge + i, order=f"o{i}"),
            )
        ]
        store.record(events, received_at=NOW)
        late = [refund(500 + i, f"o{i}", value=huge - i) for i in range(40)]
        for event in late:
            store.record([event], received_at=NOW)
        assert store.moments(HOME) == expected_moments([*events, *late], home())
        squares = [
            cell.squares for cell in store.moments(HOME)[VariantKey("a")].cells.values()
        ]
        assert max(squares) > 2**64

    def test_a_changed_plan_judges_everybody_anew(self, store: Store) -> None:
        store.add_experiment(home())
        events: list[Event] = [
            exposure(1, "v1", hours=22),
            exposure(2, "v2", hours=3),
            conversion(3, "v1", hours=23.5, value=9000),
            conversion(4, "v1", hours=40, value=9000, currency="USD"),
            conversion(5, None, customer="c1", step=LEAD, hours=10),
            identity(6, "v2", "c1"),
        ]
        store.record(events, received_at=NOW)
        changed = [
            home(version=2, time_zone="Pacific/Auckland"),
            home(version=3, order_cap=7000),
            home(version=4, weights=trial().weights),
            home(version=5, goal=trial().goal, funnel=trial().funnel),
        ]
        for experiment in changed:
            store.replace_experiment(experiment)
            assert store.moments(HOME) == expected_moments(events, experiment)
            assert store.facts(HOME) == expected_facts(events, experiment)
            assert all(isinstance(step, Progress) for step in store.verify())

    def test_a_covariate_is_summed_beside_the_outcomes(self, store: Store) -> None:
        """Two visitors with 2 and -0.5; the first buys for 50 and again for 30."""
        store.add_experiment(home(covariate="orders"))
        events: list[Event] = [
            exposure(1, "v1", attributes='{"orders": 2}'),
            exposure(2, "v2", attributes='{"orders": -0.5}'),
            exposure(3, "v3", attributes='{"visits": 9}'),
            exposure(4, "v1", attributes='{"orders": 7}', hours=9),
            conversion(5, "v1", value=5000),
            conversion(6, "v1", value=3000, hours=30),
        ]
        store.record(events, received_at=NOW)
        moments = store.moments(HOME)[VariantKey("a")]
        day = 20_454
        assert moments.covariate_cohorts == {
            day: CovariateCohort(total=15_000, squares=20_000**2 + 5_000**2)
        }
        assert moments.covariate_cells == {
            CellKey(day, 0, 1): CovariateCell(by_count=20_000, by_amount=10**8),
            CellKey(day, 1, 2): CovariateCell(by_count=20_000, by_amount=6 * 10**7),
        }
        store.replace_experiment(home(version=2))
        moments = store.moments(HOME)[VariantKey("a")]
        assert (moments.covariate_cohorts, moments.covariate_cells) == ({}, {})
        assert all(isinstance(step, Progress) for step in store.verify())

    def test_rebuild_and_verify_tell_their_progress(self, store: Store) -> None:
        store.add_experiment(home())
        assert not any(isinstance(step, Difference) for step in store.verify())
        visitors = [exposure(i, f"v{i}") for i in range(1, 6)]
        buyers = [conversion(10, "v1", customer="c1"), conversion(11, None)]
        store.record([*visitors, *buyers], received_at=NOW)
        before = store.moments(HOME)
        for steps in (list(store.rebuild()), list(store.verify())):
            assert steps[-1] == Progress(done=5, total=5)
        assert store.moments(HOME) == before

    def test_a_rebuild_that_is_given_up_changes_nothing(self, store: Store) -> None:
        store.add_experiment(home())
        store.record([exposure(1), conversion(2)], received_at=NOW)
        before = store.moments(HOME)
        steps = store.rebuild()
        next(steps)
        steps.close()  # type: ignore[attr-defined]  # a generator
        assert store.moments(HOME) == before
        store.record([exposure(3, "v3")], received_at=NOW)

    def test_it_can_be_written(self, store: Store) -> None:
        store.check_writable()
        store.add_experiment(home())
        store.check_writable()
        assert store.record([exposure(1)], received_at=NOW).accepted == 1

    def test_it_tells_how_it_is(self, store: Store) -> None:
        assert store.condition().last_received is None
        store.add_experiment(home())
        store.record([exposure(1)], received_at=NOW)
        condition = store.condition()
        assert condition.last_received == to_milliseconds(NOW)
        assert condition.pending == ()
        assert condition.size > 0
        assert 0 < condition.disk_free <= condition.disk_size

    def test_a_closed_store_is_unavailable(self, new_stores: NewStore) -> None:
        with new_stores() as store:
            store.add_experiment(home())
        with pytest.raises(AbtestError) as error:
            store.record([conversion(1, step=BUY)], received_at=NOW)
        assert error.value.code is ErrorCode.UNAVAILABLE
