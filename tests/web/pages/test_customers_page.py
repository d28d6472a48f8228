"""The customers' page: figures, definitions, and what the form asks."""

import pytest
from flask.testing import FlaskClient

from abtest.domain.funnel import MoneyWeights
from abtest.store.protocol import Store
from tests.services.traffic import START, Cohort, events, running
from tests.web.pages.conftest import SAME_SITE
from tests.web.pages.reading import by_attribute, elements, sections, text_of

PAGE = "/experiments/home/customers"
MONTHS_LATER = START.replace(month=4)


@pytest.fixture
def money(store: Store) -> Store:
    """Of 100 visitors of A 40 buy for 20, 10 of them again; of B 20, and 10 again."""
    store.add_experiment(running(weights=MoneyWeights(currency="EUR")))
    cohorts = [
        Cohort(variant=key, day=0, visitors=100, first=first, second=10, gap=20)
        for key, first in (("a", 40), ("b", 20))
    ]
    store.record(events(cohorts), received_at=MONTHS_LATER)
    return store


def rows(page: str) -> dict[str, str]:
    """Return the rows of the table by the text of their name."""
    table = page.partition('<section id="as-table"')[2]
    return {
        line.partition("</th>")[0].rpartition(">")[2]: line
        for line in table.split("<tr>")
        if 'scope="row"' in line
    }


@pytest.mark.usefixtures("money")
def test_the_figures_by_hand(reader: FlaskClient) -> None:
    page = reader.get(PAGE).text
    assert sections(page) == ["meaning", "in-window", "over-periods", "as-table"]
    found = rows(page)
    assert "40" in found["Customers followed for the whole window"]
    assert "€20.00" in found["Average order value"]
    assert "25.0%" in found["Repeat customer rate"]
    assert "50.0%" in found["Repeat customer rate"]
    # 50 orders for 20 / 40 customers, and 30 / 20.
    assert "€25.00" in found["Value per customer"]
    assert "€30.00" in found["Value per customer"]
    # 20 x 0.25, and 20 x 0.5.
    assert "€5.00" in found["Simple lifetime value"]
    assert "€10.00" in found["Simple lifetime value"]


@pytest.mark.usefixtures("money")
def test_the_page_says_why_it_never_decides(reader: FlaskClient) -> None:
    meaning = text_of(reader.get(PAGE).text, "meaning")
    assert "never the verdict" in meaning
    assert "who becomes a customer depends on the variant" in meaning


@pytest.mark.usefixtures("money")
def test_the_cost_of_a_customer_is_taken_off(reader: FlaskClient) -> None:
    page = reader.get(f"{PAGE}?acquisition_cost=1.50").text
    assert "€3.50" in rows(page)["Simple lifetime value"]
    assert "less what winning a customer costs (€1.50)" in page
    german = reader.get(
        f"{PAGE}?acquisition_cost=1,50", headers={"Accept-Language": "de"}
    ).text
    assert "3,50\N{NO-BREAK SPACE}€" in german


@pytest.mark.usefixtures("money")
def test_periods_and_loyalty_are_chosen(reader: FlaskClient) -> None:
    # 5 to 19 January, then 20 January to 3 February would need another day: the last
    # complete day is 19 March, so two periods of 54 days begin on 2 December.
    page = reader.get(f"{PAGE}?period_days=54&loyal_purchases=2").text
    text = text_of(page, "over-periods")
    assert "from 2 Dec 2025 to 24 Jan 2026" in text
    assert "from 25 Jan 2026 to 19 Mar 2026" in text
    found = rows(page)
    # 10 of the 40 customers of A came back on 25 January, and bought twice.
    assert "25.0%" in found["Retention"]
    assert "75.0%" in found["Churn"]
    assert "25.0%" in found["Loyal customers"]
    assert "bought 2 times or more" in page


@pytest.mark.usefixtures("money")
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("period_days=0", "period_days"),
        ("period_days=1.5", "period_days"),
        ("period_days=9999", "period_days"),
        ("loyal_purchases=many", "loyal_purchases"),
        ("acquisition_cost=-1", "acquisition_cost"),
        ("acquisition_cost=1e30", "acquisition_cost"),
    ],
)
def test_what_cannot_be_used_is_said_and_kept(
    reader: FlaskClient, query: str, field: str
) -> None:
    answer = reader.get(f"{PAGE}?{query}")
    assert answer.status_code == 422
    (box,) = (e for e in elements(answer.text) if e.attributes.get("id") == field)
    assert box.attributes["value"] == query.partition("=")[2]
    assert box.attributes["aria-invalid"] == "true"
    assert f"{field}-wrong" in box.attributes["aria-describedby"]
    assert f'href="#{field}"' in answer.text
    # The figures are the usual ones.
    assert "€20.00" in rows(answer.text)["Average order value"]


def test_before_the_window_is_over_it_says_so(
    reader: FlaskClient, store: Store
) -> None:
    store.add_experiment(running())
    page = reader.get(PAGE).text
    shown = page.partition('<section id="as-table"')[0]
    assert shown.count("Nobody has been followed for the whole window yet.") == 1
    assert shown.count("The experiment is too young for two periods") == 1
    assert not [e for e in elements(page) if e.attributes.get("role") == "img"]


@pytest.mark.usefixtures("money")
def test_charts_have_names_and_unique_ids(reader: FlaskClient) -> None:
    page = reader.get(PAGE).text
    ids = [e.attributes["id"] for e in by_attribute(page, "id")]
    assert len(ids) == len(set(ids))
    charts = [e for e in elements(page) if e.attributes.get("role") == "img"]
    # All customers of the story stop buying, so lost revenue has no interval to draw.
    assert len(charts) == 7
    for one in charts:
        assert set(one.attributes["aria-labelledby"].split()) <= set(ids)


def test_an_unknown_experiment_is_not_found(reader: FlaskClient) -> None:
    for page in ("customers", "costs", "health"):
        assert reader.get(f"/experiments/nothing/{page}").status_code == 404
    answer = reader.post("/experiments/nothing/costs", headers=SAME_SITE)
    assert answer.status_code == 404
