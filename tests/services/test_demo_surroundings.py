"""What the demo has beside its experiments: costs, passers-by, odd arrivals."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from abtest.domain.events import Cost
from abtest.domain.experiment import Experiment, ExperimentKey
from abtest.domain.funnel import CountWeights
from abtest.domain.visitor import to_milliseconds
from abtest.services.definition_rules import to_experiment
from abtest.services.demo.arrivals import ASKING, ODD, REFUSED
from abtest.services.demo.build import build_demo
from abtest.services.demo.passers_by import DAYS, pass_by
from abtest.services.demo.spending import spend
from abtest.services.demo.stories import STORIES
from abtest.services.demo.story import Story
from abtest.services.demo.traffic import Timetable
from abtest.services.quality import Quality, read_quality
from abtest.services.traffic import FunnelQuestion, describe_funnel
from abtest.store.migrate import migrate
from abtest.store.protocol import Store
from abtest.store.sqlite.store import open_store

NOW = datetime(2026, 6, 1, 15, 30, tzinfo=UTC)
BY_KEY = {story.definition.key: story for story in STORIES}
OFFER = BY_KEY["shipping-offer"]
RUNNING = tuple(
    replace(BY_KEY[key], visitors_per_day=100)
    for key in ("price-table", "quick-checkout")
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path: Path = tmp_path_factory.mktemp("demo") / "test.db"
    migrate(path)
    opened = open_store(path, durability="normal")
    build_demo(opened, now=NOW, stories=RUNNING)
    yield opened
    opened.close()


def draft(story: Story) -> Experiment:
    return to_experiment(story.definition, salt="salt", now=NOW)


def costs(story: Story, *, seed: int = 1) -> list[Cost]:
    timetable = Timetable.of(story, NOW)
    assert timetable is not None
    return list(spend(story, draft(story), timetable, seed=seed))


def test_costs_are_those_of_the_story() -> None:
    """By source, for a visitor, as the story says; one bill for a day and source."""
    found = costs(OFFER)
    days = 140 - 75 + 1
    assert len({(c.day, c.source) for c in found}) == len(found) == 2 * days
    visitors = OFFER.visitors_per_day * days
    amounts = Counter[str | None]()
    for cost in found:
        amounts[cost.source] += cost.amount
    for source, each in OFFER.costs.items():
        assert amounts[source] / 100 / visitors == pytest.approx(each, rel=0.05)


def test_costs_are_known_after_the_day_alone() -> None:
    running = replace(OFFER, closed=None)
    found = costs(running)
    assert max(date.fromisoformat(c.day) for c in found) == date(2026, 5, 31)
    assert all(c.at <= to_milliseconds(NOW) for c in found)
    assert costs(running) == found != costs(running, seed=2)


def test_a_story_without_currency_costs_nothing() -> None:
    timetable = Timetable.of(OFFER, NOW)
    assert timetable is not None
    without = replace(draft(BY_KEY["price-table"]), weights=CountWeights())
    assert not list(spend(OFFER, without, timetable, seed=1))


def test_passers_by_come_day_by_day() -> None:
    days = list(pass_by(NOW, seed=1))
    assert len(days) == DAYS
    assert days[-1].received_at == NOW
    for day in days:
        received = to_milliseconds(day.received_at)
        assert all(received - 86_400_000 < e.at <= received for e in day.events)
    assert list(pass_by(NOW, seed=1)) == days != list(pass_by(NOW, seed=2))


def test_funnel_of_all_traffic_leaks_at_the_checkout(store: Store) -> None:
    """Few visitors of experiments here, so most are passers-by: 12 % finish."""
    funnel = describe_funnel(store, FunnelQuestion(), now=NOW)
    assert [stage.key for stage in funnel.stages] == ["basket", "checkout", "purchase"]
    assert funnel.biggest_leak == "purchase"
    persons = [stage.persons for stage in funnel.stages]
    assert persons == sorted(persons, reverse=True)
    assert funnel.revenue > 0


def quality(store: Store, key: str | None) -> Quality:
    known = None if key is None else ExperimentKey(key)
    return read_quality(store, known, now=NOW)


def test_arrivals_count_what_was_stored(store: Store) -> None:
    """Everything of the last days, and what is odd in about the told shares."""
    total = quality(store, "quick-checkout").total
    expected = 100 * (1.85 / 2) * 29.6
    conversions = total.received - expected
    assert conversions > 29 * 300
    for found, share in (
        (total.duplicates + total.late + total.clock_skewed, sum(ODD.values())),
        (total.crawlers + total.no_consent, sum(ASKING.values())),
    ):
        assert found == pytest.approx(share * expected, rel=0.4)


def test_refusals_have_their_causes(store: Store) -> None:
    refused = dict(quality(store, "quick-checkout").total.rejected)
    assert list(refused)[:2] == ["wrong_currency", "unknown_variant"]
    assert sum(refused.values()) / quality(store, "quick-checkout").total.received > (
        0.01
    )
    usual = dict(quality(store, "price-table").total.rejected)
    assert usual.keys() <= REFUSED.keys()


def test_installation_counts_everything_once(store: Store) -> None:
    everything = quality(store, None).total
    parts = [quality(store, story.definition.key).total for story in RUNNING]
    assert everything.duplicates == sum(part.duplicates for part in parts)
    assert everything.crawlers == sum(part.crawlers for part in parts)
    assert everything.received < sum(part.received for part in parts)
    assert everything.unassigned == parts[0].unassigned > 0
    days = quality(store, None).days
    assert days[-1].day == NOW.date()
    assert days[0].day >= NOW.date() - timedelta(days=29)
