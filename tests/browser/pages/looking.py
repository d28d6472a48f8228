"""What every page owes every reader, whatever it shows."""

from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.pages.conftest import Readers

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def assert_accessible(page: Page) -> None:
    page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    report = [
        (violation["id"], [node["target"] for node in violation["nodes"]])
        for violation in found.response["violations"]
    ]
    assert report == [], report


def assert_good_for_all(
    readers: Readers, path: str, *, language: str, width: int, signed_in: bool = True
) -> None:
    """Open the page in both colour schemes: it fits, is accessible and keeps quiet."""
    page, watcher = readers.open(
        path, language=language, width=width, signed_in=signed_in
    )
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        needed = page.evaluate("document.documentElement.scrollWidth")
        assert needed <= width, f"{path} needs {needed} of {width} pixels"
        assert_accessible(page)
    assert watcher.foreign == [], watcher.foreign
    complaints = [c for c in watcher.complaints if "404" not in c]
    assert complaints == [], complaints
