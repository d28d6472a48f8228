"""All traffic, customers, costs, data quality and learnings in a real browser."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from abtest.domain.access import RIGHTS, KeyKind
from abtest.domain.experiment import Action, ExperimentKey
from abtest.services.access import COMMAND_LINE, Caller
from abtest.services.event_rules import EventRequest
from abtest.services.experiments import act_on_experiment
from abtest.services.recording import record_events
from abtest.store.protocol import Store
from tests.browser.pages.conftest import NOW, Readers
from tests.browser.pages.looking import assert_accessible, assert_good_for_all
from tests.services.traffic import running

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk against a shorter name"
PAGES = {
    "traffic": "/traffic?from=2026-01-01",
    "nobody": "/traffic",
    "customers": "/experiments/home/customers?period_days=14",
    "customers-wrong": "/experiments/home/customers?period_days=x&acquisition_cost=-1",
    "customers-draft": "/experiments/draft/customers",
    "costs": "/experiments/home/costs",
    "costs-points": "/experiments/old/costs",
    "health": "/experiments/home/health",
    "health-draft": "/experiments/draft/health",
    "learnings": "/learnings?compare=old&compare=older",
    "nothing-found": "/learnings?q=nothing",
}
SERVER = Caller(name="sk", rights=RIGHTS[KeyKind.SERVER])


@pytest.fixture(scope="module")
def more() -> Callable[[Store], None]:
    """Return what adds costs, oddities and finished experiments to the shop."""

    def add(store: Store) -> None:
        for key in ("old", "older"):
            store.add_experiment(
                replace(running(), key=ExperimentKey(key), name=f"{LONG} ({key})")
            )
            act_on_experiment(store, ExperimentKey(key), Action.STOP, COMMAND_LINE, NOW)
        cost = EventRequest(
            type="cost", experiment="home", amount=12.5, currency="EUR", source="ads"
        )
        days = [(NOW - timedelta(days=n)).date().isoformat() for n in range(1, 40)]
        odd = EventRequest(type="conversion", step="purchase", visitor="a-0-0")
        record_events(
            store,
            [
                *(replace(cost, id=f"c{day}", day=day) for day in days),
                replace(cost, id="other", day=days[0], source=LONG[:60]),
                replace(odd, id="odd", value=-1, currency="EUR"),
            ],
            SERVER,
            NOW,
        )

    return add


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_for_every_reader(
    readers: Readers, name: str, language: str, width: int
) -> None:
    if name == "customers-wrong":
        # The browser notes the status of a refused form in its console.
        page, _ = readers.open(PAGES[name], language=language, width=width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert_accessible(page)
        return
    assert_good_for_all(readers, PAGES[name], language=language, width=width)


@pytest.mark.parametrize("name", ["customers", "costs", "traffic", "learnings"])
def test_the_narrowest_screen_needs_no_scrolling(readers: Readers, name: str) -> None:
    page, _ = readers.open(PAGES[name], language="de", width=320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_charts_are_readable_on_a_telephone(readers: Readers) -> None:
    for name in ("traffic", "customers", "costs", "health"):
        page, _ = readers.open(PAGES[name], width=360)
        sizes = page.eval_on_selector_all(
            ".chart text",
            "all => all.map(one => [parseFloat(getComputedStyle(one).fontSize),"
            " one.getBoundingClientRect().right"
            " - one.closest('.chart').getBoundingClientRect().right])",
        )
        assert sizes
        assert all(size >= 12 for size, _ in sizes)
        assert all(beyond < 1 for _, beyond in sizes), (name, sizes)


def test_a_cost_is_entered_with_the_keyboard_alone(readers: Readers) -> None:
    page, watcher = readers.open("/experiments/home/costs", language="de")
    before = page.locator("#spent").inner_text()
    page.locator("#amount").focus()
    page.keyboard.type("viel")
    page.keyboard.press("Enter")
    expect(page.locator("#amount")).to_have_value("viel")
    expect(page.get_by_role("alert")).to_contain_text("nicht eingetragen")
    assert_accessible(page)
    page.get_by_role("link", name=re.compile("Geldbetrag")).press("Enter")
    expect(page).to_have_url(re.compile("#amount$"))
    page.locator("#amount").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("1.234,50")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("Plakate")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("eingetragen und zählen")
    expect(page.get_by_role("row", name="Plakate 1.234,50\xa0€")).to_be_visible()
    assert page.locator("#spent").inner_text() != before
    assert [c for c in watcher.complaints if "422" not in c] == []


def test_without_scripts_another_period_is_calculated(readers: Readers) -> None:
    page, _ = readers.open("/experiments/home/customers", scripts=False)
    page.fill("#period_days", "14")
    page.fill("#acquisition_cost", "2.50")
    page.get_by_role("button", name="Calculate").click()
    expect(page.locator("#over-periods")).to_contain_text("6 Mar 2026 to 19 Mar 2026")
    expect(page.locator("#lifetime-value")).to_contain_text("€2.50")


def test_experiments_are_ticked_and_compared(readers: Readers) -> None:
    page, _ = readers.open("/learnings", scripts=False)
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Compare what is ticked").click()
    expect(page.get_by_role("heading", name="Compared")).to_be_visible()
    page.get_by_role("searchbox").fill("older")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="1 experiment")).to_be_visible()


def test_every_way_leads_to_its_page(readers: Readers) -> None:
    page, _ = readers.open("/experiments/home")
    for name in ("Customers", "Costs", "Data quality"):
        page.get_by_role("navigation", name="Pages of this experiment").get_by_role(
            "link", name=name, exact=True
        ).click()
        here = page.locator(".tabs [aria-current=page]")
        expect(here).to_have_text(name)
        expect(page.get_by_role("heading", level=1)).to_have_text("Home page")
    for name in ("All traffic", "What we learned"):
        page.get_by_role("navigation", name="Main").get_by_role(
            "link", name=name
        ).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
