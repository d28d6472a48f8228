"""Pages in a real browser: accessible, quiet, at home on every screen."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.pages.conftest import NAME, PASSWORD, Readers
from tests.browser.pages.looking import assert_good_for_all

PAGES = {
    "overview": "/",
    "results": "/experiments/home",
    "draft": "/experiments/draft",
    "help": "/help",
    "login": "/login",
    "nowhere": "/no/such/page",
}


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_for_every_reader(
    readers: Readers, name: str, language: str, width: int
) -> None:
    assert_good_for_all(
        readers,
        PAGES[name],
        language=language,
        width=width,
        signed_in=name != "login",
    )


def test_the_results_fit_the_narrowest_screen(readers: Readers) -> None:
    # 320 pixels are also what remains of 1280 at a zoom of 400 %.
    page, _ = readers.open("/experiments/home", language="de", width=320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_slider_asks_for_the_same_page_at_another_worth(readers: Readers) -> None:
    page, watcher = readers.open("/experiments/home")
    before = page.locator("#verdict").inner_text()
    slider = page.locator("#second-weight-slider")
    expect(slider).to_be_visible()
    slider.fill("0.5")
    expect(page.locator("#second-weight")).to_have_value("0.5")
    expect(page.get_by_text("You are trying out a worth")).to_be_visible()
    expect(page).to_have_url(re.compile(r"second_weight=0\.5#worth$"))
    after = page.locator("#verdict").inner_text()
    assert after != before
    page.goto("/experiments/home?second_weight=0.5")
    assert page.locator("#verdict").inner_text() == after
    assert watcher.complaints == []


def test_the_number_field_moves_the_slider(readers: Readers) -> None:
    page, _ = readers.open("/experiments/home")
    page.fill("#second-weight", "2")
    expect(page.locator("#second-weight-slider")).to_have_value("2")
    expect(page.get_by_text("You are trying out a worth")).to_be_visible()


def test_without_scripts_the_button_does_the_same(readers: Readers) -> None:
    page, _ = readers.open("/experiments/home", scripts=False)
    expect(page.locator("#second-weight-slider")).to_be_hidden()
    page.fill("#second-weight", "0.5")
    page.get_by_role("button", name="Try out").click()
    expect(page.get_by_text("You are trying out a worth")).to_be_visible()
    page.get_by_role("link", name="Back to the declared worth").click()
    expect(page.get_by_text("You are trying out a worth")).to_be_hidden()


def test_signing_in_and_out_with_the_keyboard_alone(readers: Readers) -> None:
    page, _ = readers.open("/", signed_in=False)
    expect(page).to_have_url(re.compile(r"/login\?next=/$"))
    page.locator("#name").focus()
    page.keyboard.type(NAME)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Experiments", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"#content$"))
    page.get_by_role("button", name="Sign out").press("Enter")
    expect(page.get_by_role("heading", name="Sign in", level=1)).to_be_visible()


def test_language_and_appearance_are_chosen_at_the_foot(readers: Readers) -> None:
    page, watcher = readers.open("/experiments/home")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", name="Was getestet wird")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/experiments/home$"))
    light = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.get_by_role("button", name="Dunkel").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert dark != light
    assert watcher.complaints == []


def test_a_page_is_light_to_load(readers: Readers) -> None:
    page, _ = readers.open("/experiments/home")
    sizes = page.evaluate(
        """async () => {
          const sizes = [];
          const entries = performance.getEntriesByType("resource");
          for (const url of [location.href, ...entries.map((e) => e.name)]) {
            const body = (await fetch(url)).body;
            const packed = body.pipeThrough(new CompressionStream("gzip"));
            sizes.push((await new Response(packed).arrayBuffer()).byteLength);
          }
          return sizes;
        }"""
    )
    assert len(sizes) >= 4
    assert sum(sizes) < 60_000


def test_paper_shows_what_the_screen_folds_away(
    readers: Readers, tmp_path: Path
) -> None:
    page, _ = readers.open("/experiments/home")
    page.emulate_media(media="print")
    expect(page.get_by_text("Fingerprint of the events")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(page.locator("#worth-form")).to_be_hidden()
    paper = tmp_path / "report.pdf"
    page.pdf(path=paper, format="A4")
    assert paper.read_bytes().startswith(b"%PDF")
