"""Every oddity of the data flips exactly its own count."""

from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from abtest.domain.access import RIGHTS, KeyKind
from abtest.domain.experiment import Action, ExperimentKey
from abtest.errors import AbtestError
from abtest.services.access import COMMAND_LINE, Caller
from abtest.services.assigning import AssignRequest, assign
from abtest.services.event_rules import EventRequest
from abtest.services.experiments import act_on_experiment, create_experiment
from abtest.services.quality import QualityCounts, read_quality
from abtest.services.recording import record_events
from abtest.store.protocol import Store
from tests.services.definitions import HOME

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BROWSER = Caller(name="pk", rights=RIGHTS[KeyKind.PUBLISHABLE])
SERVER = Caller(name="sk", rights=RIGHTS[KeyKind.SERVER])
CRAWLER = replace(BROWSER, is_crawler=True)
BOUGHT = EventRequest(type="conversion", id="1", visitor="v1", step="purchase")
KEY = ExperimentKey("home")


@pytest.fixture(autouse=True)
def running(store: Store) -> None:
    """The visitor v1 is in the experiment."""
    create_experiment(store, HOME, COMMAND_LINE, NOW)
    act_on_experiment(store, KEY, Action.START, COMMAND_LINE, NOW)
    asked = AssignRequest(visitor="v1")
    assign(store, asked, BROWSER, NOW - timedelta(days=60), is_recorded=True)


def counts(store: Store, key: ExperimentKey | None = KEY) -> dict[str, object]:
    """What is not zero."""
    total = asdict(read_quality(store, key, now=NOW).total)
    return {name: count for name, count in total.items() if count}


def years(count: int) -> timedelta:
    return timedelta(days=365 * count)


def test_nothing_odd_is_counted_of_ordinary_events(store: Store) -> None:
    at = NOW - timedelta(days=6)
    record_events(store, [replace(BOUGHT, at=at)], BROWSER, NOW, sent_at=NOW)
    assert counts(store) == counts(store, None) == {"received": 1}


def test_duplicates(store: Store) -> None:
    record_events(store, [BOUGHT, BOUGHT, BOUGHT], BROWSER, NOW)
    assert counts(store) == {"received": 3, "duplicates": 2}
    assert counts(store, None) == counts(store)


def test_refusals_by_code_belong_to_whom_they_meant(store: Store) -> None:
    wrong = [
        replace(BOUGHT, step="nope"),
        replace(BOUGHT, visitor="me@example.com"),
        replace(BOUGHT, visitor="you@example.com"),
    ]
    record_events(store, wrong, BROWSER, NOW)
    assert counts(store) == {"rejected": (("not_a_person", 2),)}
    both = (("not_a_person", 2), ("unknown_step", 1))
    assert counts(store, None) == {"rejected": both}


@pytest.mark.parametrize(
    ("caller", "days", "is_late"),
    [(BROWSER, 7, False), (BROWSER, 8, True), (SERVER, 30, False), (SERVER, 31, True)],
)
def test_late_events(store: Store, caller: Caller, days: int, is_late: bool) -> None:  # noqa: FBT001 - a column of the table
    record_events(store, [replace(BOUGHT, at=NOW - timedelta(days=days))], caller, NOW)
    assert counts(store) == {"received": 1} | ({"late": 1} if is_late else {})


@pytest.mark.parametrize("skew", [years(5), -years(5), timedelta(minutes=2)])
def test_a_browser_with_a_wrong_clock_loses_nothing(
    store: Store, skew: timedelta
) -> None:
    told = replace(BOUGHT, at=NOW + skew - timedelta(seconds=9))
    result = record_events(store, [told], BROWSER, NOW, sent_at=NOW + skew)
    assert (result.accepted, result.rejected) == (1, ())
    assert counts(store) == {"received": 1, "clock_skewed": 1}


@pytest.mark.parametrize(
    ("ahead", "is_skewed"),
    [(timedelta(seconds=60), False), (timedelta(seconds=61), True)],
)
def test_a_time_ahead_of_ours_is_taken_for_now(
    store: Store,
    ahead: timedelta,
    is_skewed: bool,  # noqa: FBT001 - a column of the table
) -> None:
    record_events(store, [replace(BOUGHT, at=NOW + ahead)], SERVER, NOW)
    wanted = {"received": 1} | ({"clock_skewed": 1} if is_skewed else {})
    assert counts(store) == wanted


def test_conversions_of_nobody_in_an_experiment(store: Store) -> None:
    record_events(store, [replace(BOUGHT, visitor="v2")], BROWSER, NOW)
    assert counts(store) == {"received": 1, "unassigned": 1}


def test_crawlers_and_visitors_without_consent(store: Store) -> None:
    asked = AssignRequest(visitor="v3")
    assign(store, asked, CRAWLER, NOW, is_recorded=True)
    assign(store, replace(asked, consent=False), BROWSER, NOW, is_recorded=True)
    assign(store, replace(asked, consent=False), BROWSER, NOW, is_recorded=False)
    assert counts(store) == {"crawlers": 1, "no_consent": 1}
    assert counts(store, None) == counts(store)


def test_days_are_those_of_utc(store: Store) -> None:
    evening = datetime.fromisoformat("2026-03-01T23:30:00-02:00")
    record_events(store, [BOUGHT], BROWSER, evening)
    record_events(store, [BOUGHT], BROWSER, NOW - timedelta(days=1))
    quality = read_quality(store, None, now=NOW, days=2)
    assert quality.since == date(2026, 3, 1)
    assert [(d.day, d.counts.duplicates) for d in quality.days] == [
        (date(2026, 3, 1), 1),
        (date(2026, 3, 2), 0),
    ]
    assert isinstance(quality.total, QualityCounts)
    assert read_quality(store, None, now=NOW, days=1).total.received == 1


def test_an_unknown_experiment_has_none(store: Store) -> None:
    with pytest.raises(AbtestError):
        read_quality(store, ExperimentKey("nope"), now=NOW)
