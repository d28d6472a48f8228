"""Whatever happens to the service, the page shows the control and nobody waits."""

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.servers import (
    SNIPPETS,
    FaultyService,
    PageServer,
    free_port,
    page_html,
)

READY = """async () => {
  while (!window.abtest) await new Promise((r) => setTimeout(r, 10));
  await window.abtest.ready();
  return [performance.now(), window.abtest.variant("home")];
}"""
LONGEST = 1500
"""Milliseconds until a page knows what to show, from its navigation on."""


def shown(page: Page) -> str:
    return str(page.evaluate("document.documentElement.className"))


@pytest.mark.parametrize(
    "fault", ["hang", "cut", "html", 500, 502, 429, 403, 400], ids=str
)
def test_a_failing_service_means_control(
    page: Page, page_server: PageServer, faulty: FaultyService, fault: int | str
) -> None:
    faulty.faults.assign = [fault]
    page.goto(page_server.publish(page_html(faulty.url, "pk_1")))
    took, variant = page.evaluate(READY)
    assert variant is None
    assert took < LONGEST
    assert shown(page) == ""
    assert page.evaluate("abtest.payload('home')") == {}


def test_a_late_answer_changes_nothing_any_more(
    page: Page, page_server: PageServer, faulty: FaultyService
) -> None:
    faulty.faults.assign = ["hang"]
    page.goto(page_server.publish(page_html(faulty.url, "pk_1")))
    page.evaluate(READY)
    faulty.faults.released.set()
    page.wait_for_timeout(300)
    assert page.evaluate("abtest.variant('home')") is None
    assert shown(page) == ""


def test_a_healthy_answer_is_shown_at_once(
    page: Page, page_server: PageServer, faulty: FaultyService
) -> None:
    page.goto(page_server.publish(page_html(faulty.url, "pk_1")))
    took, variant = page.evaluate(READY)
    assert variant == "b"
    assert took < LONGEST
    assert shown(page) == "abtest-home-b"


def test_a_dead_server_leaves_the_page_as_it_is(
    page: Page, page_server: PageServer
) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    call = (
        "<script>(window.abtestq = window.abtestq || []).push(['track','x'])</script>"
    )
    page.goto(page_server.publish(page_html(dead, "pk_1", body=f"<h1>A</h1>{call}")))
    assert page.locator("h1").is_visible()
    assert page.evaluate("typeof window.abtest") == "undefined"


@pytest.mark.parametrize("script", ["hang", "cut", 404, "html"], ids=str)
def test_the_antiflicker_part_hides_for_a_second_at_most(
    page: Page, page_server: PageServer, faulty: FaultyService, script: int | str
) -> None:
    faulty.faults.script = [script]
    head = (SNIPPETS / "html" / "antiflicker.html").read_text(encoding="utf-8")
    body = "<h1 data-abtest-hide>A</h1><p>Always here</p>"
    html = page_html(faulty.url, "pk_1", body=body).replace("<head>", f"<head>{head}")
    # What the browser makes of the other faults of the script is not the snippet's.
    page.goto(page_server.publish(html), wait_until="commit")
    opacity = "(tag) => getComputedStyle(document.querySelector(tag)).opacity"
    page.wait_for_selector("h1", state="attached")
    assert page.evaluate(opacity, "h1") == "0"
    assert page.evaluate(opacity, "p") == "1"
    page.wait_for_function(
        "!document.documentElement.classList.contains('abtest-wait')"
    )
    assert page.evaluate("performance.now()") < LONGEST
    assert page.evaluate(opacity, "h1") == "1"


def test_the_antiflicker_part_shows_as_soon_as_the_variant_is_known(
    page: Page, page_server: PageServer, faulty: FaultyService
) -> None:
    head = (SNIPPETS / "html" / "antiflicker.html").read_text(encoding="utf-8")
    html = page_html(faulty.url, "pk_1", body="<h1 data-abtest-hide>A</h1>")
    page.goto(page_server.publish(html.replace("<head>", f"<head>{head}")))
    page.evaluate(READY)
    assert shown(page) == "abtest-home-b"


def test_an_error_in_the_pages_own_listener_stops_nobody_else(
    context: BrowserContext, page_server: PageServer, faulty: FaultyService
) -> None:
    calls = """<script>window.abtestq = [["ready", () => { throw Error("mine") }],
    ["ready", (abtest) => { document.title = abtest.variant("home") }],
    ["nonsense"], null, ["track", "x", null], ["track", "x", {value: Symbol()}]]
    </script>"""
    page = context.new_page()
    html = page_html(faulty.url, "pk_1").replace("<head>", f"<head>{calls}")
    with page.expect_event("pageerror") as thrown:
        page.goto(page_server.publish(html))
    assert "mine" in str(thrown.value)
    page.wait_for_function("document.title === 'b'")


def test_a_page_with_a_strict_policy(
    page: Page, page_server: PageServer, faulty: FaultyService
) -> None:
    policy = (
        f"default-src 'none'; script-src {faulty.url}; connect-src {faulty.url};"
        " require-trusted-types-for 'script'"
    )
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    url = page_server.publish(
        page_html(faulty.url, "pk_1"), headers={"Content-Security-Policy": policy}
    )
    page.goto(url)
    page.wait_for_selector("html.abtest-home-b")
    # The browser asks every host for an icon, which the policy forbids.
    assert [text for text in complaints if "favicon" not in text] == []


def test_the_snippet_twice_on_a_page_asks_once(
    page: Page, page_server: PageServer, faulty: FaultyService
) -> None:
    html = page_html(faulty.url, "pk_1")
    again = html[html.index("<script") : html.index("</head>")]
    page.goto(page_server.publish(html.replace("</head>", f"{again}</head>")))
    page.evaluate(READY)
    page.wait_for_load_state("networkidle")
    assert [path for _, path, _ in faulty.faults.received] == ["/api/v1/assign"]


def test_local_storage_that_throws(
    page: Page, context: BrowserContext, page_server: PageServer, faulty: FaultyService
) -> None:
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw Error('no') }})"
    )
    faulty.faults.events = [500, 200]
    page.goto(page_server.publish(page_html(faulty.url, "pk_1")))
    assert page.evaluate(READY)[1] == "b"
    page.evaluate("abtest.track('purchase')")
    page.wait_for_event("requestfinished", lambda r: r.url.endswith("/events"))
    page.wait_for_event("requestfinished", lambda r: r.url.endswith("/events"))
    first, second = faulty.faults.batches()
    assert first[0]["id"] == second[0]["id"]
