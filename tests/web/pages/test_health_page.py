"""The page of data quality: every oddity shows on its own line, and only there."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from abtest.domain.access import RIGHTS, KeyKind
from abtest.domain.experiment import Action
from abtest.services.access import COMMAND_LINE, Caller
from abtest.services.event_rules import EventRequest
from abtest.services.experiments import act_on_experiment
from abtest.services.recording import record_events
from abtest.store.protocol import Store
from tests.services.traffic import KEY, START, Cohort, events, running
from tests.web.pages.reading import elements, text_of

PAGE = "/experiments/home/health"
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
BROWSER = Caller(name="pk", rights=RIGHTS[KeyKind.PUBLISHABLE])
BOUGHT = EventRequest(type="conversion", step="purchase", visitor="a-0-0")


def states(page: str) -> dict[str, str]:
    """Return the tone of each line."""
    return {
        e.attributes["id"]: e.attributes["class"].removeprefix("tone-")
        for e in elements(page)
        if e.tag == "li" and "id" in e.attributes
    }


def fill(store: Store, *, days: range = range(74), b: int = 40) -> None:
    """Fill every day up to yesterday."""
    store.add_experiment(running())
    cohorts = [
        Cohort(variant=key, day=day, visitors=count, first=12, second=3)
        for day in days
        for key, count in (("a", 40), ("b", b))
    ]
    store.record(events(cohorts), received_at=NOW)


def send(store: Store, *told: EventRequest) -> None:
    record_events(store, told, BROWSER, NOW, sent_at=NOW)


def test_when_all_is_well(reader: FlaskClient, store: Store) -> None:
    fill(store)
    send(store, replace(BOUGHT, id="1"))
    page = reader.get(PAGE).text
    assert "Everything that was checked is in order." in text_of(page, "quality")
    assert set(states(page).values()) == {"good", "quiet"}
    assert "A 50.0% 2,960 50.00%" in [e.text for e in elements(page) if e.tag == "tr"]


@pytest.mark.parametrize(
    ("told", "line", "found"),
    [
        (replace(BOUGHT, id="2", step="nothing"), None, ""),
        (replace(BOUGHT, id="2", value=-1), "refused", "a negative amount"),
        (replace(BOUGHT, id="2", at=NOW - timedelta(days=9)), "late", "1 event came"),
        (
            replace(BOUGHT, id="2", at=NOW + timedelta(hours=1)),
            "clock-skewed",
            "1 time was put right",
        ),
    ],
)
def test_an_oddity_shows_on_its_own_line(
    reader: FlaskClient,
    store: Store,
    told: EventRequest,
    line: str | None,
    found: str,
) -> None:
    fill(store)
    send(store, replace(BOUGHT, id="1"), told)
    page = reader.get(PAGE).text
    odd = [key for key, tone in states(page).items() if tone == "choice"]
    assert odd == ([line] if line else [])
    if line:
        assert found in text_of(page, line)
        assert "What to do:" in text_of(page, line)
        assert "In order: at most" in text_of(page, line)
        assert "1 point deserves a closer look" in text_of(page, "quality")


def test_conversions_without_assignment(reader: FlaskClient, store: Store) -> None:
    fill(store)
    send(store, *(replace(BOUGHT, id=f"{n}", visitor=f"x{n}") for n in range(3)))
    page = reader.get(PAGE).text
    assert "3 conversions came from persons who were in no experiment." in text_of(
        page, "unassigned"
    )
    assert states(page)["unassigned"] == "choice"


def test_what_comes_twice_is_no_fault(reader: FlaskClient, store: Store) -> None:
    fill(store)
    send(store, replace(BOUGHT, id="1"), replace(BOUGHT, id="1"))
    page = reader.get(PAGE).text
    assert "1 event had come before and was dropped." in text_of(page, "duplicates")
    assert states(page)["duplicates"] == "good"


def test_a_day_without_visitors_is_named(reader: FlaskClient, store: Store) -> None:
    store.add_experiment(running())
    cohorts = [
        Cohort(variant=key, day=day, visitors=40, first=12, second=3)
        for day in range(74)
        if day != 7
        for key in "ab"
    ]
    store.record(events(cohorts), received_at=NOW)
    page = reader.get(PAGE).text
    assert "On 1 day nobody came: 12 Jan 2026." in text_of(page, "gaps")
    assert states(page)["gaps"] == "choice"
    assert page.count('class="no-day"') == 1


def test_a_lost_variant_blocks(reader: FlaskClient, store: Store) -> None:
    fill(store, b=30)
    page = reader.get(PAGE).text
    assert states(page)["sample-ratio"] == "bad"
    assert "must not be used" in text_of(page, "quality")
    assert "In order: below 100" in text_of(page, "sample-ratio")


def test_what_people_changed_is_listed(reader: FlaskClient, store: Store) -> None:
    fill(store)
    act_on_experiment(store, KEY, Action.PAUSE, COMMAND_LINE, NOW, note="Broken page")
    changes = text_of(reader.get(PAGE).text, "changes")
    assert changes.index("paused Broken page") < changes.index("started")
    assert START.strftime("%-d Jan %Y") in changes


def test_before_anybody_came_it_says_what_to_do(
    reader: FlaskClient, store: Store
) -> None:
    store.add_experiment(running())
    page = reader.get(PAGE).text
    assert "nobody has come yet" in text_of(page, "quality")
    assert "Nobody has seen this experiment yet." in text_of(page, "days")
    assert "Check the installation" in text_of(page, "days")
    assert "Nothing came in" in text_of(page, "arrivals")
