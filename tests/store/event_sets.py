"""Random sets of events about few people, and random ways to send them."""

from dataclasses import replace

from hypothesis import strategies as st

from abtest.domain.events import Event
from tests.store.builders import (
    BUY,
    HOME,
    LEAD,
    TRIAL,
    UPSELL,
    conversion,
    cost,
    event_id,
    exposure,
    identity,
    refund,
)

VISITORS = st.sampled_from(["v1", "v2", "v3", "v4"])
CUSTOMERS = st.sampled_from(
    ["c1", "c2", "v1"]
)  # a customer may be called like a visitor
ORDERS = st.sampled_from(["o1", "o2", "o3"])
HOURS = st.integers(0, 120).map(float) | st.sampled_from(
    [0.0, 11.0, 23.999, 24.0, 800.0]
)
ATTRIBUTES = st.sampled_from(
    [
        None,
        '{"orders": 2}',
        '{"orders": 0.5}',
        '{"orders": -3.25}',
        '{"orders": 1e7}',
        '{"orders": "some"}',
    ]
)
MONEY = st.sampled_from([None, 0, 1, 4990, 12_345, 10**11])


def event_sets() -> st.SearchStrategy[list[Event]]:
    """Return sets of up to 16 events with different ids."""
    often = (_exposures(), _conversions())
    kinds = st.one_of(*often, *often, _others())
    return st.lists(kinds, max_size=16).flatmap(_numbered)


def _exposures() -> st.SearchStrategy[Event]:
    return st.builds(
        exposure,
        st.just(0),
        VISITORS,
        variant=st.sampled_from(["a", "b"]),
        experiment=st.sampled_from([HOME, HOME, TRIAL]),
        hours=HOURS,
        attributes=ATTRIBUTES,
    )


def _conversions() -> st.SearchStrategy[Event]:
    who = st.tuples(VISITORS, st.none()) | st.tuples(st.none(), CUSTOMERS)
    both = st.tuples(VISITORS, CUSTOMERS)
    return (who | who | both).flatmap(
        lambda pair: st.builds(
            conversion,
            st.just(0),
            st.just(pair[0]),
            customer=st.just(pair[1]),
            step=st.sampled_from([BUY, BUY, LEAD, UPSELL]),
            hours=HOURS,
            value=MONEY,
            currency=st.sampled_from(["EUR", "EUR", "USD", None]),
            order=st.none() | ORDERS,
            trusted=st.booleans(),
        )
    )


def _others() -> st.SearchStrategy[Event]:
    return (
        st.builds(refund, st.just(0), ORDERS, hours=HOURS, value=MONEY)
        | st.builds(identity, st.just(0), VISITORS, CUSTOMERS, hours=HOURS)
        | st.builds(cost, st.just(0), experiment=st.sampled_from([None, HOME]))
    )


def _numbered(events: list[Event]) -> st.SearchStrategy[list[Event]]:
    """Give the events ids in random order, because ids break ties of time."""
    return st.permutations(range(len(events))).map(
        lambda numbers: [
            replace(event, id=event_id(number))
            for event, number in zip(events, numbers, strict=True)
        ]
    )


@st.composite
def sendings(draw: st.DrawFn, events: list[Event]) -> list[list[Event]]:
    """Return the events in some order, some of them repeated, cut into batches."""
    repeated = draw(st.lists(st.sampled_from(events), max_size=4)) if events else []
    order = draw(st.permutations([*events, *repeated]))
    size = draw(st.sampled_from([1, 2, 3, 5, 8, 20]))
    return [order[i : i + size] for i in range(0, len(order), size)]
