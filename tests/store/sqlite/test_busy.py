"""A person with very many events makes each further one no dearer."""

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
from tests.store.event_sets import event_sets, sendings
from tests.store.reference import expected_moments
from tests.store.set_contract import PLANS, FreshStore, agrees

MANY = 600
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
        counts.extend(events.count for events in found.values())
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
        *(habit(10 + i) for i in range(outcomes.LONG)),
    ]
    store.record(events, received_at=NOW)
    for event in [habit(10_000), *(habit(20_000 + i) for i in range(MANY))]:
        store.record([event], received_at=NOW)
        events.append(event)
    assert sum(judged) <= 3 * (outcomes.LONG + 10)
    assert is_sound(store, events)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), plan=st.sampled_from(PLANS), events=event_sets())
def test_as_if_everybody_had_very_many_events(
    fresh_store: FreshStore, data: st.DataObject, plan: Experiment, events: list[Event]
) -> None:
    batches = data.draw(sendings(events))
    with pytest.MonkeyPatch.context() as patch, fresh_store() as store:
        patch.setattr(outcomes, "LONG", 0)
        store.add_experiment(plan)
        store.add_experiment(trial())
        for batch in batches:
            store.record(batch, received_at=NOW)
        assert agrees(store, events, plan, trial())


def test_news_of_somebody_busy_are_news(store: SqliteStore) -> None:
    store.add_experiment(home())
    store.add_experiment(trial())
    events: list[Event] = [
        exposure(1, hours=5),
        *(conversion(10 + i, hours=6 + i / 100) for i in range(outcomes.LONG + 50)),
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


def test_what_is_settled_is_settled_for_a_plan(store: SqliteStore) -> None:
    store.add_experiment(home())
    events: list[Event] = [exposure(i, hours=i / 100) for i in range(2 * outcomes.LONG)]
    for some in (events[: outcomes.LONG], events[outcomes.LONG - 1 :]):
        store.record(some, received_at=NOW)
    store.record([exposure(5000, hours=-1)], received_at=NOW)
    changed = home(version=2, goal=trial().goal, funnel=trial().funnel)
    store.replace_experiment(changed)
    events += [exposure(5000, hours=-1), conversion(5001, step=UPSELL)]
    store.record(events[-1:], received_at=NOW)
    assert store.moments(HOME) == expected_moments(events, changed)


def test_what_is_settled_goes_with_the_person(store: SqliteStore, path: Path) -> None:
    store.add_experiment(home())
    for first in (1, 1000):
        events = [conversion(first + 1 + i) for i in range(outcomes.LONG)]
        store.record([exposure(first), *events], received_at=NOW)
    with closing(sqlite3.connect(path)) as connection:
        count = "SELECT count(*) FROM busy"
        assert connection.execute(count).fetchone() == (1,)
        connection.execute("DELETE FROM node WHERE id = 1")
        assert connection.execute(count).fetchone() == (0,)
    assert store.moments(HOME)
