"""The costs' page: what a visitor may cost, what they cost, and a new cost."""

import pytest
from flask.testing import FlaskClient

from abtest.domain.access import Role
from abtest.domain.funnel import MoneyWeights
from abtest.services.access import COMMAND_LINE, add_user
from abtest.store.protocol import Store
from tests.conftest import Clock
from tests.services.traffic import KEY, START, Cohort, events, running
from tests.web.pages.reading import elements, text_of

PAGE = "/experiments/home/costs"
COST = {
    "id": "page-1",
    "day": "2026-01-05",
    "amount": "100",
    "currency": "EUR",
    "source": "ads",
}


@pytest.fixture
def money(store: Store) -> Store:
    """A visitor of A brings 10 on average: 40 and 10 orders of 20 from 100; of B 6."""
    store.add_experiment(running(weights=MoneyWeights(currency="EUR")))
    cohorts = [
        Cohort(variant=key, day=0, visitors=100, first=first, second=10)
        for key, first in (("a", 40), ("b", 20))
    ]
    store.record(events(cohorts), received_at=START.replace(month=4))
    return store


def told(page: str) -> list[str]:
    return [e.text for e in elements(page) if e.tag == "li" and "may pay" in e.text]


@pytest.mark.usefixtures("money")
def test_what_a_visitor_may_cost(reader: FlaskClient) -> None:
    page = reader.get(PAGE).text
    first, second = told(page)
    assert first.startswith("You may pay up to €10.00 per visitor of A (")
    assert second.startswith("You may pay up to €6.00 per visitor of B (")
    assert "No cost was told of yet." in page


@pytest.mark.usefixtures("money")
def test_a_cost_is_entered_and_counts(reader: FlaskClient, store: Store) -> None:
    answer = reader.post(PAGE, data=COST)
    assert answer.status_code == 303
    page = reader.get(answer.headers["Location"]).text
    assert "The cost was entered and counts." in page
    (cost,) = store.costs(KEY)
    assert (cost.amount, cost.currency, cost.source) == (10_000, "EUR", "ads")
    spent = text_of(page, "spent")
    assert "Cost per visitor €0.50" in spent
    assert "ads €100.00" in spent
    assert "5 Jan 2026 €100.00" in spent
    assert all("which is less" in sentence for sentence in told(page))
    table = text_of(page, "variants")
    # 100 / 200 visitors; 40 and 20 of 100 became customers; 10 / 0.5 and 6 / 0.5.
    assert "€1.25" in table
    assert "€2.50" in table
    assert "Revenue per €1.00 spent (return on ad spend) €20.00" in table
    assert "€12.00" in table


@pytest.mark.usefixtures("money")
def test_the_same_form_twice_counts_once(reader: FlaskClient, store: Store) -> None:
    for _ in range(2):
        assert reader.post(PAGE, data=COST).status_code == 303
    assert [c.amount for c in store.costs(KEY)] == [10_000]
    fields = [
        e.attributes["value"]
        for e in elements(reader.get(PAGE).text)
        if e.attributes.get("name") == "id"
    ]
    assert fields != ["page-1"]


@pytest.mark.usefixtures("money")
def test_too_dear_visitors_are_called_so(reader: FlaskClient) -> None:
    reader.post(PAGE, data=COST | {"amount": "1800"})
    open_, dear = told(reader.get(PAGE).text)
    # 9 a visitor: within the range of A (7.4 to 12.6), above that of B (3.5 to 8.5).
    assert "it is open whether visitors bring more" in open_
    assert "which is more" in dear


@pytest.mark.usefixtures("money")
def test_amounts_are_read_as_the_reader_writes_them(
    reader: FlaskClient, store: Store
) -> None:
    german = {"Accept-Language": "de"}
    reader.post(PAGE, data=COST | {"amount": "1.234,50"}, headers=german)
    assert [c.amount for c in store.costs(KEY)] == [123_450]


@pytest.mark.usefixtures("money")
def test_a_cost_of_today_counts_tomorrow(reader: FlaskClient) -> None:
    answer = reader.post(PAGE, data=COST | {"day": "2026-03-20"})
    page = reader.get(answer.headers["Location"]).text
    assert "It counts from tomorrow on" in page
    assert "No cost was told of yet." in page


@pytest.mark.usefixtures("money")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"day": ""}, "day"),
        ({"day": "2026-03-21"}, "day"),
        ({"amount": "much"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "1e30"}, "amount"),
        ({"currency": "CHF"}, "currency"),
        ({"currency": "euro"}, "currency"),
        ({"source": "s" * 65}, "source"),
    ],
)
def test_what_is_wrong_is_said_and_kept(
    reader: FlaskClient, store: Store, change: dict[str, str], field: str
) -> None:
    answer = reader.post(PAGE, data=COST | change)
    assert answer.status_code == 422
    assert store.costs(KEY) == ()
    (box,) = (e for e in elements(answer.text) if e.attributes.get("id") == field)
    assert box.attributes["aria-invalid"] == "true"
    assert box.attributes["value"].casefold() == change[field].casefold()
    (kept,) = (e for e in elements(answer.text) if e.attributes.get("name") == "id")
    assert kept.attributes["value"] == "page-1"
    assert f'href="#{field}"' in answer.text


@pytest.mark.usefixtures("money", "anna")
def test_viewers_look_and_editors_enter(
    visitor: FlaskClient, store: Store, clock: Clock
) -> None:
    for role in (Role.VIEWER, Role.EDITOR):
        add_user(
            store,
            role.value,
            password="correct horse battery",
            role=role,
            caller=COMMAND_LINE,
            now=clock.time,
        )
    login = {"password": "correct horse battery"}
    visitor.post("/login", data=login | {"name": "viewer"})
    page = visitor.get(PAGE).text
    assert "Editors and admins can enter costs." in page
    assert 'method="post" action="/experiments' not in page
    assert visitor.post(PAGE, data=COST).status_code == 403
    assert store.costs(KEY) == ()
    visitor.post("/login", data=login | {"name": "editor"})
    assert visitor.post(PAGE, data=COST).status_code == 303
    assert len(store.costs(KEY)) == 1


@pytest.mark.usefixtures("money")
def test_forms_of_other_sites_are_refused(reader: FlaskClient, store: Store) -> None:
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert reader.post(PAGE, data=COST, headers=elsewhere).status_code == 403
    assert store.costs(KEY) == ()


def test_points_have_no_price(reader: FlaskClient, shop: Store) -> None:
    del shop
    reader.post(PAGE, data=COST)
    page = reader.get(PAGE).text
    assert told(page) == []
    assert "Points decide this experiment, not money" in page
    assert "A customer has cost" in text_of(page, "variants")
    assert "break-even" not in text_of(page, "variants")
