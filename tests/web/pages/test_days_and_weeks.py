"""The results page beside the report: days, weeks, certainty, prices, groups."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from flask.testing import FlaskClient

from abtest.domain.events import Conversion, Event, EventId, Exposure
from abtest.domain.experiment import Method, VisitorId
from abtest.domain.funnel import MoneyWeights, StepKey
from abtest.domain.visitor import to_milliseconds
from abtest.services.calculating import OwnProcess
from abtest.services.shelf import Shelf
from abtest.store.protocol import Store
from tests.conftest import Clock
from tests.services.traffic import KEY, START, Cohort, events, running
from tests.web.pages.reading import elements, text_of

PAGE = "/experiments/home"


def with_devices(found: list[Event]) -> list[Event]:
    """Let every second visitor come with a telephone, one in a hundred with neither."""
    told: list[Event] = []
    for event in found:
        if isinstance(event, Exposure):
            number = int(event.visitor.rpartition("-")[2])
            device = "mobile" if number % 2 else "desktop"
            if number % 100:
                told.append(replace(event, attributes_json=f'{{"device":"{device}"}}'))
                continue
        told.append(event)
    return told


@pytest.fixture
def grouped(store: Store) -> Store:
    store.add_experiment(running(method=Method.SEQUENTIAL, effect=0.3))
    cohorts = [
        Cohort(variant=key, day=day, visitors=100, first=first, second=second)
        for day in range(20)
        for key, first, second in (("a", 40, 6), ("b", 38, 14))
    ]
    store.record(with_devices(events(cohorts)), received_at=START)
    return store


@pytest.mark.usefixtures("shop")
def test_the_days_end_with_the_difference_of_the_report(reader: FlaskClient) -> None:
    page = reader.get(PAGE).text
    content = reader.get(f"{PAGE}/report.json").get_json()
    effect = content["comparisons"][0]["value"]["frequentist"]["effect"]
    days = text_of(page, "over-time")
    assert "points per 1,000 visitors" in days
    assert f"19 Mar 2026 4,000 +{1000 * effect:.0f} " in days


@pytest.mark.usefixtures("shop")
def test_weeks_show_what_was_sent(reader: FlaskClient) -> None:
    page = reader.get(PAGE).text
    weeks = text_of(page, "cohorts")
    # 700 visitors of A in each whole week; 6 of 100 buy again after five days.
    assert "5 Jan 700 6.0 6.0" in weeks
    assert "5 Jan 700 14.0 14.0" in weeks
    assert 'title="still growing"' not in page


def test_before_anything_is_known_there_are_visitors_by_day(
    reader: FlaskClient, store: Store, clock: Clock
) -> None:
    clock.time = datetime(2026, 1, 15, 12, tzinfo=UTC)
    store.add_experiment(running(method=Method.SEQUENTIAL))
    cohorts = [
        Cohort(variant=key, day=0, visitors=50, first=5, second=0) for key in "ab"
    ]
    store.record(events(cohorts), received_at=clock.time)
    page = reader.get(PAGE).text
    # Exposed on 5 January and followed for 30 days: complete on 4 February.
    assert "The first difference can be shown from 4 Feb 2026" in page
    assert "+" in text_of(page, "cohorts")


@pytest.mark.usefixtures("shop")
def test_certainty_is_a_picture_and_sentences(reader: FlaskClient) -> None:
    sure = text_of(reader.get(PAGE).text, "sure")
    assert "B is better than A" in sure
    assert "you lose" in sure
    checks = text_of(reader.get(PAGE).text, "checks")
    assert "Without approximation" in checks
    assert "With what was known" not in checks


def test_prices_stand_where_revenue_decides(reader: FlaskClient, store: Store) -> None:
    store.add_experiment(running(weights=MoneyWeights(currency="EUR")))
    cohorts = [
        Cohort(variant=key, day=day, visitors=100, first=20, second=second)
        for day in range(20)
        for key, second in (("a", 4), ("b", 9))
    ]
    store.record(events(cohorts), received_at=START)
    price = text_of(reader.get(PAGE).text, "price")
    # A: 24 orders of 20 euros from 100 visitors, 20 of them customers.
    assert "A €4.80" in price
    assert "€24.00" in price


@pytest.mark.usefixtures("shop")
def test_without_revenue_that_decides_there_are_no_prices(reader: FlaskClient) -> None:
    assert 'id="price"' not in reader.get(PAGE).text


@pytest.mark.usefixtures("grouped")
def test_groups_are_an_exploration(reader: FlaskClient) -> None:
    teaser = text_of(reader.get(PAGE).text, "segments")
    assert "Device" in teaser
    page = reader.get(f"{PAGE}/segments").text
    assert "An exploration, no verdict." in page
    rows = [e.text for e in elements(page) if e.tag == "tr"]
    # 100 visitors a day, every second one with a telephone; one of 100 brings nothing.
    assert any(row.startswith("Phone 1,000 1,000") for row in rows)
    assert any(row.startswith("Computer 980 980") for row in rows)
    assert any(row.startswith("Not known 20 20") for row in rows)
    assert "comparisons were made" in page


@pytest.mark.usefixtures("grouped")
def test_an_attribute_that_is_not_known_shows_one_that_is(reader: FlaskClient) -> None:
    page = reader.get(f"{PAGE}/segments?attribute=colour").text
    (chosen,) = (
        e
        for e in elements(page)
        if e.attributes.get("class") == "chip" and "aria-current" in e.attributes
    )
    assert chosen.text == "Device"


@pytest.mark.usefixtures("shop")
def test_without_attributes_the_page_says_what_to_do(reader: FlaskClient) -> None:
    page = reader.get(f"{PAGE}/segments").text
    assert "There are no groups yet" in page
    assert f'href="{PAGE}/install"' in page


def test_segments_of_nothing_are_not_found(reader: FlaskClient) -> None:
    assert reader.get("/experiments/no-such/segments").status_code == 404


def count_calls(store: Store, *, calls: list[str]) -> int:
    del store
    calls.append("again")
    return len(calls)


def test_answers_are_kept_until_something_changes(shop: Store, clock: Clock) -> None:
    calls: list[str] = []
    shelf = Shelf(shop, OwnProcess(lambda: shop), kept=2)
    task = partial(count_calls, calls=calls)

    def ask(name: str) -> int:
        return shelf.answer(KEY, task, name=name, now=clock.time)

    assert [ask("a"), ask("a"), ask("b"), ask("a")] == [1, 1, 2, 1]
    late = Cohort(variant="a", day=30, visitors=1, first=0, second=0)
    shop.record(
        [replace(e, id=EventId(b"\xff" * 16)) for e in events([late])],
        received_at=clock.time,
    )
    assert ask("a") == 3
    experiment = shop.get_experiment(KEY)
    shop.replace_experiment(replace(experiment, name="New", version=2))
    assert [ask("a"), ask("c"), ask("d"), ask("a")] == [4, 5, 6, 7]


def test_answers_of_all_events_are_kept_until_one_comes(
    shop: Store, clock: Clock
) -> None:
    calls: list[str] = []
    shelf = Shelf(shop, OwnProcess(lambda: shop))
    task = partial(count_calls, calls=calls)

    def ask(name: str = "a") -> int:
        return shelf.answer_of_all_events(task, name=name, now=clock.time)

    assert [ask(), ask(), ask("b"), ask()] == [1, 1, 2, 1]
    third = Conversion(
        id=EventId(b"\xfe" * 16),
        at=to_milliseconds(START),
        visitor=VisitorId("passer-by"),
        step=StepKey("purchase"),
    )
    shop.record([third], received_at=clock.time)
    assert [ask(), ask()] == [3, 3]
    clock.time += timedelta(minutes=15)
    assert ask() == 4
    experiment = shop.get_experiment(KEY)
    shop.replace_experiment(replace(experiment, name="New", version=2))
    assert ask() == 5
