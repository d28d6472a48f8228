"""The pages of the installation in a real browser."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.pages.conftest import PASSWORD, Readers
from tests.browser.pages.looking import assert_accessible, assert_good_for_all

ROOMS = {
    "keys": "/settings/keys",
    "users": "/settings/users",
    "privacy": "/settings/privacy",
    "system": "/settings/system",
    "audit": "/settings/audit",
    "account": "/settings/account",
    "api": "/api/docs",
}


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("room", ROOMS)
def test_every_room_for_every_reader(
    readers: Readers, room: str, language: str, width: int
) -> None:
    assert_good_for_all(readers, ROOMS[room], language=language, width=width)


def test_a_key_is_made_copied_and_revoked_with_the_keyboard(readers: Readers) -> None:
    page, watcher = readers.open("/settings/keys")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("radio", name="Web page").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Landing page")
    page.keyboard.press("Tab")
    page.keyboard.type("https://www.example.com")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    secret = page.locator("#new-key")
    expect(secret).to_have_text(re.compile(r"^abtest_pk_.{43}$"))
    assert_accessible(page)
    page.get_by_role("button", name="Copy the key").press("Enter")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret.inner_text()
    page.goto("/settings/keys")
    row = page.get_by_role("row", name=re.compile("Landing page"))
    row.locator("summary", has_text="Revoke").press("Enter")
    row.get_by_role("button", name="Revoke now").press("Enter")
    expect(page.get_by_text("The key was revoked.")).to_be_visible()
    expect(row).to_have_count(0)
    assert watcher.complaints == []


def test_errors_are_named_at_the_top_and_lead_to_their_field(readers: Readers) -> None:
    page, _ = readers.open("/settings/keys", language="de", scripts=False)
    page.get_by_role("radio", name="Webseite").check()
    page.get_by_label("Name des Schlüssels").fill("Shop")
    page.get_by_label("Erlaubte Websites").fill("www.example.com")
    page.get_by_role("button", name="Schlüssel erstellen").click()
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("Der Schlüssel wurde nicht erstellt.")
    summary.get_by_role("link").click()
    expect(page).to_have_url(re.compile("#origins$"))
    expect(page.locator("#name")).to_have_value("Shop")
    expect(page.locator("#origins")).to_have_value("www.example.com")


def test_somebody_is_added_and_removed(readers: Readers) -> None:
    page, watcher = readers.open("/settings/users")
    page.get_by_label("Name for signing in").fill("bert")
    page.get_by_role("button", name="Add and make a password").click()
    expect(page.locator("#new-password")).to_have_text(re.compile("^.{20}$"))
    assert_accessible(page)
    row = page.get_by_role("row", name=re.compile("bert"))
    row.get_by_label("Role of bert", exact=True).select_option("Editor")
    row.get_by_role("button", name="Change role: bert").click()
    expect(page.get_by_text("The role was changed.")).to_be_visible()
    expect(row.get_by_label("Role of bert", exact=True)).to_have_value("editor")
    row.locator("summary", has_text="Remove").click()
    row.get_by_role("button", name="Remove now").click()
    expect(page.get_by_text("The person was removed")).to_be_visible()
    expect(row).to_have_count(0)
    assert watcher.complaints == []


def test_a_person_is_handed_out_and_erased(readers: Readers) -> None:
    page, _ = readers.open("/settings/privacy", width=360)
    page.get_by_label("Id", exact=True).fill("a-4-0")
    page.get_by_role("button", name="Find the person").click()
    if not page.locator("#found").count():
        pytest.fail(page.get_by_role("alert").inner_text())
    assert_accessible(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download everything").click()
    stored = json.loads(download.value.path().read_text())
    assert stored["visitors"] == ["a-4-0"]
    page.locator("#confirmed").check()
    page.get_by_role("button", name="Erase this person").click()
    expect(page.get_by_text("The person was erased")).to_be_visible()


def test_a_wrong_present_password_is_pointed_at(readers: Readers) -> None:
    page, _ = readers.open("/settings/account")
    page.get_by_label("Present password").fill(f"{PASSWORD}?")
    page.get_by_label("New password", exact=True).fill("battery staple")
    page.get_by_label("New password once more").fill("battery staple")
    page.get_by_role("button", name="Change the password").click()
    expect(page.locator("#present")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#present")).to_have_accessible_description(
        "This is not your present password."
    )
    assert_accessible(page)
