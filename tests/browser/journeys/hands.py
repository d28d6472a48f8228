"""How somebody works with a page: by mouse, or by keyboard alone."""

from dataclasses import dataclass
from typing import Protocol

from playwright.sync_api import Locator, Page

FAR = 400
"""Nobody presses the tabulator more often than this."""

IS_FOCUSED = "element => element === document.activeElement"


class Hands(Protocol):
    """What people do to a page."""

    def press(self, target: Locator) -> None:
        """Press a button or follow a link."""

    def write(self, field: Locator, text: str) -> None:
        """Replace what stands in a field."""

    def tick(self, box: Locator) -> None:
        """Choose a radio button or tick a box."""


@dataclass(frozen=True, slots=True)
class Mouse:
    """Points at things."""

    page: Page

    def press(self, target: Locator) -> None:
        target.click()

    def write(self, field: Locator, text: str) -> None:
        field.click()
        field.fill(text)

    def tick(self, box: Locator) -> None:
        box.check()


@dataclass(frozen=True, slots=True)
class Keyboard:
    """Reaches everything with the tabulator, the arrows, space and enter."""

    page: Page

    def press(self, target: Locator) -> None:
        self._reach(target)
        self.page.keyboard.press("Enter")

    def write(self, field: Locator, text: str) -> None:
        self._reach(field)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def tick(self, box: Locator) -> None:
        """Choose; the tabulator stops once in a group of radio buttons."""
        if box.get_attribute("type") == "checkbox":
            self._reach(box)
            self.page.keyboard.press("Space")
            return
        name = box.get_attribute("name")
        group = self.page.locator(f'input[type=radio][name="{name}"]')
        checked = self.page.locator(f'input[type=radio][name="{name}"]:checked')
        self._reach(checked if checked.count() else group.first)
        self.page.keyboard.press("Space")
        for _ in range(group.count()):
            if box.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"no arrow leads to {box}")

    def _reach(self, target: Locator) -> None:
        target.wait_for()
        for _ in range(FAR):
            if target.evaluate(IS_FOCUSED):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no tabulator leads to {target}")
