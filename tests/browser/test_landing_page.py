"""From the landing page of another origin to the report of the real service."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.servers import BUY, SNIPPETS, PageServer, Service, page_html

HEADLINES = {"a": "Fresh coffee, every month", "b": "Never run out of coffee again"}


def open_page(page: Page, url: str) -> str:
    """Open the page and return the variant it shows, or an empty text."""
    page.goto(url)
    page.wait_for_function("window.abtest")
    ready = "() => abtest.ready().then((ab) => ab.variant(document.body.id) || '')"
    return str(page.evaluate(ready))


def landing_page(service: Service, experiment: str, tag: str = "") -> str:
    tag = f'data-experiments="{experiment}" {tag}'
    html = page_html(service.url, service.publishable, tag=tag, body=BUY)
    return html.replace("<body>", f'<body id="{experiment}">')


def test_the_main_journey(
    page: Page, context: BrowserContext, page_server: PageServer, service: Service
) -> None:
    service.start_experiment("home")
    hosts: set[str] = set()
    context.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    text = (SNIPPETS / "html" / "landing-page.html").read_text(encoding="utf-8")
    html = text.replace("https://ab.example", service.url).replace(
        "pk_example", service.publishable
    )
    url = page_server.publish(html.replace("<body>", '<body id="home">'), "/landing")

    variant = open_page(page, url)
    expect(page.get_by_role("heading")).to_have_text(HEADLINES[variant])
    expect(page.get_by_role("banner")).to_have_css("opacity", "1")
    assert page.evaluate("abtest.payload('home')") == {
        "headline": {"a": "old", "b": "new"}[variant]
    }
    visitor = page.evaluate("abtest.visitor()")
    for _ in range(3):
        assert open_page(page, url) == variant
        assert page.evaluate("abtest.visitor()") == visitor

    page.get_by_label("E-mail").fill("anna@example.org")
    page.get_by_role("button", name="Send me").click()
    expect(page).to_have_url(f"{page_server.url}/thanks")
    assert open_page(page, url) == variant
    page.get_by_role("button", name="Buy").click()

    service.wait_for("home", (1, 2))
    assert hosts == {urlsplit(page_server.url).netloc, urlsplit(service.url).netloc}


def test_visitors_get_both_variants_and_each_is_counted(
    page: Page,
    context: BrowserContext,
    page_server: PageServer,
    service: Service,
    experiment: str,
) -> None:
    url = page_server.publish(landing_page(service, experiment))
    variants: list[str] = []
    for _ in range(20):  # all alike would be one chance in 500,000
        context.clear_cookies()
        variants.append(open_page(page, url))
    assert set(variants) == {"a", "b"}
    service.wait_for(experiment, (20, 0))


CLICK = "document.querySelector('button').click()"
LEAVE = "location = 'about:blank'"


def test_a_tab_closed_right_after_the_click(
    context: BrowserContext, page_server: PageServer, service: Service, experiment: str
) -> None:
    page = context.new_page()
    open_page(page, page_server.publish(landing_page(service, experiment)))
    page.click("button", no_wait_after=True)
    page.close()
    service.wait_for(experiment, (1, 1))


def test_a_page_left_within_the_click(
    page: Page, page_server: PageServer, service: Service, experiment: str
) -> None:
    open_page(page, page_server.publish(landing_page(service, experiment)))
    page.evaluate(f"() => {{ {CLICK}; {LEAVE} }}")
    service.wait_for(experiment, (1, 1))


def test_a_page_left_while_an_earlier_event_is_on_its_way(
    page: Page, page_server: PageServer, service: Service, experiment: str
) -> None:
    open_page(page, page_server.publish(landing_page(service, experiment)))
    page.evaluate(f"() => {{ abtest.track('signup'); {CLICK}; {LEAVE} }}")
    service.wait_for(experiment, (1, 2))


def test_a_click_that_leads_away(
    page: Page, page_server: PageServer, service: Service, experiment: str
) -> None:
    away = f"<a href='{page_server.url}/thanks' data-abtest-convert='signup'>Go</a>"
    html = landing_page(service, experiment).replace("</body>", f"{away}</body>")
    open_page(page, page_server.publish(html))
    page.get_by_text("Go").click()
    expect(page).to_have_url(f"{page_server.url}/thanks")
    service.wait_for(experiment, (1, 1))


def test_offline_then_online_arrives_once(
    page: Page,
    context: BrowserContext,
    page_server: PageServer,
    service: Service,
    experiment: str,
) -> None:
    open_page(page, page_server.publish(landing_page(service, experiment)))
    # Without timers only the browser's word that it is online again may send.
    page.evaluate("window.setTimeout = () => 0")
    context.set_offline(True)
    page.click("button")
    page.wait_for_timeout(500)
    assert service.today(experiment) == (1, 0)
    context.set_offline(False)
    service.wait_for(experiment, (1, 1))
    page.wait_for_function("localStorage.getItem('abtest_queue') === null")
    page.wait_for_timeout(1000)
    assert service.today(experiment) == (1, 1)


def test_offline_until_the_next_page_view_arrives_once(
    context: BrowserContext, page_server: PageServer, service: Service, experiment: str
) -> None:
    url = page_server.publish(landing_page(service, experiment))
    page = context.new_page()
    open_page(page, url)
    context.set_offline(True)
    page.click("button")
    page.close()
    context.set_offline(False)
    page = context.new_page()
    open_page(page, url)
    service.wait_for(experiment, (1, 1))
    page.wait_for_function("localStorage.getItem('abtest_queue') === null")
    assert service.today(experiment) == (1, 1)


def test_a_forced_variant_shows_and_never_counts(
    page: Page,
    context: BrowserContext,
    page_server: PageServer,
    service: Service,
    experiment: str,
) -> None:
    other = f"{experiment}x"
    service.start_experiment(other)
    html = landing_page(service, experiment).replace(
        f'experiments="{experiment}"', f'experiments="{experiment},{other}"'
    )
    url = page_server.publish(html)
    for variant in ("a", "b"):
        assert open_page(page, f"{url}?abtest_force={experiment}.{variant}") == variant
        assert page.locator(f"html.abtest-{experiment}-{variant}").count() == 1
        page.click("button")
    assert open_page(page, f"{url}?abtest_force=nonsense") == ""
    assert context.cookies() == []
    assert page.evaluate("localStorage.length") == 0
    open_page(page, url)
    service.wait_for(experiment, (1, 0))
    service.wait_for(other, (1, 0))
