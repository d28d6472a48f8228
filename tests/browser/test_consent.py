"""Without consent nothing is stored on the device and nothing is sent."""

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.servers import BUY, FaultyService, PageServer, page_html

STORED = "document.cookie + JSON.stringify(localStorage) + sessionStorage.length"
NOTHING = "{}0"
READY = """() => new Promise((resolve) => {
  (function wait() {
    if (!window.abtest) return setTimeout(wait, 10);
    window.abtest.ready().then((ab) => resolve(ab.variant("home")));
  })();
})"""


@pytest.fixture
def asking(page_server: PageServer, faulty: FaultyService) -> str:
    """Publish a page that must ask first."""
    html = page_html(faulty.url, "pk_1", tag='data-consent="required"', body=BUY)
    return page_server.publish(html, "/asking")


def paths(faulty: FaultyService) -> list[str]:
    return [path.rpartition("/")[2] for _, path, _ in faulty.faults.received]


def test_before_consent_there_is_only_the_control(
    page: Page, context: BrowserContext, faulty: FaultyService, asking: str
) -> None:
    for _ in range(2):
        page.goto(asking)
        assert page.evaluate(READY) is None
        page.click("button")
        page.evaluate("abtest.identify('c9')")
    page.goto("about:blank")
    page.goto(asking)
    assert page.evaluate(STORED) == NOTHING
    assert context.cookies() == []
    assert page.evaluate("abtest.visitor()") is None
    assert faulty.faults.received == []


def test_consent_enters_the_visitor_and_what_waited_counts(
    page: Page, context: BrowserContext, faulty: FaultyService, asking: str
) -> None:
    page.goto(asking)
    assert page.evaluate(READY) is None
    page.click("button")
    page.evaluate(
        "abtest.ready((ab) => { (window.told = window.told || []).push("
        "ab.variant('home')) })"
    )
    page.evaluate("abtest.consent(true)")
    page.wait_for_selector("html.abtest-home-b")
    page.wait_for_function("localStorage.getItem('abtest_queue') === null")
    assert page.evaluate("told") == [None, "b"]
    assert paths(faulty) == ["assign", "events"]
    assert faulty.faults.received[0][2]["consent"] is True
    assert [cookie["name"] for cookie in context.cookies()] == ["abtest_visitor"]


def test_consent_is_remembered_by_the_cookie(
    page: Page, faulty: FaultyService, asking: str
) -> None:
    page.goto(asking)
    page.evaluate(READY)
    page.evaluate("abtest.consent(true)")
    page.wait_for_selector("html.abtest-home-b")
    page.goto(asking)
    assert page.evaluate(READY) == "b"
    assert paths(faulty) == ["assign", "assign"]


def test_consent_before_the_snippet_came(
    page: Page, page_server: PageServer, faulty: FaultyService
) -> None:
    html = page_html(faulty.url, "pk_1", tag='data-consent="required"')
    call = "<script>window.abtestq = [['consent', true]]</script>"
    page.goto(page_server.publish(html.replace("<head>", f"<head>{call}")))
    assert page.evaluate(READY) == "b"


def test_a_refusal_forgets_everything(
    page: Page, context: BrowserContext, faulty: FaultyService, asking: str
) -> None:
    faulty.faults.events = [503]
    page.goto(asking)
    page.evaluate(READY)
    page.evaluate("abtest.consent(true)")
    page.wait_for_selector("html.abtest-home-b")
    page.click("button")
    page.wait_for_function("localStorage.getItem('abtest_queue') !== null")
    page.evaluate("abtest.consent(false)")
    assert page.evaluate(STORED) == NOTHING
    assert context.cookies() == []
    faulty.faults.received.clear()
    page.evaluate("abtest.track('purchase')")
    page.wait_for_timeout(1500)
    page.goto(asking)
    assert page.evaluate(READY) is None
    assert faulty.faults.received == []


def test_what_happens_after_a_refusal_is_never_told(
    page: Page, faulty: FaultyService, asking: str
) -> None:
    page.goto(asking)
    page.evaluate(READY)
    page.evaluate("abtest.consent(false)")
    page.click("button")
    page.evaluate("abtest.consent(true)")
    page.wait_for_selector("html.abtest-home-b")
    page.evaluate("abtest.track('signup')")
    page.wait_for_function("localStorage.getItem('abtest_queue') === null")
    (batch,) = faulty.faults.batches()
    assert [event["step"] for event in batch] == ["signup"]


def test_the_browsers_privacy_signal_asks_for_consent_too(
    page: Page, context: BrowserContext, page_server: PageServer, faulty: FaultyService
) -> None:
    context.add_init_script(
        "Object.defineProperty(navigator, 'globalPrivacyControl', {get: () => true})"
    )
    page.goto(page_server.publish(page_html(faulty.url, "pk_1")))
    assert page.evaluate(READY) is None
    assert page.evaluate(STORED) == NOTHING
    assert faulty.faults.received == []


def test_whoever_cannot_keep_an_id_sees_the_control(
    cookieless: Page, page_server: PageServer, faulty: FaultyService
) -> None:
    errors: list[str] = []
    cookieless.on("pageerror", lambda error: errors.append(str(error)))
    cookieless.goto(page_server.publish(page_html(faulty.url, "pk_1", body=BUY)))
    assert cookieless.evaluate(READY) is None
    cookieless.click("button")
    assert cookieless.evaluate("document.cookie") == ""
    assert cookieless.evaluate("abtest.visitor()") is None
    cookieless.goto("about:blank")
    assert faulty.faults.received == []
    assert errors == []
