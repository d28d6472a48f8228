"""The generated traffic, and the making of a demo from small stories."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import prod
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest, kstest

from abtest.domain.access import KeyKind
from abtest.domain.allocation import allocate
from abtest.domain.events import Conversion, Event, Exposure, Identity, Refund
from abtest.domain.experiment import (
    Experiment,
    ExperimentKey,
    Phase,
    Status,
    VariantKey,
)
from abtest.domain.visitor import local_day, to_milliseconds
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import sign_in
from abtest.services.definition_rules import to_experiment
from abtest.services.demo import shapes
from abtest.services.demo.build import PASSERS_BY, USER, build_demo
from abtest.services.demo.stories import STORIES
from abtest.services.demo.story import Story
from abtest.services.demo.traffic import Timetable, generate
from abtest.services.experiments import NOTE
from abtest.store.migrate import migrate
from abtest.store.protocol import Store
from abtest.store.sqlite.store import open_store

NOW = datetime(2026, 6, 1, 15, 30, tzinfo=UTC)
BY_KEY = {story.definition.key: story for story in STORIES}
SMALL = tuple(
    replace(story, visitors_per_day=min(20, story.visitors_per_day))
    for story in STORIES
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    migrate(tmp_path / "test.db")
    opened = open_store(tmp_path / "test.db", durability="normal")
    yield opened
    opened.close()


def running(story: Story) -> Experiment:
    draft = to_experiment(story.definition, salt="salt", now=NOW)
    shares = allocate([(v.key, v.weight) for v in draft.variants])
    phase = Phase(since=NOW, allocation=shares, coverage=1.0)
    return replace(draft, status=Status.RUNNING, phases=(phase,))


def traffic(story: Story, *, seed: int = 1, now: datetime = NOW) -> list[Event]:
    timetable = Timetable.of(story, now)
    assert timetable is not None
    return list(generate(story, running(story), timetable, seed=seed))


@pytest.fixture(scope="module")
def promise() -> list[Event]:
    return traffic(replace(BY_KEY["honest-promise"], visitors_per_day=400))


def test_same_seed_gives_the_same_events() -> None:
    story = replace(BY_KEY["price-table"], visitors_per_day=30)
    assert traffic(story) == traffic(story)
    assert traffic(story) != traffic(story, seed=2)


def test_ids_are_unique_and_nothing_lies_ahead(promise: list[Event]) -> None:
    assert len({event.id for event in promise}) == len(promise)
    for key in ("price-table", "bold-headline"):
        events = traffic(replace(BY_KEY[key], visitors_per_day=50))
        assert max(event.at for event in events) <= to_milliseconds(NOW)


def test_running_stories_have_visitors_today() -> None:
    events = traffic(replace(BY_KEY["price-table"], visitors_per_day=200))
    days = Counter(local_day(e.at, "Europe/Berlin") for e in events)
    today = local_day(to_milliseconds(NOW), "Europe/Berlin")
    assert days[today] > 0
    assert min(days) == today - 18


def test_nobody_is_exposed_after_the_closing_day(promise: list[Event]) -> None:
    last = max(e.at for e in promise if isinstance(e, Exposure))
    today = local_day(to_milliseconds(NOW), "Europe/Berlin")
    assert local_day(last, "Europe/Berlin") == today - 90


def test_every_kind_of_event_happens(promise: list[Event]) -> None:
    kinds = Counter(type(event) for event in promise)
    assert kinds.keys() == {Exposure, Conversion, Refund, Identity}
    orders = {e.order for e in promise if isinstance(e, Conversion)}
    assert {e.order for e in promise if isinstance(e, Refund)} <= orders
    by_shop = [e for e in promise if isinstance(e, Conversion) and e.visitor is None]
    assert by_shop
    assert all(e.customer for e in by_shop)


def test_journeys_have_the_rates_of_the_story(promise: list[Event]) -> None:
    """Binomial tests of first purchases against what the story says."""
    exposed = [e for e in promise if isinstance(e, Exposure)]
    buyers = {
        e.visitor for e in promise if isinstance(e, Conversion) and e.step == "purchase"
    }
    for variant, journey in BY_KEY["honest-promise"].journeys.items():
        rate = prod(stage.rate for stage in journey[:3])
        visitors = {e.visitor for e in exposed if e.variant == variant}
        strangers = {v for v in visitors if not v.endswith("-phone")}
        bought = len(strangers & buyers)
        assert binomtest(bought, len(strangers), rate).pvalue > 0.001


def test_visitors_bring_device_and_source(promise: list[Event]) -> None:
    exposed = [e for e in promise if isinstance(e, Exposure)]
    known = [json.loads(e.attributes_json or "{}") for e in exposed]
    for name, shares in (("device", shapes.DEVICES), ("source", shapes.SOURCES)):
        found = Counter(attributes.get(name) for attributes in known)
        assert found.keys() == {thing for thing, _ in shares}
        for thing, share in shares:
            # The second devices of customers are phones.
            assert found[thing] / found.total() == pytest.approx(share, abs=0.02)


def test_phones_make_the_difference_where_the_story_says_so(
    promise: list[Event],
) -> None:
    """Binomial tests of second purchases by device, of visitors in one experiment."""
    story = BY_KEY["honest-promise"]
    device = {
        e.visitor: json.loads(e.attributes_json or "{}")["device"]
        for e in promise
        if isinstance(e, Exposure) and e.variant == "honest"
    }
    bought = Counter(
        order.rpartition("-")[0]
        for order in {e.order for e in promise if isinstance(e, Conversion) and e.order}
    )
    for name, journey in (
        ("mobile", story.on_phones["honest"]),
        ("desktop", story.journeys["honest"]),
    ):
        orders = [bought[v] for v, used in device.items() if used == name and bought[v]]
        again = sum(n > 1 for n in orders)
        # Up to LATER_SHARE of the others come after the 60 days.
        low = journey[3].rate
        high = low + (1 - low) * shapes.LATER_SHARE
        assert low - 0.05 < again / len(orders) < high + 0.05


def test_lost_visitors_leave_no_trace() -> None:
    events = traffic(replace(BY_KEY["quick-checkout"], visitors_per_day=150))
    seen = Counter(e.variant for e in events if isinstance(e, Exposure))
    expected = 0.85 / 1.85
    assert binomtest(seen[VariantKey("single")], seen.total(), expected).pvalue > 0.001


def test_gaps_have_the_quantiles_of_the_purchase_log() -> None:
    """Medians and tails as measured in the CDNOW log, which is not read here."""
    rng = np.random.default_rng(1)
    gaps = [shapes.gap(rng) for _ in range(20_000)]
    assert (min(gaps), max(gaps)) == (1, 60)
    found = np.quantile(gaps, shapes.GAP_SHARES[1:-1])
    assert found == pytest.approx(shapes.GAP_DAYS[1:-1], abs=1)
    later = [shapes.later_gap(rng) for _ in range(1000)]
    assert min(later) > 60


def test_order_values_are_lognormal() -> None:
    rng = np.random.default_rng(1)
    logs = np.log([shapes.order_value(42.0, rng) / 4200 for _ in range(5000)])
    assert kstest(logs, "norm", args=(0, shapes.ORDER_SPREAD)).pvalue > 0.001


def test_mondays_are_busier_than_fridays() -> None:
    rng = np.random.default_rng(1)
    monday, friday = date(2026, 6, 1), date(2026, 6, 5)
    on_mondays = sum(shapes.visitors_on(monday, 100, rng) for _ in range(200))
    on_fridays = sum(shapes.visitors_on(friday, 100, rng) for _ in range(200))
    assert on_mondays / on_fridays == pytest.approx(1.13 / 0.86, rel=0.03)
    assert sum(shapes.WEEKDAYS) / 7 == pytest.approx(1, abs=0.01)


def test_stories_have_their_dates_and_notes(store: Store) -> None:
    demo = build_demo(store, now=NOW, stories=SMALL)
    states = {e.key: e.status for e in demo.experiments}
    assert states[ExperimentKey("gift-wrap")] is Status.DRAFT
    assert states[ExperimentKey("guarantee-badge")] is Status.ARCHIVED
    archived = store.get_experiment(ExperimentKey("guarantee-badge"))
    assert archived.decided_variant == "badge"
    decisions = [entry for entry in archived.log if entry.action == "decide"]
    assert [entry.by for entry in decisions] == [f"user {USER}"]
    assert "We keep the guarantee" in decisions[0].detail
    began = NOW - timedelta(days=260)
    assert archived.started_at is not None
    assert abs(archived.started_at - began) < timedelta(days=1)


def test_notes_stand_in_the_log_on_their_day(store: Store) -> None:
    build_demo(store, now=NOW, stories=SMALL)
    for story in STORIES:
        log = store.get_experiment(ExperimentKey(story.definition.key)).log
        found = [(e.at, e.detail) for e in log if e.action == NOTE]
        assert [text for _, text in found] == [note.text for note in story.notes]
        for (at, _), note in zip(found, story.notes, strict=True):
            assert abs(NOW - timedelta(days=note.days_ago) - at) < timedelta(days=1)


def test_user_can_sign_in_and_keys_are_of_every_kind(store: Store) -> None:
    demo = build_demo(store, now=NOW, stories=SMALL[:1])
    assert demo.user == USER
    assert demo.password is not None
    assert sign_in(store, USER, password=demo.password, now=NOW)
    assert {kind for kind, _ in demo.keys} == set(KeyKind)


def test_user_who_is_there_keeps_the_password(store: Store) -> None:
    build_demo(store, now=NOW, stories=SMALL[:1], password="first password")
    more = build_demo(store, now=NOW, stories=SMALL[1:2], may_add=True)
    assert more.password is None
    assert sign_in(store, USER, password="first password", now=NOW)


def test_occupied_database_is_refused_and_unchanged(store: Store) -> None:
    build_demo(store, now=NOW, stories=SMALL[:1])
    before = (store.list_keys(), store.list_experiments())
    for may_add in (False, True):
        with pytest.raises(AbtestError) as caught:
            build_demo(store, now=NOW, stories=SMALL[:1], may_add=may_add)
        assert caught.value.code is ErrorCode.CONFLICT
    assert (store.list_keys(), store.list_experiments()) == before


def test_progress_tells_every_batch(store: Store) -> None:
    told: Counter[str] = Counter()
    demo = build_demo(
        store,
        now=NOW,
        stories=SMALL[:2],
        on_progress=lambda key, events: told.update({key: events}),
    )
    beside = told.pop(PASSERS_BY)
    assert told == {e.key: e.events for e in demo.experiments}
    # 33 days of about 200 baskets, 130 checkouts and 16 purchases.
    assert beside == pytest.approx(33 * 345, rel=0.05)
