"""Every number of every page about the demo is that of the report's JSON."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.demo import PASSWORD, USER
from tests.browser.journeys.printed import (
    GERMANY,
    GREAT_BRITAIN,
    Country,
    Unit,
    same_numbers,
)
from tests.browser.journeys.reports import (
    Report,
    at,
    expected_numbers,
    expected_text,
    verdict_numbers,
)
from tests.browser.servers import Service

COUNTRIES = (GREAT_BRITAIN, GERMANY)
MOST_BYTES = 60_000
FIGURES = """() => [...document.querySelectorAll("[data-path][data-value]")].map(
  (one) => [one.dataset.path, one.dataset.value, one.textContent])"""
SHARES = """() => [...document.querySelectorAll("[data-part]")].map(
  (one) => [one.dataset.part, one.dataset.whole, one.textContent])"""
WEIGH = """async () => {
  const sizes = [];
  const entries = performance.getEntriesByType("resource");
  for (const url of [location.href, ...entries.map((one) => one.name)]) {
    const body = (await fetch(url)).body;
    const packed = body.pipeThrough(new CompressionStream("gzip"));
    sizes.push((await new Response(packed).arrayBuffer()).byteLength);
  }
  return sizes.reduce((sum, one) => sum + one, 0);
}"""


def _signed_in(browser: Browser, demo: Service, country: Country) -> BrowserContext:
    context = browser.new_context(base_url=demo.url, locale=country.tag)
    page = context.new_page()
    page.goto("/login")
    page.fill("#name", USER)
    page.fill("#password", PASSWORD)
    page.click("main form button")
    page.wait_for_url(f"{demo.url}/")
    return context


@pytest.fixture(scope="module")
def readers(browser: Browser, demo: Service) -> Iterator[dict[Country, Page]]:
    """People of both countries, signed in."""
    contexts = {c: _signed_in(browser, demo, c) for c in COUNTRIES}
    yield {country: context.pages[0] for country, context in contexts.items()}
    for context in contexts.values():
        context.close()


@pytest.fixture(scope="module")
def keys(demo: Service) -> tuple[str, ...]:
    """All experiments of the demo, whatever it holds."""
    items = demo.call("GET", "/api/v1/experiments?limit=200")["items"]
    assert isinstance(items, list)
    found = tuple(str(one["key"]) for one in items if isinstance(one, dict))
    assert len(found) >= 8
    return found


def _open(page: Page, key: str) -> Report:
    """Open the results of an experiment; return the report that they show."""
    page.goto(f"/experiments/{key}")
    report: Report = page.evaluate(
        "key => fetch(`/experiments/${key}/report.json`).then(a => a.json())", key
    )
    return report


@pytest.mark.parametrize("country", COUNTRIES, ids=lambda c: c.tag)
def test_the_pages_print_the_reports(
    readers: dict[Country, Page], keys: tuple[str, ...], country: Country
) -> None:
    for key in keys:
        _prints_its_report(readers[country], country, key)


def _prints_its_report(page: Page, country: Country, key: str) -> None:
    report = _open(page, key)
    figures: list[tuple[str, str, str]] = page.evaluate(FIGURES)
    assert len(figures) >= (20 if report["maturity"]["visitors"] else 10)
    for path, value, text in figures:
        assert json.loads(value) == at(report, path), path
        if isinstance(at(report, path), str):
            assert text == expected_text(country, report, path), path
            continue
        found = country.numbers(text)
        assert found == expected_numbers(country, report, path, found), (key, path)
    for part, whole, text in page.evaluate(SHARES):
        share = at(report, part) / at(report, whole)
        (printed,) = country.numbers(text)
        decimals = country.decimals(printed)
        assert decimals >= 1
        assert printed == country.write(share, decimals, Unit.PERCENT), part


@pytest.mark.parametrize("country", COUNTRIES, ids=lambda c: c.tag)
def test_the_verdicts_say_what_the_reports_hold(
    readers: dict[Country, Page], keys: tuple[str, ...], country: Country
) -> None:
    for key in keys:
        _verdict_says_what_the_report_holds(readers[country], country, key)


def _verdict_says_what_the_report_holds(page: Page, country: Country, key: str) -> None:
    report = _open(page, key)
    panel = page.locator("#verdict")
    assert panel.get_attribute("data-code") == report["verdict"]["code"]
    shown = " ".join(
        page.locator("[data-path='verdict.sentence'] > *").all_text_contents()
    )
    assert shown == report["verdict"]["sentence"]
    if report["verdict"]["code"] == "too_early":
        day = country.day(report["verdict"]["decide_from"])
        assert day in shown
        shown = shown.replace(day, "")
    expected = verdict_numbers(country, report)
    assert same_numbers(country.numbers(shown), expected), (shown, expected)
    leading = report["verdict"]["variant"]
    for comparison in report["comparisons"]:
        if comparison["variant"] == leading:
            assert _says_direction(country, shown, comparison), shown


def _says_direction(country: Country, words: str, comparison: Report) -> bool:
    """Tell whether more is called more, for both conversions."""
    found = []
    for name, german in (("first", "erste"), ("second", "zweite")):
        is_more = comparison[name]["frequentist"]["effect"] > 0
        if country.is_german:
            more = "mehr" if is_more else "weniger"
            found.append(re.search(rf"{german} Conversions {more}", words))
        else:
            more = "more" if is_more else "fewer"
            found.append(re.search(rf"[\d.]+ {more} {name} conversions", words))
    return all(found)


def test_no_page_calls_another_host_or_is_heavy(
    readers: dict[Country, Page], demo: Service
) -> None:
    """Walks along all links of the service, one experiment after the other."""
    page = readers[GREAT_BRITAIN]
    called: set[str] = set()
    page.on("request", lambda request: called.add(request.url))
    waiting, weights = ["/"], {"/": 0}
    while waiting:
        path = waiting.pop()
        page.goto(path)
        weights[path] = page.evaluate(WEIGH)
        for link in page.eval_on_selector_all(
            "a[href]:not([download])", "all => all.map(a => a.getAttribute('href'))"
        ):
            found = link.partition("#")[0].partition("?")[0]
            if found.startswith("/") and "json" not in found and found not in weights:
                weights[found] = 0
                waiting.append(found)
    page.goto("/login")
    weights["/login"] = page.evaluate(WEIGH)
    assert len(weights) > 40, sorted(weights)
    assert {url for url in called if not url.startswith(demo.url)} == set()
    heavy = {path: size for path, size in weights.items() if size >= MOST_BYTES}
    assert heavy == {}, heavy
