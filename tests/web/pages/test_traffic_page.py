"""The page of all traffic: leak, lever, both denominators, and the period."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from abtest.domain.events import Conversion, EventId
from abtest.domain.experiment import ExperimentKey, VisitorId
from abtest.domain.funnel import (
    ConversionGoal,
    FunnelStep,
    LaterStep,
    MoneyWeights,
    StepKey,
)
from abtest.domain.visitor import to_milliseconds
from abtest.store.protocol import Store
from tests.conftest import Clock
from tests.services.traffic import running
from tests.web.pages.reading import elements, sections, text_of

LEAD, SALE = StepKey("lead"), StepKey("sale")
WHEN = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def leads(store: Store) -> Store:
    """Of 10 visitors (2 buy directly) 8 leave an address, 2 of these buy for 50."""
    experiment = replace(
        running(weights=MoneyWeights(currency="EUR")),
        funnel=(
            FunnelStep(key=LEAD, name="Address"),
            FunnelStep(key=SALE, name="Sale"),
        ),
        goal=ConversionGoal(first=LEAD, second=LaterStep(step=SALE)),
    )
    store.add_experiment(experiment)
    said = [(f"v{n}", LEAD) for n in range(8)]
    said += [(name, SALE) for name in ("v0", "v1", "w0", "w1")]
    store.record(
        [
            Conversion(
                id=EventId(number.to_bytes(16, "big")),
                at=to_milliseconds(WHEN),
                visitor=VisitorId(visitor),
                step=step,
                value=5000 if step == SALE else None,
                currency="EUR",
                trusted=True,
            )
            for number, (visitor, step) in enumerate(said, 1)
        ],
        received_at=WHEN,
    )
    return store


@pytest.mark.usefixtures("leads")
def test_the_funnel_with_both_denominators(reader: FlaskClient) -> None:
    page = reader.get("/traffic").text
    assert sections(page) == ["lever", "funnel", "figures"]
    lines = [e.text for e in elements(page) if e.tag == "tr"]
    assert "Address 8 80.0% of 10 80.0% of 10 2 +10%" in lines
    # Of 8 with an address 2 bought; 4 of all 10 did.
    assert "Sale 4 40.0% of 10 25.0% of 8 6 4 €200.00 +10%" in lines


@pytest.mark.usefixtures("leads")
def test_the_leak_and_the_lever_are_sentences(reader: FlaskClient) -> None:
    text = text_of(reader.get("/traffic").text, "lever")
    assert (
        "Most are lost before “Sale”: 6 of 8 at “Address” do not get there (75.0%)."
        in text
    )
    assert (
        "If 10% more of those at “Address” reached “Sale”, revenue would rise by about"
        " 10%." in text
    )
    assert "only an experiment shows what really happens" in text


@pytest.mark.usefixtures("leads")
def test_what_it_brought(reader: FlaskClient) -> None:
    text = text_of(reader.get("/traffic").text, "figures")
    for words in ("Visitors 10", "Buyers 4", "Orders 4", "Revenue €200.00"):
        assert words in text
    assert "Revenue per visitor €20.00" in text
    assert "Average order value €50.00" in text


@pytest.mark.usefixtures("leads")
def test_another_period_without_anybody_says_what_to_do(reader: FlaskClient) -> None:
    page = reader.get("/traffic?from=2026-03-11&to=2026-03-12").text
    assert "11 Mar 2026 to 12 Mar 2026" in page
    assert "Nobody came in this period" in page
    assert "check on the installation page" in page


@pytest.mark.usefixtures("leads")
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=soon", "from"),
        ("to=2026-03-20", "to"),
        ("from=2026-03-15&to=2026-03-14", "from"),
        ("experiment=nothing", "experiment"),
    ],
)
def test_what_cannot_be_shown_is_said(
    reader: FlaskClient, query: str, field: str
) -> None:
    answer = reader.get(f"/traffic?{query}")
    assert answer.status_code == 422
    (box,) = (e for e in elements(answer.text) if e.attributes.get("id") == field)
    assert box.attributes["aria-invalid"] == "true"
    assert f'href="#{field}"' in answer.text
    assert "Most are lost before" in answer.text


def test_each_funnel_is_offered_once(
    reader: FlaskClient, leads: Store, clock: Clock
) -> None:
    del clock
    for key in ("first", "second"):
        leads.add_experiment(replace(running(), key=ExperimentKey(key)))
    options = [e for e in elements(reader.get("/traffic").text) if e.tag == "option"]
    assert [o.text for o in options] == ["Address → Sale", "Purchase"]
    page = reader.get("/traffic?experiment=first").text
    (chosen,) = (e for e in elements(page) if "selected" in e.attributes)
    assert chosen.text == "Purchase"


def test_without_experiments_it_says_what_to_do(reader: FlaskClient) -> None:
    page = reader.get("/traffic").text
    assert "There is no funnel yet" in page
    assert "Create your first experiment" in page
    assert "<form" not in page.partition("<main")[2].partition("</main>")[0]
