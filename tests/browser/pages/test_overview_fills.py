"""Verdicts that are being computed appear by themselves."""

import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

import pytest
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from abtest.app import create_context, create_service
from abtest.config import Settings
from abtest.services.access import sign_in
from abtest.services.calculating import OwnProcess, Task
from abtest.store.protocol import Store
from tests.browser.pages.conftest import NAME, NOW, PASSWORD, Readers, _fill

T = TypeVar("T")


class Held(OwnProcess):
    """Does tasks in a thread, when it is allowed to."""

    def __init__(self, store: Store) -> None:
        super().__init__(lambda: store)
        self.allowed = Event()
        self._threads = ThreadPoolExecutor(max_workers=1)

    def submit(self, task: Task[T], *, is_urgent: bool) -> Future[T]:
        del is_urgent

        def later() -> T:
            assert self.allowed.wait(60)
            return task(self._store())

        return self._threads.submit(later)

    def close(self) -> None:
        self.allowed.set()
        self._threads.shutdown()


@pytest.fixture
def held(tmp_path: Path, empty_database: Path) -> Iterator[tuple[Held, str, str]]:
    """Return what holds the tasks, the address of its service, and a session."""
    path = Path(shutil.copy(empty_database, tmp_path))
    settings = Settings(
        database=str(path), durability="normal", base_url="", language="en"
    )
    context = create_context(settings, now=lambda: NOW)
    _fill(context.store)
    calculator = context.calculator = Held(context.store)
    server = make_server("127.0.0.1", 0, create_service(context), threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    session = sign_in(context.store, NAME, password=PASSWORD, now=NOW)
    yield calculator, f"http://127.0.0.1:{server.server_port}", session
    server.shutdown()
    thread.join()
    server.server_close()
    context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_verdicts_appear_when_they_are_known(
    browser: Browser, held: tuple[Held, str, str], *, scripts: bool
) -> None:
    calculator, address, session = held
    readers = Readers(browser=browser, address=address, session=session)
    page, watcher = readers.open("/", scripts=scripts)
    notice = page.locator("#pending")
    expect(notice).to_contain_text("verdicts are being computed.")
    link = page.locator("#e-home h3 a")
    link.focus()
    calculator.allowed.set()
    if scripts:
        expect(notice).to_be_hidden(timeout=30_000)
        expect(link).to_be_focused()
    else:
        while notice.is_visible():
            page.get_by_role("link", name="Load again").click()
    expect(page.locator("[data-pending]")).to_have_count(0)
    expect(page.locator("#e-home .card-verdict")).not_to_contain_text("computed")
    assert watcher.complaints == []
    page.context.close()
