"""What we learned: decisions with what was known then, searched and compared."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from abtest.domain.experiment import Action, ExperimentKey, Method
from abtest.services.access import COMMAND_LINE
from abtest.services.experiments import act_on_experiment
from abtest.store.protocol import Store
from tests.services.traffic import KEY, running
from tests.web.pages.reading import by_attribute, elements, text_of

PAGE = "/learnings"
DECIDED = datetime(2026, 3, 15, 12, tzinfo=UTC)
OTHER = ExperimentKey("other")


@pytest.fixture
def decided(shop: Store) -> Store:
    """The shop's experiment is decided; another one was stopped without visitors."""
    act_on_experiment(
        shop,
        KEY,
        Action.DECIDE,
        COMMAND_LINE,
        DECIDED,
        variant="b",
        note="Try it in the basket too.",
    )
    shop.add_experiment(
        replace(running(method=Method.SEQUENTIAL), key=OTHER, name="Nobody's")
    )
    act_on_experiment(shop, OTHER, Action.STOP, COMMAND_LINE, DECIDED.replace(day=16))
    return shop


def names(page: str) -> list[str]:
    return [
        e.attributes["data-experiment"] for e in by_attribute(page, "data-experiment")
    ]


@pytest.mark.usefixtures("decided")
def test_a_decision_with_its_effect(reader: FlaskClient) -> None:
    page = reader.get(PAGE).text
    assert names(page) == ["home", "other"] or names(page) == ["other", "home"]
    (home,) = (
        e.text
        for e in by_attribute(page, "data-experiment")
        if e.attributes["data-experiment"] == "home"
    )
    assert "Honesty <b>pays</b>." in home
    assert "“B” was chosen on 15 Mar 2026. Try it in the basket too." in home
    assert "B against A, as known on that day:" in home
    # 40 and 38 of 100, then 6 and 14 of 100; a second one counts three.
    assert "First conversion, per 1,000 visitors \N{MINUS SIGN}20" in home
    assert "Second conversion, per 1,000 visitors +80" in home
    assert "+220 points" in home


@pytest.mark.usefixtures("decided")
def test_the_effect_is_that_of_the_report_of_the_day(reader: FlaskClient) -> None:
    report = reader.get("/experiments/home/report.json").get_json()
    page = reader.get(PAGE).text
    assert report["as_of"] == "2026-03-19"
    assert "5 Jan 2026 to 15 Mar 2026" in page


@pytest.mark.usefixtures("decided")
def test_without_visitors_there_is_nothing_to_tell(reader: FlaskClient) -> None:
    (other,) = (
        e.text
        for e in by_attribute(reader.get(PAGE).text, "data-experiment")
        if e.attributes["data-experiment"] == "other"
    )
    assert "Stopped on 16 Mar 2026 without a decision." in other
    assert "On that day there was nothing to compare yet." in other


@pytest.mark.usefixtures("decided")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("HONESTY", ["home"]),
        ("basket honesty", ["home"]),
        ("nobody", ["other"]),
        ("no such thing", []),
    ],
)
def test_all_words_must_be_there(
    reader: FlaskClient, words: str, found: list[str]
) -> None:
    page = reader.get(PAGE, query_string={"q": words}).text
    assert names(page) == found
    assert ("No finished experiment has these words." in page) == (not found)


def test_experiments_are_compared_in_one_chart_for_each_measure(
    reader: FlaskClient, decided: Store
) -> None:
    del decided
    page = reader.get(f"{PAGE}?compare=home&compare=other").text
    comparison = text_of(page, "comparison")
    assert "First conversions per 1,000 visitors" in comparison
    charts = [e for e in elements(page) if e.attributes.get("role") == "img"]
    assert len(charts) == 2
    assert "+80" in charts[1].text
    ids = [e.attributes["id"] for e in by_attribute(page, "id")]
    assert len(ids) == len(set(ids))


@pytest.mark.usefixtures("decided")
def test_one_experiment_is_no_comparison(reader: FlaskClient) -> None:
    page = reader.get(f"{PAGE}?compare=home").text
    assert "Please choose two experiments or more to compare." in page
    assert 'id="comparison"' not in page


def test_an_experiment_stopped_on_the_day_of_its_start(
    reader: FlaskClient, store: Store
) -> None:
    experiment = running()
    store.add_experiment(experiment)
    started = experiment.started_at
    assert started is not None
    act_on_experiment(store, KEY, Action.STOP, COMMAND_LINE, started)
    assert "nothing to compare yet" in reader.get(PAGE).text


@pytest.mark.usefixtures("shop")
def test_while_nothing_is_finished_it_says_what_comes(reader: FlaskClient) -> None:
    page = reader.get(PAGE).text
    assert "Nothing is finished yet" in page
    assert "Once you decide or stop an experiment" in page


def test_many_are_shown_leaf_by_leaf(reader: FlaskClient, store: Store) -> None:
    for number in range(25):
        draft = running()
        key = ExperimentKey(f"e{number:02}")
        store.add_experiment(replace(draft, key=key))
        at = DECIDED.replace(minute=number)
        act_on_experiment(store, key, Action.STOP, COMMAND_LINE, at)
    first = reader.get(PAGE).text
    assert names(first) == [f"e{n:02}" for n in range(24, 4, -1)]
    assert 'from=20">Older' in first
    second = reader.get(f"{PAGE}?from=20").text
    assert names(second) == [f"e{n:02}" for n in range(4, -1, -1)]
    assert "Newer" in second
    assert names(reader.get(f"{PAGE}?from=junk").text) == names(first)
