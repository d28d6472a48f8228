"""What every store must answer beyond the sums; each store binds this suite."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abtest.domain.events import Event, Milliseconds
from abtest.domain.experiment import ExperimentKey, VariantKey, VisitorId
from abtest.domain.funnel import StepKey
from abtest.domain.purchases import CreditedPurchases, Purchase
from abtest.domain.traffic import CostSum, StepTraffic, Traffic
from abtest.errors import AbtestError, ErrorCode
from abtest.stats.moments import Moments
from abtest.store.insight_protocol import MAX_SEGMENTS, OTHER_SEGMENT
from abtest.store.protocol import Store
from tests.store.builders import (
    BUY,
    DAY,
    HOME,
    LEAD,
    NOW,
    START,
    TRIAL,
    UPSELL,
    after,
    conversion,
    cost,
    exposure,
    home,
    identity,
    refund,
    trial,
)
from tests.store.event_sets import event_sets, sendings
from tests.store.insight_reference import (
    expected_purchases,
    expected_segments,
    expected_traffic,
)
from tests.store.set_contract import FreshStore

DAY_0 = START // DAY
STEPS = (LEAD, BUY, UPSELL)


def traffic(
    store: Store,
    steps: Sequence[StepKey] = STEPS,
    *,
    since: int = START,
    until: int = START + 10 * DAY,
    currency: str | None = "EUR",
) -> Traffic:
    return store.traffic(
        steps,
        since=Milliseconds(since),
        until=Milliseconds(until),
        currency=currency,
    )


def moment(at: Milliseconds) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


def nameless(customer: CreditedPurchases) -> CreditedPurchases:
    return replace(customer, visitor=VisitorId(""))


def bought(store: Store, key: ExperimentKey) -> list[CreditedPurchases]:
    return list(store.purchases(key))


class InsightContract:
    """Purchases, traffic, costs and segments."""

    def test_purchases_beyond_the_second_go_to_the_visitor_exposed_first(
        self, store: Store
    ) -> None:
        store.add_experiment(home())
        story: list[Event] = [
            exposure(1, "laptop", variant="b", hours=3),
            exposure(2, "phone"),
            identity(3, "phone", "c1"),
            conversion(4, "laptop", customer="c1", hours=4),
            *(conversion(n, None, customer="c1", hours=24 * n) for n in (5, 6)),
            conversion(7, None, customer="c1", hours=24 * 7, order="o1"),
            refund(8, "o1", hours=24 * 9, value=2000),
            conversion(9, "stranger"),
            exposure(10, "looker"),
        ]
        store.record(story, received_at=NOW)
        (found,) = bought(store, HOME)
        assert (found.variant, found.day) == ("a", DAY_0)
        assert found.purchases == (
            Purchase(step=BUY, payments=((DAY_0, 5000),)),
            Purchase(step=BUY, payments=((DAY_0 + 5, 5000),)),
            Purchase(step=BUY, payments=((DAY_0 + 6, 5000),)),
            Purchase(step=BUY, payments=((DAY_0 + 7, 5000), (DAY_0 + 9, -2000))),
        )

    def test_purchases_may_be_left_unread(self, store: Store) -> None:
        store.add_experiment(home(covariate="orders"))
        told = '{"orders": 2}'
        store.record(
            [
                *(exposure(n, f"v{n}", attributes=told) for n in range(1, 2500)),
                *(conversion(n, f"v{n - 3000}") for n in range(3001, 5500)),
            ],
            received_at=NOW,
        )
        unread = store.purchases(HOME)
        next(unread)
        assert len(bought(store, HOME)) == 2499
        assert store.record([conversion(9000)], received_at=NOW).accepted == 1

    def test_traffic_by_hand(self, store: Store) -> None:
        """Three came by experiments, one did not; two go on, one is lost."""
        store.add_experiment(home())
        store.add_experiment(trial())
        store.record(
            [
                exposure(1, "v1"),
                exposure(2, "v2"),
                exposure(3, "v2", experiment=TRIAL),
                exposure(4, "v3"),
                conversion(5, "v1", step=LEAD, value=None),
                conversion(6, "v2", step=LEAD, value=None),
                conversion(7, "v2", order="o1", value=4000, trusted=False),
                conversion(8, None, customer="c2", order="o1", value=6000, hours=9),
                identity(9, "v2", "c2"),
                refund(10, "o1", value=1000),
                conversion(11, "v4", value=3000),
                conversion(12, "v4", value=2000, currency="CHF", hours=30),
                cost(13),
            ],
            received_at=NOW,
        )
        assert traffic(store) == Traffic(
            visitors=4,
            steps=(
                StepTraffic(step=LEAD, persons=2, continued=2, orders=0, revenue=0),
                StepTraffic(step=BUY, persons=2, continued=1, orders=3, revenue=8000),
                StepTraffic(step=UPSELL, persons=0, continued=0, orders=0, revenue=0),
            ),
            buyers=2,
            orders_squares=1 + 4,
            revenue_squares=5000**2 + 3000**2,
            orders_revenue=5000 + 2 * 3000,
        )
        (_, buy, _) = traffic(store, currency=None).steps
        assert (buy.orders, buy.revenue) == (3, 0)
        with pytest.raises(ValueError, match="0 steps"):
            traffic(store, [])

    def test_traffic_of_a_stretch_of_time(self, store: Store) -> None:
        store.add_experiment(home())
        for days in range(6):
            hours = 24.0 * days
            store.record(
                [
                    exposure(10 * days + 1, f"v{days}", hours=hours),
                    conversion(
                        10 * days + 2, f"v{days}", hours=hours, order=f"o{days}"
                    ),
                    refund(10 * days + 3, f"o{days}", hours=hours + 30, value=1),
                ],
                received_at=moment(after(hours + 1)),
            )
        # The shop tells of the second day's order again, two days later.
        store.record(
            [conversion(99, "v1", order="o1", hours=72, value=9000)],
            received_at=moment(after(73)),
        )
        found = traffic(store, [BUY], since=START + 2 * DAY, until=START + 4 * DAY)
        (buy,) = found.steps
        assert (found.visitors, buy.persons) == (3, 3)
        assert (buy.orders, buy.revenue) == (2, 5000 - 1 + 5000)
        nothing = traffic(store, since=START + 6 * DAY)
        assert (nothing.visitors, nothing.orders) == (0, 0)

    def test_what_came_in_lately_is_counted(self, store: Store) -> None:
        assert store.received_since(Milliseconds(START)) == 0
        for hours in range(1, 5):
            batch = [conversion(10 * hours + n) for n in range(hours)]
            store.record(batch, received_at=moment(after(hours)))
        assert store.received_since(after(0)) == 10
        assert store.received_since(after(3)) == 7
        assert store.received_since(Milliseconds(after(3) + 1)) == 4
        assert store.received_since(after(5)) == 0

    def test_costs_are_summed_by_what_they_were_for(self, store: Store) -> None:
        store.add_experiment(home())
        store.record(
            [
                cost(1),
                replace(cost(2), amount=300),
                replace(cost(3), day="2026-01-02"),
                replace(cost(4), source=None),
                cost(5, experiment=None),
                replace(cost(6), currency="CHF"),
                cost(1),
            ],
            received_at=NOW,
        )

        def spent(**changes: object) -> CostSum:
            known = CostSum(
                day=date(2026, 1, 1),
                experiment=HOME,
                source="ads",
                currency="EUR",
                amount=1200,
            )
            return replace(known, **changes)  # type: ignore[arg-type]  # any field

        of_home = (
            spent(source=None),
            spent(currency="CHF"),
            spent(amount=1500),
            spent(day=date(2026, 1, 2)),
        )
        assert store.costs(HOME) == of_home
        assert store.costs() == (spent(experiment=None), *of_home)

    def test_segments_by_the_first_exposure(self, store: Store) -> None:
        store.add_experiment(home())
        told = [
            '{"device": "phone", "x": 1}',
            '{"device": true}',
            None,
            '{"device": ""}',
        ]
        events: list[Event] = [
            exposure(n, f"v{n}", attributes=attributes)
            for n, attributes in enumerate(told, 1)
        ]
        events += [
            exposure(9, "v1", hours=9, attributes='{"device": "tablet"}'),
            conversion(10, "v1"),
            conversion(11, "v1", hours=50),
            conversion(12, "v3", step=LEAD, value=None),
        ]
        store.record(events, received_at=NOW)
        found = store.segment_moments(HOME, "device")
        assert found == expected_segments(events, home(), "device")
        assert {name: m[VariantKey("a")].visitors for name, m in found.items()} == {
            "": 2,
            "phone": 1,
            "true": 1,
        }
        assert store.segment_attributes(HOME) == ("device", "x")
        assert store.segment_moments(HOME, 'no "such" thing') == {
            "": store.moments(HOME)
        }

    def test_many_values_are_put_together(self, store: Store) -> None:
        store.add_experiment(home())
        numbers = range(1, MAX_SEGMENTS + 11)
        store.record(
            [
                *(
                    exposure(100 * n + copy, f"v{n}-{copy}", attributes=f'{{"n": {n}}}')
                    for n in numbers
                    for copy in range(2 if n <= MAX_SEGMENTS else 1)
                ),
                *(conversion(100_000 + n, f"v{n}-0") for n in numbers),
            ],
            received_at=NOW,
        )
        found = store.segment_moments(HOME, "n")
        assert set(found) == {OTHER_SEGMENT, *map(str, range(1, MAX_SEGMENTS + 1))}
        assert found[OTHER_SEGMENT][VariantKey("a")].visitors == 10
        total = Moments()
        for by_variant in found.values():
            total += by_variant[VariantKey("a")]
        assert {VariantKey("a"): total} == store.moments(HOME)

    @pytest.mark.parametrize(
        "ask",
        [
            lambda store: store.purchases(HOME),
            lambda store: store.costs(HOME),
            lambda store: store.segment_moments(HOME, "device"),
            lambda store: store.segment_attributes(HOME),
        ],
        ids=["purchases", "costs", "segments", "attributes"],
    )
    def test_an_unknown_experiment(self, store: Store, ask: object) -> None:
        with pytest.raises(AbtestError) as error:
            ask(store)  # type: ignore[operator]  # one of the above
        assert error.value.code is ErrorCode.NOT_FOUND

    def test_an_empty_store_knows_nothing(self, store: Store) -> None:
        store.add_experiment(home())
        assert bought(store, HOME) == []
        assert traffic(store).visitors == 0
        assert store.costs() == ()
        assert store.segment_moments(HOME, "device") == {}
        assert store.segment_attributes(HOME) == ()


class InsightSetContract:
    """The answers are a function of the set of events."""

    @settings(max_examples=60, deadline=None)
    @given(data=st.data(), events=event_sets())
    def test_any_sending_gives_the_same_answers(
        self, fresh_store: FreshStore, data: st.DataObject, events: list[Event]
    ) -> None:
        span = sorted(data.draw(st.tuples(st.integers(0, 60), st.integers(60, 900))))
        since, until = (after(hours) for hours in span)
        with fresh_store() as store:
            store.add_experiment(home())
            store.add_experiment(trial())
            for batch in data.draw(sendings(events)):
                store.record(batch, received_at=NOW)
            for experiment in (home(), trial()):
                # A store has names of its own for visitors.
                found = store.purchases(experiment.key)
                expected = expected_purchases(events, experiment)
                assert Counter(map(nameless, found)) == Counter(map(nameless, expected))
            assert store.segment_moments(HOME, "orders") == expected_segments(
                events, home(), "orders"
            )
            assert traffic(store, since=since, until=until) == expected_traffic(
                events, STEPS, since=since, until=until
            )
