"""A real Chromium, landing pages on one origin and the service on another."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    sync_playwright,
)

from tests.browser.demo import serve_demo
from tests.browser.servers import FaultyService, PageServer, Service

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_numbers = count(1)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = shutil.which("chromium")
    assert path is not None, "chromium is missing; on Debian: apt install chromium"
    return path


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium_path: str) -> Iterator[Browser]:
    with playwright.chromium.launch(
        executable_path=chromium_path, args=ARGUMENTS
    ) as launched:
        yield launched


@pytest.fixture
def cookieless(
    playwright: Playwright, chromium_path: str, tmp_path: Path
) -> Iterator[Page]:
    """Start a browser whose owner blocks all cookies, and with them all storage."""
    (tmp_path / "Default").mkdir()
    blocked = {"default_content_setting_values": {"cookies": 2}}
    (tmp_path / "Default" / "Preferences").write_text(json.dumps({"profile": blocked}))
    with playwright.chromium.launch_persistent_context(
        tmp_path, executable_path=chromium_path, args=ARGUMENTS
    ) as context:
        yield context.new_page()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Give each test a browser nobody has used."""
    with browser.new_context() as fresh:
        yield fresh


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Give a page on which no error may be thrown."""
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context.new_page()
    assert errors == []


@pytest.fixture(scope="session")
def page_server() -> Iterator[PageServer]:
    with PageServer() as server:
        yield server


@pytest.fixture
def faulty() -> Iterator[FaultyService]:
    with FaultyService() as server:
        yield server


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with closing(Service(tmp_path_factory.mktemp("service"))) as running:
        yield running


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with closing(serve_demo(tmp_path_factory.mktemp("demo"))) as running:
        yield running


@pytest.fixture
def experiment(service: Service) -> str:
    """Start an experiment of the test's own and return its key."""
    key = f"home{next(_numbers)}"
    service.start_experiment(key)
    return key
