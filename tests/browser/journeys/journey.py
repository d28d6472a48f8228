"""The way of one experiment through all pages, step by step."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.journeys.conftest import Installation
from tests.browser.journeys.hands import Hands
from tests.browser.journeys.stories import WINDOW, Story
from tests.browser.servers import PageServer

NAME, PASSWORD = "anna", "correct horse battery"
SOON: Final = 30_000
"""Milliseconds within which a waiting page has asked again, or a first sum is done."""


@dataclass(slots=True, kw_only=True)
class Journey:
    """One person at one browser, and visitors at theirs.

    Attributes:
        key: of the experiment, once it is stored.
        started_at: by the service's clock.
        snippets: what the installation page says, by name.
    """

    browser: Browser
    installation: Installation
    site: PageServer
    story: Story
    page: Page
    hands: Hands
    key: str = ""
    started_at: datetime = field(default_factory=datetime.now)
    snippets: dict[str, str] = field(default_factory=dict)

    def open(self, path: str) -> None:
        """Type an address; paths are those of the service."""
        self.page.goto(f"{self.installation.address}{path}")

    def button(self, words: str) -> Locator:
        return self.page.get_by_role("button", name=words, exact=True)

    def field(self, name: str) -> Locator:
        return self.page.locator(f"#{name}")

    def make_the_first_user(self) -> None:
        self.page.goto(self.installation.set_up_link)
        self.hands.write(self.field("name"), NAME)
        self.hands.write(self.field("password"), PASSWORD)
        self.hands.press(self.page.locator("main form button"))
        expect(self.page).to_have_url(f"{self.installation.address}/")

    def sign_in_again(self) -> None:
        """Come back after days: nobody stays signed in for so long."""
        self.open("/")
        expect(self.page).to_have_url(re.compile("/login"))
        self.hands.write(self.field("name"), NAME)
        self.hands.write(self.field("password"), PASSWORD)
        self.hands.press(self.page.locator("main form button"))
        expect(self.page).to_have_url(f"{self.installation.address}/")

    def plan(self) -> None:
        """Fill in the form, look at the plan and keep the draft."""
        story, write = self.story, self.hands.write
        self.hands.press(self.page.locator('a[href="/experiments/new"]').first)
        write(self.field("name"), story.name)
        write(self.field("hypothesis"), "?!")
        write(self.field("page_url"), self.site.url)
        expect(self.field("currency")).to_have_value(story.currency)
        write(self.field("window_days"), str(WINDOW))
        write(self.field("second_points"), story.second_points)
        write(self.field("visitors_per_day"), "300")
        write(self.field("effect"), "40")
        write(self.field("first_rate"), "10")
        write(self.field("repeat_rate"), "30")
        self.hands.press(self.button(story.words.plan))
        expect(self.page.locator("#plan svg.chart")).to_be_visible(timeout=SOON)
        self.hands.press(self.button(story.words.save).last)
        expect(self.page).to_have_url(re.compile(r"/set-up\?done=saved$"))
        self.key = self.page.url.split("/")[-2]
        expect(self.page.locator("h1")).to_have_text(story.name)

    def install(self) -> None:
        """Make a key for the site, and copy what goes onto its pages."""
        self.go_to("install")
        self.hands.write(self.field("origins"), self.site.url)
        self.hands.press(self.page.locator('button[value="make"]'))
        expect(self.page.locator("#code-page")).to_contain_text("abtest_pk_")
        for name in ("page", "show", "convert"):
            self.snippets[name] = self.page.locator(f"#code-{name}").inner_text()

    def start(self) -> None:
        self.go_to("set-up")
        self.hands.press(self.button(self.story.words.start))
        expect(self.page).to_have_url(re.compile(r"done=start$"))
        self.started_at = self.installation.clock()

    def go_to(self, page: str) -> None:
        """Follow the bar of the experiment's pages."""
        way = self.page.locator(f'nav a[href="/experiments/{self.key}/{page}"]')
        self.hands.press(way.first)
        expect(self.page).to_have_url(re.compile(f"/{page}$"))

    def close(self) -> None:
        self.open(f"/experiments/{self.key}/set-up")
        self.hands.press(self.button(self.story.words.close))
        expect(self.page).to_have_url(re.compile(r"done=close$"))

    def publish(self, buyers: int) -> str:
        """Put the snippets on a landing page and on as many thank-you pages.

        Returns:
            The address of the landing page.
        """
        head, convert = self.snippets["page"], self.snippets["convert"]
        script = convert[convert.index("<script>") :]
        for n in range(buyers):
            order = script.replace("A-1001", f"A-{n}").replace("c-77", f"c-{n}")
            self.site.publish(_html(head, order), f"/thanks-{n}")
        return self.site.publish(_html(head, self.snippets["show"]))

    def visit(self, address: str, *, order: int | None = None) -> str:
        """Come as somebody new, look, perhaps buy; return the variant seen."""
        with self.browser.new_context() as somebody:
            page = somebody.new_page()
            page.goto(address)
            page.wait_for_function("window.abtest")
            variant: str = page.evaluate(
                f"abtest.ready().then(ab => ab.variant('{self.key}'))"
            )
            seen = page.locator("h1:visible")
            expect(seen).to_have_count(1)
            expected = "only-control" if variant == "a" else "only-b"
            expect(seen).to_have_class(expected)
            if order is not None:
                with page.expect_response(re.compile("/api/v1/events$")) as told:
                    page.goto(f"{self.site.url}/thanks-{order}")
                assert told.value.ok
            return variant

    def results(self, verdict: str) -> str:
        """Open the results, expect a verdict and return what it says."""
        self.open(f"/experiments/{self.key}")
        panel = self.page.locator("#verdict")
        expect(panel).to_have_attribute("data-code", verdict)
        return panel.inner_text()

    def anonymous(self) -> BrowserContext:
        """Return a browser of somebody who has no login."""
        return self.browser.new_context(locale=self.story.locale)


def _html(head: str, body: str) -> str:
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"
