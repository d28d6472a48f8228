"""What a person did before is not read again when something comes after it."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abtest.domain.events import Event
from abtest.domain.experiment import Experiment
from abtest.store.protocol import Difference
from abtest.store.sqlite import SqliteStore, outcomes
from tests.store.builders import (
    BUY,
    HOME,
    LEAD,
    NOW,
    TRIAL,
    UPSELL,
    conversion,
    exposure,
    home,
    identity,
    refund,
    trial,
)
from tests.store.event_sets import event_sets
from tests.store.reference import expected_moments
from tests.store.set_contract import PLANS, FreshStore, agrees

MANY = 300
FEW = 10
"""Events that may be read, twice, before it is clear how somebody goes on."""

Make = Callable[[int], Event]

# What somebody does again and again: number, event.
HABITS: dict[str, Make] = {
    "buys": lambda i: conversion(i, hours=1 + i / 100),
    "buys with ever new orders": lambda i: conversion(i, hours=1 + i, order=f"o{i}"),
    "reloads the page that thanks": lambda i: conversion(i, hours=2 + i, order="o1"),
    "asks": lambda i: conversion(i, step=LEAD, hours=1 + i, value=None),
    "clicks something else": lambda i: conversion(i, step=UPSELL, hours=1 + i),
    "comes back": lambda i: exposure(i, hours=i),
}


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the events that are read to judge somebody."""
    counts: list[int] = []
    load = outcomes._load

    def counting(*arguments: object) -> object:
        found = load(*arguments)  # type: ignore[arg-type]  # passed on
        counts.extend(
            len(e.conversions) + sum(map(len, e.exposures.values()))
            for e in found.values()
        )
        return found

    monkeypatch.setattr(outcomes, "_load", counting)
    return counts


def is_sound(store: SqliteStore, events: Sequence[Event]) -> bool:
    return all(
        store.moments(e.key) == expected_moments(events, e) for e in (home(), trial())
    ) and not any(isinstance(step, Difference) for step in store.verify())


@pytest.mark.parametrize("habit", HABITS.values(), ids=HABITS.keys())
def test_a_habit_is_not_read_again(
    store: SqliteStore, judged: list[int], habit: Make
) -> None:
    store.add_experiment(home())
    store.add_experiment(trial())
    events: list[Event] = [
        exposure(1),
        conversion(2, hours=0.5, order="o1"),
        conversion(3, hours=0.6),
    ]
    store.record(events, received_at=NOW)
    for event in (habit(20_000 + i) for i in range(MANY)):
        store.record([event], received_at=NOW)
        events.append(event)
    assert sum(judged) <= 2 * FEW
    assert is_sound(store, events)


@settings(max_examples=100, deadline=None)
@given(
    plan=st.sampled_from(PLANS),
    events=event_sets(),
    size=st.sampled_from([1, 2, 4]),
    late=st.integers(0, 3),
)
def test_live_traffic_gives_the_sums_of_all_events(
    fresh_store: FreshStore,
    plan: Experiment,
    events: list[Event],
    size: int,
    late: int,
) -> None:
    """Nearly all that comes is later than what came before, as where it matters."""
    in_time = sorted(events, key=lambda e: (e.at, e.id))
    order = [*in_time[late:], *in_time[:late]]
    with fresh_store() as store:
        store.add_experiment(plan)
        store.add_experiment(trial())
        for i in range(0, len(order), size):
            store.record(order[i : i + size], received_at=NOW)
        assert agrees(store, events, plan, trial())
        assert not any(isinstance(step, Difference) for step in store.verify())


def test_news_of_somebody_busy_are_news(store: SqliteStore) -> None:
    store.add_experiment(home())
    store.add_experiment(trial())
    events: list[Event] = [
        exposure(1, hours=5),
        *(conversion(10 + i, hours=6 + i / 100) for i in range(MANY)),
    ]
    store.record(events, received_at=NOW)
    news: list[Event] = [
        conversion(2, hours=5.5, value=777),
        conversion(3, hours=5.6, order="o1", value=None),
        conversion(4, hours=9, order="o1", value=100),
        refund(5, "o1", value=50),
        exposure(6, hours=7, variant="b"),
        exposure(7, hours=8, variant="b"),
        exposure(8, hours=1, variant="b"),
        exposure(9, hours=2, experiment=TRIAL, variant="c"),
        conversion(5000, hours=3, step=LEAD),
        conversion(5001, hours=4, step=UPSELL),
        conversion(5002, hours=4.5, step=BUY, trusted=False, order="o2"),
        identity(5003, "v1", "c1"),
        conversion(5004, None, customer="c1", hours=1.5, step=LEAD),
    ]
    for event in news:
        store.record([event], received_at=NOW)
        events.append(event)
        assert is_sound(store, events)
    store.replace_experiment(home(version=2, goal=trial().goal))
    assert not any(isinstance(step, Difference) for step in store.verify())


def test_a_journey_is_one_of_a_plan(store: SqliteStore) -> None:
    store.add_experiment(home())
    events: list[Event] = [exposure(1), conversion(2), conversion(3, step=UPSELL)]
    store.record(events, received_at=NOW)
    changed = home(version=2, goal=trial().goal, funnel=trial().funnel)
    store.replace_experiment(changed)
    for more in (
        conversion(4, step=LEAD, hours=9),
        conversion(5, step=UPSELL, hours=9),
    ):
        store.record([more], received_at=NOW)
        events.append(more)
        assert store.moments(HOME) == expected_moments(events, changed)
    assert not any(isinstance(step, Difference) for step in store.verify())


def test_the_first_purchase_of_a_new_customer_reads_nothing(
    store: SqliteStore, judged: list[int]
) -> None:
    store.add_experiment(home())
    store.add_experiment(trial())
    events: list[Event] = [exposure(1), exposure(2, "v2", variant="b")]
    store.record(events, received_at=NOW)
    for event in (
        conversion(3, customer="c1", order="o1"),
        conversion(4, None, customer="c1", hours=5, order="o2"),
        conversion(5, "v2", customer="c2"),
    ):
        store.record([event], received_at=NOW)
        events.append(event)
    assert judged == []
    assert is_sound(store, events)
    judged.clear()
    store.record([identity(6, "v2", "c1")], received_at=NOW)
    assert sum(judged) == len(events)
    assert is_sound(store, [*events, identity(6, "v2", "c1")])


def test_unknown_journeys_are_read_once(
    store: SqliteStore, path: Path, judged: list[int]
) -> None:
    """Databases that were filled before journeys were kept have none."""
    store.add_experiment(home())
    store.add_experiment(trial())
    events: list[Event] = [
        exposure(1),
        conversion(2),
        exposure(3, "v2"),
        exposure(4, "v2", variant="b", hours=1),
        exposure(5, "v3"),
    ]
    store.record(events, received_at=NOW)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE outcome SET journey = NULL")
        connection.commit()
    assert is_sound(store, events)
    judged.clear()
    for hours in (20, 30, 40):
        for i, visitor in enumerate(("v1", "v2", "v3")):
            events.append(conversion(int(100 * hours) + i, visitor, hours=hours))
            store.record(events[-1:], received_at=NOW)
    assert judged == [3, 3]
    assert is_sound(store, events)
    for _ in store.rebuild():
        pass
    assert is_sound(store, events)


def test_a_wrong_journey_is_found_and_mended(store: SqliteStore, path: Path) -> None:
    store.add_experiment(home())
    store.record([exposure(1), conversion(2)], received_at=NOW)
    with closing(sqlite3.connect(path)) as connection:
        (right,) = connection.execute("SELECT journey FROM outcome").fetchone()
        connection.execute("UPDATE outcome SET journey = '[[],0,null]'")
        connection.commit()
        found = [step for step in store.verify() if isinstance(step, Difference)]
        assert [d.table for d in found] == ["outcome"]
        for _ in store.rebuild():
            pass
        assert connection.execute("SELECT journey FROM outcome").fetchall() == [
            (right,)
        ]
