"""Groups, links and notes, for every reader and with the keyboard."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.pages.conftest import Readers
from tests.browser.pages.looking import assert_good_for_all

PAGE = "/experiments/home"


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("path", ["", "/segments"])
def test_pages_are_good_for_all(
    readers: Readers, language: str, width: int, path: str
) -> None:
    assert_good_for_all(readers, f"{PAGE}{path}", language=language, width=width)


def test_a_link_is_made_read_and_ended_with_the_keyboard(readers: Readers) -> None:
    page, watcher = readers.open(PAGE)
    page.locator("#link-days").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    field = page.get_by_label("The link is made.")
    expect(field).to_have_value(re.compile(r"/share/[\w-]{43}$"))
    path = "/share/" + field.input_value().rpartition("/share/")[2]
    for language in ("de", "en"):
        assert_good_for_all(
            readers, path, language=language, width=360, signed_in=False
        )
    page.get_by_role("button", name="End this link").press("Enter")
    expect(page.get_by_role("button", name="End this link")).to_have_count(0)
    stranger, _ = readers.open(path, signed_in=False)
    expect(stranger.get_by_text("There is nothing here")).to_be_visible()
    assert watcher.complaints == []


def test_a_note_is_written_with_the_keyboard(readers: Readers) -> None:
    page, _ = readers.open(PAGE)
    page.get_by_label("Add a note").focus()
    page.keyboard.type("The newsletter went out.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#log$"))
    expect(page.locator("#log")).to_contain_text("The newsletter went out.")


def test_the_contents_lead_to_every_section(readers: Readers) -> None:
    page, _ = readers.open(PAGE)
    for link in page.locator(".contents a").all():
        target = link.get_attribute("href") or ""
        expect(page.locator(target)).to_have_count(1)
