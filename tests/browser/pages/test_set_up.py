"""Setting up, deciding and installing in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages.conftest import Readers
from tests.browser.pages.looking import assert_good_for_all

LANGUAGES = ("de", "en")
WIDTHS = (360, 1280)


def save(page: Page) -> None:
    page.locator(".save-line button").click()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "path",
    [
        "/experiments/new",
        "/experiments/draft/set-up",
        "/experiments/home/set-up",
        "/experiments/home/decide",
        "/experiments/home/install",
        "/experiments/draft/install",
    ],
)
def test_everybody_can_use_it(
    readers: Readers, path: str, language: str, width: int
) -> None:
    assert_good_for_all(readers, path, language=language, width=width)


@pytest.mark.parametrize("scripts", [True, False])
def test_from_idea_to_start(readers: Readers, scripts: bool) -> None:  # noqa: FBT001 - pytest's parameter
    name = f"Guarantee {'with' if scripts else 'without'} scripts"
    page, watcher = readers.open("/experiments/new", scripts=scripts)
    save(page)
    expect(page.locator("#problems")).to_contain_text("Give it a name.")
    page.locator("#problems a").first.click()
    expect(page.locator("#name")).to_be_focused()
    page.locator("#name").fill(name)
    page.locator("#hypothesis").fill("It takes away the fear.")
    page.get_by_role("button", name="Leads: sign-up, then the main product").click()
    expect(page.locator("#name")).to_have_value(name)
    expect(page.locator("#second")).to_have_value("3")
    page.get_by_role("button", name="Add a variant").click()
    expect(page.locator("#variant-2-key")).to_have_value("c")
    page.locator("#page_url").fill("https://www.example.com/")
    page.locator("#visitors_per_day").fill("5,000")
    page.locator("#first_rate").fill("6")
    page.locator("#repeat_rate").fill("25")
    page.locator("#effect").fill("20")
    page.get_by_role("button", name="Calculate").click()
    expect(page.locator("#plan")).to_contain_text("Decide on")
    expect(page.locator("#plan svg.chart")).to_be_visible()
    save(page)
    expect(page).to_have_url(re.compile(r"/set-up\?done=saved$"))
    expect(page.locator("#checklist")).to_contain_text("The length is planned done")
    expect(page.locator("#preview .qr svg")).to_have_count(3)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".pill").first).to_have_text("running")
    expect(page.locator("#window_days")).to_be_disabled()
    expect(page.locator("#second_points")).to_be_enabled()
    assert watcher.foreign == []


def test_enter_saves_and_does_not_press_another_button(readers: Readers) -> None:
    page, _ = readers.open("/experiments/new")
    page.locator("#name").fill("By keyboard")
    page.locator("#name").press("Enter")
    expect(page).to_have_url(re.compile("/experiments/by-keyboard/set-up"))


def test_text_that_was_not_sent_is_offered_again(readers: Readers) -> None:
    page, _ = readers.open("/experiments/draft/set-up")
    expect(page.locator("#restore")).to_be_hidden()
    page.locator("#hypothesis").fill("A thought")
    for _ in range(50):
        if page.evaluate("localStorage.length"):
            break
        page.wait_for_timeout(100)
    page.reload()
    expect(page.locator("#hypothesis")).to_have_value("")
    page.get_by_role("button", name="Restore it").click()
    expect(page.locator("#hypothesis")).to_have_value("A thought")
    page.reload()
    page.get_by_role("button", name="Throw it away").click()
    page.reload()
    expect(page.locator("#restore")).to_be_hidden()


def test_a_decision_without_a_choice_is_an_error(readers: Readers) -> None:
    page, _ = readers.open("/experiments/home/decide")
    assert page.locator("input[type=radio]:checked").count() == 0
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is decided yet.")
    expect(page.locator("#variant-problem")).to_be_visible()
    expect(page.locator("input[type=radio]").first).to_have_attribute(
        "aria-describedby", "variant-problem"
    )


def test_the_page_waits_for_the_first_visitor(readers: Readers) -> None:
    """The page asks by itself and tells who listens, without being loaded again."""
    page, _ = readers.open("/experiments/draft/install", scripts=False)
    expect(page.get_by_role("button", name="Check again")).to_be_visible()
    page, _ = readers.open("/experiments/draft/install")
    live = page.locator("#live")
    expect(live).to_have_attribute("aria-live", "polite")
    page.route(
        "**/install/status",
        lambda route: route.fulfill(json={"arrived": False, "words": "Asked again"}),
    )
    expect(live).to_have_text("Asked again", timeout=15_000)
