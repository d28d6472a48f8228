"""Setting up: the worth, the planner, past traffic and the checklist."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from abtest.domain.experiment import ExperimentKey
from abtest.domain.funnel import Repeat
from abtest.services.set_up_notes import SetUpNotes, past_visitors_per_day, read_notes
from abtest.store.protocol import Store
from tests.conftest import Clock
from tests.web.pages.filling import typed, values, wrong
from tests.web.pages.reading import elements


def test_the_worth_of_a_second_conversion_is_worked_out(reader: FlaskClient) -> None:
    """(20 + 30 % x 50) / 12.50 = 2.8 by hand."""
    sums = {
        "first_profit": "12,50",
        "second_profit": "20",
        "later_share": "30",
        "later_profit": "50",
    }
    answer = reader.post("/experiments/new", data=typed(do="worth", **sums))
    assert answer.status_code == 200
    assert values(answer.text)["second_points"] == "2.8"
    assert "2.8 times" in answer.text
    nothing = reader.post("/experiments/new", data=typed(do="worth", first_profit="0"))
    assert nothing.status_code == 422
    assert "Fill this in." in wrong(nothing.text)["second_profit"]


def test_the_planner_agrees_with_statsmodels(reader: FlaskClient) -> None:
    """Points 1 and 0: the plan of a plain rate, 5 % against 5.5 %, one look."""
    plan = {
        "do": "plan",
        "method": "fixed",
        "coverage": "100",
        "second_points": "0",
        "window_days": "0",
        "visitors_per_day": "1000",
        "first_rate": "5",
        "repeat_rate": "0",
    }
    answer = reader.post("/experiments/new", data=typed(**plan))
    assert answer.status_code == 200
    figures = [e for e in elements(answer.text) if e.tag == "dd"]
    each = int(figures[0].text.replace(",", ""))
    size = NormalIndPower().solve_power(
        proportion_effectsize(0.055, 0.05), alpha=0.05, power=0.8
    )
    # The planner takes the variance of the raw rates, statsmodels the arcsine, and
    # whole days of 500 visitors are sent.
    assert each == pytest.approx(size, rel=0.05)
    assert "Decide on" in answer.text
    assert 'id="plan-curve-title"' in answer.text


def test_the_planner_warns_of_a_long_experiment(reader: FlaskClient) -> None:
    plan = {"visitors_per_day": "100", "first_rate": "3", "repeat_rate": "20"}
    page = reader.post("/experiments/new", data=typed(do="plan", **plan)).text
    assert "cannot be found with these visitors" in page or "8 weeks" in page


def test_the_planner_says_what_it_needs(reader: FlaskClient) -> None:
    answer = reader.post("/experiments/new", data=typed(do="plan"))
    assert answer.status_code == 422
    assert set(wrong(answer.text)) == {"visitors_per_day", "first_rate", "repeat_rate"}


@pytest.mark.usefixtures("shop")
def test_rates_and_visitors_come_from_an_earlier_experiment(
    reader: FlaskClient, store: Store, clock: Clock
) -> None:
    """The shop had 200 visitors a day for 20 days."""
    found = past_visitors_per_day(store, ExperimentKey("home"), now=clock.time)
    assert found == pytest.approx(200)
    page = reader.post("/experiments/new", data=typed(do="past", history="home")).text
    assert values(page)["visitors_per_day"] == "200"
    plan = typed(do="plan", history="home", visitors_per_day="200")
    answer = reader.post("/experiments/new", data=plan)
    assert answer.status_code == 200
    assert "It rests on home" in answer.text
    none = reader.post("/experiments/new", data=typed(do="past"))
    assert "Choose an earlier experiment" in wrong(none.text)["history"]


def test_the_plan_stays_with_the_draft(reader: FlaskClient, store: Store) -> None:
    told = {"visitors_per_day": "1,500", "first_rate": "4.5", "repeat_rate": "20"}
    answer = reader.post("/experiments/new", data=typed(**told))
    notes = read_notes(store, ExperimentKey("groessere-ueberschrift"))
    assert notes == SetUpNotes(
        page_url="https://www.example.com/landing?a=1#top",
        visitors_per_day=1500,
        first_rate=0.045,
        repeat_rate=0.2,
    )
    assert "Decide on" in reader.get(answer.location).text


def test_the_checklist_tells_what_is_open(reader: FlaskClient) -> None:
    answer = reader.post("/experiments/new", data=typed(hypothesis=""))
    page = reader.get(answer.location).text
    section = page[page.index('id="checklist"') : page.index('id="life"')]
    lines = [
        e.text
        for e in elements(
            f"<ul{section.partition('<ul')[2].partition('</section>')[0]}"
        )
        if e.tag == "li"
    ]
    assert [line for line in lines if " open" in line and "hypothesis" in line]
    assert [line for line in lines if "window done" in line]
    assert [line for line in lines if "planned open" in line]
    assert [line for line in lines if "key open" in line]


def test_a_second_conversion_out_of_reach_is_open(
    reader: FlaskClient, store: Store
) -> None:
    answer = reader.post("/experiments/new", data=typed(first="1", second="0"))
    assert "Within the window nobody can reach" in reader.get(answer.location).text
    draft = store.get_experiment(ExperimentKey("groessere-ueberschrift"))
    gap = Repeat(step=draft.goal.first, min_gap_hours=24 * 40)
    late = replace(
        draft,
        goal=replace(draft.goal, second=gap),
        version=draft.version + 1,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    store.replace_experiment(late)
    assert "Within the window nobody can reach" in reader.get(answer.location).text
