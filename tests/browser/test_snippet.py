"""What the snippet sends and keeps, seen from the server and from the browser."""

import gzip
import json
import re
import time
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.servers import (
    BUY,
    SNIPPET,
    FaultyService,
    Json,
    PageServer,
    page_html,
)

UUID7 = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)
READY = """() => new Promise((resolve) => {
  (function wait() {
    if (window.abtest) window.abtest.ready(() => resolve()); else setTimeout(wait, 10);
  })();
})"""


def body_of(faulty: FaultyService, path: str) -> dict[str, Json]:
    return next(body for _, p, body in faulty.faults.received if p.endswith(path))


def wait_for_events(page: Page, faulty: FaultyService, count: int) -> list[Json]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        sent: list[Json] = [e for batch in faulty.faults.batches() for e in batch]
        if len(sent) >= count:
            return sent
        page.wait_for_timeout(50)
    raise AssertionError(faulty.faults.received)


def test_it_is_small_and_needs_no_new_browser() -> None:
    source = SNIPPET.read_bytes()
    assert len(gzip.compress(source, 9)) <= 4096
    # ES2019 and later: ?. ?? catch without a binding; and what a policy forbids.
    text = re.sub(r"//.*|/\*.*?\*/", "", source.decode())
    assert not re.search(r"\?\.\D|\?\?|catch \{|\beval\b|Function\(|innerHTML", text)


def test_what_assign_is_asked(
    page: Page, page_server: PageServer, faulty: FaultyService
) -> None:
    html = page_html(faulty.url, "pk_1", tag='data-experiments="home, price"')
    url = page_server.publish(html, "/landing")
    before = time.time()
    page.goto(f"{url}?email=anna@example.org#secret")
    page.evaluate(READY)
    body = body_of(faulty, "/assign")
    visitor = body.pop("visitor")
    assert body == {"key": "pk_1", "experiments": ["home", "price"], "url": url}
    assert isinstance(visitor, str)
    assert UUID7.fullmatch(visitor)
    made = int(visitor.replace("-", "")[:12], 16) / 1000
    assert before - 1 <= made <= time.time()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?email=anna@example.org&utm_source=News&utm_term=shoes", "?utm_source=News"),
        ("?utm_source=a%26b=c%23d", "?utm_source=a%26b%3Dc%23d"),
        ("?utm_source=", ""),
    ],
)
def test_of_the_query_the_source_alone_is_told(
    page: Page,
    page_server: PageServer,
    faulty: FaultyService,
    query: str,
    expected: str,
) -> None:
    url = page_server.publish(page_html(faulty.url, "pk_1"), "/landing")
    page.goto(f"{url}{query}")
    page.evaluate(READY)
    assert body_of(faulty, "/assign")["url"] == f"{url}{expected}"


def test_of_another_site_before_the_host_alone_is_told(
    page: Page, page_server: PageServer, faulty: FaultyService
) -> None:
    url = page_server.publish(page_html(faulty.url, "pk_1"), "/landing")
    elsewhere = "http://search.example/secret?q=anna"
    page.goto(url, referer=elsewhere)
    page.evaluate(READY)
    assert page.evaluate("document.referrer").startswith("http://search.example/")
    assert body_of(faulty, "/assign")["attributes"] == {"referrer": "search.example"}


def test_a_page_of_the_same_site_before_is_not_told(
    page: Page, page_server: PageServer, faulty: FaultyService
) -> None:
    url = page_server.publish(page_html(faulty.url, "pk_1"), "/landing")
    page.goto(url, referer=f"{url}/before")
    page.evaluate(READY)
    assert page.evaluate("document.referrer") != ""
    assert "attributes" not in body_of(faulty, "/assign")


def test_the_id_is_a_first_party_cookie_for_thirteen_months(
    page: Page, context: BrowserContext, page_server: PageServer, faulty: FaultyService
) -> None:
    page.goto(page_server.publish(page_html(faulty.url, "pk_1")))
    page.evaluate(READY)
    (cookie,) = context.cookies()
    assert cookie["name"] == "abtest_visitor"
    assert cookie["value"] == page.evaluate("abtest.visitor()")
    assert (cookie["domain"], cookie["path"]) == ("localhost", "/")
    assert cookie["sameSite"] == "Lax"
    assert cookie["expires"] == pytest.approx(time.time() + 395 * 86400, abs=60)
    page.wait_for_timeout(1100)
    page.reload()
    page.evaluate(READY)
    assert context.cookies() == [cookie]  # neither changed nor renewed


def test_a_cookie_of_the_site_is_adopted(
    page: Page, context: BrowserContext, page_server: PageServer, faulty: FaultyService
) -> None:
    url = page_server.publish(page_html(faulty.url, "pk_1"))
    context.add_cookies(
        [
            {"name": "other_abtest_visitor", "value": "no", "url": url},
            {"name": "abtest_visitor", "value": "shop-4711", "url": url},
        ]
    )
    page.goto(url)
    page.evaluate(READY)
    assert body_of(faulty, "/assign")["visitor"] == "shop-4711"
    assert page.evaluate("abtest.visitor()") == "shop-4711"


def test_what_an_event_says(
    page: Page, page_server: PageServer, faulty: FaultyService
) -> None:
    page.goto(page_server.publish(page_html(faulty.url, "pk_1")))
    page.evaluate(READY)
    page.evaluate(
        """() => {
          abtest.track("purchase", {value: "49.90", currency: "EUR", order: 17,
                                    customer: "c9"});
          abtest.track("größe 😀", {value: "49,90", order: null});
          abtest.track("free", {value: 0});
          abtest.identify("c9");
        }"""
    )
    visitor = page.evaluate("abtest.visitor()")
    events = wait_for_events(page, faulty, 4)
    ids = []
    for event in events:
        assert isinstance(event, dict)
        ids.append(event.pop("id"))
        told = datetime.fromisoformat(str(event.pop("at")))
        assert abs((datetime.now(UTC) - told).total_seconds()) < 60
        assert event.pop("visitor") == visitor
    assert events == [
        {
            "type": "conversion",
            "step": "purchase",
            "value": 49.9,
            "currency": "EUR",
            "order": "17",
            "customer": "c9",
        },
        {"type": "conversion", "step": "größe 😀"},
        {"type": "conversion", "step": "free", "value": 0},
        {"type": "identify", "customer": "c9"},
    ]
    assert len(set(map(str, ids))) == 4
    assert all(UUID7.fullmatch(str(one)) for one in ids)
    sent_at = datetime.fromisoformat(str(body_of(faulty, "/events")["sent_at"]))
    assert abs((datetime.now(UTC) - sent_at).total_seconds()) < 60


def test_calls_made_before_the_snippet_came(
    page: Page, page_server: PageServer, faulty: FaultyService
) -> None:
    early = """<script>
      window.abtestq = window.abtestq || [];
      abtestq.push(["track", "signup"]);
      abtestq.push(["ready", (ab) => { window.got = ab.variant("home") }]);
      document.addEventListener("abtest:ready", (e) => { window.told = e.detail });
    </script>"""
    html = page_html(faulty.url, "pk_1").replace("<head>", f"<head>{early}")
    page.goto(page_server.publish(html))
    page.wait_for_function("window.got === 'b'")
    assert page.evaluate("told.assignments.home.variant") == "b"
    page.evaluate("abtestq.push(['track', 'purchase'])")
    first, second = wait_for_events(page, faulty, 2)
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert (first["step"], second["step"]) == ("signup", "purchase")


def test_no_conversion_is_dated_before_its_exposure(
    page: Page, page_server: PageServer, faulty: FaultyService
) -> None:
    early = "<script>window.abtestq = [['track', 'signup']]</script>"
    html = page_html(faulty.url, "pk_1").replace("<head>", f"<head>{early}")
    page.goto(page_server.publish(html))
    (event,) = wait_for_events(page, faulty, 1)
    (asked_at, asked, _), (_, told, _) = faulty.faults.received
    assert (asked, told) == ("/api/v1/assign", "/api/v1/events")
    assert isinstance(event, dict)
    # The browser tells whole milliseconds.
    assert datetime.fromisoformat(str(event["at"])).timestamp() > asked_at - 0.001


def test_marked_elements_count_once_a_page(
    page: Page, page_server: PageServer, faulty: FaultyService
) -> None:
    form = """<form data-abtest-convert="signup" onsubmit="return false">
      <input required id="name"><button id="send">Send</button></form>"""
    page.goto(page_server.publish(page_html(faulty.url, "pk_1", body=BUY + form)))
    page.evaluate(READY)
    page.click("#send")  # the form is not complete, so it is not sent
    page.get_by_text("Buy").dblclick()
    page.fill("#name", "Anna")
    page.click("#send")
    page.click("#send")
    events = wait_for_events(page, faulty, 2)
    page.wait_for_timeout(300)
    assert len(wait_for_events(page, faulty, 2)) == 2
    steps = [(e["step"], e.get("value")) for e in events if isinstance(e, dict)]
    assert steps == [("purchase", 49.9), ("signup", None)]


def test_repeats_keep_their_ids_until_acknowledged(
    page: Page, page_server: PageServer, faulty: FaultyService
) -> None:
    faulty.faults.events = ["cut", 503, 429, "html", 200]
    page.goto(page_server.publish(page_html(faulty.url, "pk_1")))
    page.evaluate(READY)
    page.evaluate("abtest.track('purchase')")
    wait_for_events(page, faulty, 5)
    page.wait_for_function("localStorage.getItem('abtest_queue') === null")
    ids = [[event["id"] for event in batch] for batch in faulty.faults.batches()]
    assert ids == [ids[0]] * 5
    times = [at for at, path, _ in faulty.faults.received if path.endswith("events")]
    waits = [after - before for before, after in pairwise(times)]
    assert waits[0] >= 0.2
    assert waits[3] >= 1.9


@pytest.mark.parametrize("status", [400, 401, 403, 413])
def test_a_refusal_is_final(
    page: Page, page_server: PageServer, faulty: FaultyService, status: int
) -> None:
    faulty.faults.events = [status]
    page.goto(page_server.publish(page_html(faulty.url, "pk_1")))
    page.evaluate(READY)
    page.evaluate("abtest.track('purchase')")
    wait_for_events(page, faulty, 1)
    page.wait_for_function("localStorage.getItem('abtest_queue') === null")
    page.wait_for_timeout(1200)
    assert len(faulty.faults.batches()) == 1


def test_the_queue_is_bounded_and_forgets(
    page: Page, page_server: PageServer, faulty: FaultyService
) -> None:
    faulty.faults.events = [503]
    url = page_server.publish(page_html(faulty.url, "pk_1"))
    page.goto(url)
    page.evaluate(READY)
    page.evaluate("() => { for (let i = 0; i < 60; i++) abtest.track('s' + i) }")
    queue = "JSON.parse(localStorage.getItem('abtest_queue')).map((e) => e.step)"
    assert page.evaluate(queue) == [f"s{i}" for i in range(10, 60)]
    old = """() => {
      const events = JSON.parse(localStorage.getItem("abtest_queue"));
      events.slice(1).forEach((e) => { e.at = new Date(Date.now() - 8 * 864e5) });
      localStorage.setItem("abtest_queue", JSON.stringify(events));
    }"""
    # Leaving the page sends a beacon of its own; a page without the snippet does not.
    page.goto(page_server.publish("<!doctype html><title>Elsewhere</title>"))
    page.evaluate(old)
    faulty.faults.received.clear()
    faulty.faults.events = [200]
    page.goto(page_server.publish(page_html(faulty.url, "pk_1")))
    (event,) = wait_for_events(page, faulty, 1)
    assert isinstance(event, dict)
    assert event["step"] == "s10"


@pytest.mark.parametrize("junk", ["{", "7", "[null]", '"x"', '{"a": 1}'])
def test_a_spoilt_queue_is_replaced(
    page: Page, page_server: PageServer, faulty: FaultyService, junk: str
) -> None:
    url = page_server.publish(page_html(faulty.url, "pk_1"))
    page.goto(f"{page_server.url}/thanks")
    page.evaluate(f"localStorage.setItem('abtest_queue', {json.dumps(junk)})")
    page.goto(url)
    page.evaluate(READY)
    page.evaluate("abtest.track('purchase')")
    assert len(wait_for_events(page, faulty, 1)) == 1
    page.wait_for_function("localStorage.getItem('abtest_queue') === null")
