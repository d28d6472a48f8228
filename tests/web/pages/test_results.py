"""The results page: its order, its numbers, and that they are those of the API."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import Client

from abtest.domain.access import KeyKind
from abtest.domain.experiment import Action, Method
from abtest.domain.funnel import MoneyWeights
from abtest.services.access import COMMAND_LINE, create_key
from abtest.store.protocol import Store
from tests.conftest import Clock
from tests.services.traffic import KEY, START, Cohort, events, running
from tests.web.pages.reading import (
    by_attribute,
    elements,
    printed_value,
    sections,
    text_of,
    value_at,
)

PAGE = "/experiments/home"
SECTIONS = [
    "verdict",
    "tested",
    "health",
    "funnel",
    "difference",
    "worth",
    "gain",
    "maturity",
    "over-time",
    "sure",
    "checks",
    "segments",
    "quality",
    "method",
    "log",
    "exports",
]


def assert_equal_to(page: str, content: object) -> int:
    """Compare every number of the page with the JSON report; return how many."""
    found = [e for e in by_attribute(page, "data-path") if "data-value" in e.attributes]
    for element in found:
        path = element.attributes["data-path"]
        assert printed_value(element) == value_at(content, path), path
    for element in by_attribute(page, "data-part"):
        part = value_at(content, element.attributes["data-part"])
        whole = value_at(content, element.attributes["data-whole"])
        assert isinstance(part, int)
        assert isinstance(whole, int)
        shown = float(element.text.rstrip("%"))
        assert shown == pytest.approx(100 * part / whole, abs=0.051), element
    (sentence,) = (
        e.text
        for e in by_attribute(page, "data-path")
        if e.attributes["data-path"] == "verdict.sentence"
    )
    assert sentence == value_at(content, "verdict.sentence")
    return len(found)


def money_of_three(store: Store) -> None:
    store.add_experiment(
        running(weights=MoneyWeights(currency="EUR"), variants=("a", "b", "c"))
    )
    rates = (("a", 20, 4, 2000), ("b", 20, 9, 2500), ("c", 17, 4, 1900))
    store.record(
        events(
            [
                Cohort(
                    variant=key,
                    day=day,
                    visitors=60,
                    first=first,
                    second=second,
                    value=value,
                )
                for day in range(20)
                for key, first, second, value in rates
            ]
        ),
        received_at=START + timedelta(days=40),
    )


@pytest.mark.usefixtures("shop")
def test_the_sections_stand_in_their_order(reader: FlaskClient) -> None:
    assert sections(reader.get(PAGE).text) == SECTIONS


@pytest.mark.usefixtures("shop")
def test_every_number_is_one_of_the_api(
    reader: FlaskClient, client: Client, store: Store, clock: Clock
) -> None:
    key = create_key(store, KeyKind.READ, name="", caller=COMMAND_LINE, now=clock.time)
    answer = client.get(
        "/api/v1/experiments/home/report?lang=en",
        headers={"Authorization": f"Bearer {key.secret}"},
    )
    assert assert_equal_to(reader.get(PAGE).text, answer.get_json()) > 60
    assert reader.get(f"{PAGE}/report.json").data == answer.data


@pytest.mark.parametrize("language", ["de", "en"])
def test_three_variants_and_money_agree_too(
    reader: FlaskClient, store: Store, language: str
) -> None:
    money_of_three(store)
    headers = {"Accept-Language": language}
    content = reader.get(f"{PAGE}/report.json", headers=headers).get_json()
    page = reader.get(PAGE, headers=headers).text
    if language == "de":
        page = re.sub(r"(\d),(\d+)\s%</span>", r"\1.\2%</span>", page)
    assert assert_equal_to(page, content) > 90
    assert ("je Besucher" if language == "de" else "per visitor") in text_of(
        page, "difference"
    )


@pytest.mark.usefixtures("shop")
def test_the_winner_and_what_to_do(reader: FlaskClient) -> None:
    page = reader.get(PAGE).text
    (panel,) = by_attribute(page, "data-code")
    assert panel.attributes["data-code"] == "winner"
    assert panel.text.startswith("B is better than A.")
    assert "You can switch to B." in panel.text


@pytest.mark.usefixtures("shop")
def test_what_people_wrote_is_escaped(reader: FlaskClient) -> None:
    page = reader.get(PAGE).text
    assert "Honesty &lt;b&gt;pays&lt;/b&gt;." in page
    assert "<b>pays" not in page


@pytest.mark.usefixtures("shop")
def test_another_worth_can_be_tried_without_a_script(reader: FlaskClient) -> None:
    page = reader.get(f"{PAGE}?second_weight=0.5").text
    content = reader.get(f"{PAGE}/report.json?second_weight=0.5").get_json()
    assert_equal_to(page, content)
    assert content["weights"]["second"] == 0.5
    assert "You are trying out a worth that was not declared." in page
    (field,) = (e for e in elements(page) if e.attributes.get("id") == "second-weight")
    assert field.attributes["value"] == "0.5"
    declared = reader.get(f"{PAGE}?second_weight=").text
    assert "You are trying out" not in declared


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("weight", ["much", "nan", "1e999"])
def test_a_worth_that_is_no_number_is_refused(reader: FlaskClient, weight: str) -> None:
    answer = reader.get(f"{PAGE}?second_weight={weight}")
    assert answer.status_code == 400
    assert "use one like 2.5" in answer.text


@pytest.mark.usefixtures("shop")
def test_the_raw_counts_are_those_that_were_sent(reader: FlaskClient) -> None:
    rows = [e.text for e in elements(reader.get(PAGE).text) if e.tag == "tr"]
    assert "A 2,000 800 120" in rows
    assert "B 2,000 760 280" in rows


@pytest.mark.usefixtures("shop")
def test_both_denominators_are_printed(reader: FlaskClient) -> None:
    funnel = text_of(reader.get(PAGE).text, "funnel")
    assert "760 38.0% of 2,000" in funnel
    assert "280 14.0% of 2,000 36.8% of 760: Purchase" in funnel


@pytest.mark.usefixtures("shop")
def test_charts_have_names_and_unique_ids(reader: FlaskClient) -> None:
    page = reader.get(PAGE).text
    ids = [e.attributes["id"] for e in by_attribute(page, "id")]
    assert len(ids) == len(set(ids))
    charts = [e for e in elements(page) if e.attributes.get("role") == "img"]
    assert len(charts) == 6
    for one in charts:
        assert set(one.attributes["aria-labelledby"].split()) <= set(ids)


@pytest.mark.usefixtures("shop")
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(
    reader: FlaskClient,
) -> None:
    for element in elements(reader.get(PAGE).text):
        assert "style" not in element.attributes
        assert not any(name.startswith("on") for name in element.attributes)
        assert element.tag != "style"
        if element.tag == "script":
            assert element.text == ""
        for name in ("src", "href", "action"):
            assert element.attributes.get(name, "/").startswith(("/", "#"))


@pytest.mark.usefixtures("shop")
def test_the_log_tells_what_was_done(
    reader: FlaskClient, store: Store, clock: Clock
) -> None:
    before = store.get_experiment(KEY)
    after = before.after(Action.STOP, clock.time, "traffic is needed elsewhere")
    store.replace_experiment(replace(after, version=before.version + 1))
    log = text_of(reader.get(PAGE).text, "log")
    assert "20 Mar 2026" in log
    assert "stopped traffic is needed elsewhere" in log
    assert log.index("stopped") < log.index("started")


def test_before_the_window_is_over_the_page_names_the_day(
    reader: FlaskClient, store: Store, clock: Clock
) -> None:
    clock.time = datetime(2026, 1, 15, 12, tzinfo=UTC)
    store.add_experiment(running(method=Method.SEQUENTIAL))
    cohorts = [
        Cohort(variant=key, day=0, visitors=50, first=5, second=0) for key in "ab"
    ]
    store.record(events(cohorts), received_at=clock.time)
    page = reader.get(PAGE).text
    content = reader.get(f"{PAGE}/report.json").get_json()
    assert_equal_to(page, content)
    assert content["verdict"]["code"] == "too_early"
    # Exposed on 5 January, lags 0 to 30 complete on 4 February: known a day later.
    assert "a decision is possible from 5 Feb 2026 at the earliest" in page
    assert "Nobody has been followed for the whole window yet." in page
    assert "None" not in page


def test_an_experiment_nobody_has_seen_shows_no_empty_tables(
    reader: FlaskClient, store: Store
) -> None:
    store.add_experiment(running())
    page = reader.get(PAGE).text
    assert sections(page) == [
        "verdict",
        "tested",
        "health",
        "maturity",
        "quality",
        "method",
        "log",
        "exports",
    ]
    assert "Nobody has seen this experiment yet." in page


def test_an_unknown_experiment_is_not_found(reader: FlaskClient) -> None:
    answer = reader.get("/experiments/no-such")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
