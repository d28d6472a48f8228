"""The pages over HTTP with experiments in several states, and who reads them."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request
from werkzeug.serving import make_server

from abtest.app import create_context, create_service
from abtest.config import Settings
from abtest.domain.access import Role
from abtest.domain.experiment import ExperimentKey, Method, Status
from abtest.domain.funnel import MoneyWeights
from abtest.services.access import COMMAND_LINE, add_user, sign_in
from abtest.store.protocol import Store
from abtest.web.pages.guard import COOKIE
from tests.services.traffic import START, Cohort, events, running

NAME, PASSWORD = "anna", "correct horse battery"
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


@dataclass
class Watcher:
    """Notes what a page should not do: complain, or call another host.

    Without slots: the browser's driver hangs its own attribute on listeners.
    """

    host: str
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def on_request(self, request: Request) -> None:
        if not request.url.startswith(self.host):
            self.foreign.append(request.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the pages are served, and how to be let in."""

    address: str
    session: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """Opens pages as people with several languages, eyes and screens."""

    browser: Browser
    address: str
    session: str

    def open(
        self,
        path: str,
        *,
        language: str = "en",
        scheme: str = "light",
        width: int = 1280,
        scripts: bool = True,
        signed_in: bool = True,
    ) -> tuple[Page, Watcher]:
        """Return the page, drawn, and what was noticed on the way."""
        context = self.browser.new_context(
            base_url=self.address,
            locale={"de": "de-DE", "en": "en-GB"}[language],
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": width, "height": 800},
            java_script_enabled=scripts,
        )
        page, watcher = context.new_page(), Watcher(self.address)
        page.on("console", watcher.on_console)
        page.on("pageerror", lambda error: watcher.complaints.append(str(error)))
        page.on("request", watcher.on_request)
        if signed_in:
            context.add_cookies(
                [{"url": self.address, "name": COOKIE, "value": self.session}]
            )
        page.goto(path)
        return page, watcher


@pytest.fixture(scope="module")
def more() -> Callable[[Store], None]:
    """Return what adds to the shop; a module that needs more overrides this."""
    return lambda _: None


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    empty_database: Path,
    more: Callable[[Store], None],
) -> Iterator[Site]:
    """Serve the pages of a small shop."""
    path = Path(shutil.copy(empty_database, tmp_path_factory.mktemp("pages")))
    settings = Settings(
        database=str(path), durability="normal", base_url="", language="en"
    )
    context = create_context(settings, now=lambda: NOW)
    _fill(context.store)
    more(context.store)
    server = make_server("127.0.0.1", 0, create_service(context), threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield Site(
        address=f"http://127.0.0.1:{server.server_port}",
        session=sign_in(context.store, NAME, password=PASSWORD, now=NOW),
    )
    server.shutdown()
    thread.join()
    server.server_close()
    context.close()


@pytest.fixture
def readers(browser: Browser, site: Site) -> Iterator[Readers]:
    yield Readers(browser=browser, address=site.address, session=site.session)
    for context in browser.contexts:
        context.close()


def _fill(store: Store) -> None:
    add_user(
        store,
        NAME,
        password=PASSWORD,
        role=Role.ADMIN,
        caller=COMMAND_LINE,
        now=NOW,
    )
    money = running(
        weights=MoneyWeights(currency="EUR"),
        variants=("a", "b", "c"),
        method=Method.SEQUENTIAL,
        effect=0.3,
    )
    store.add_experiment(replace(money, hypothesis="Offers bring customers back."))
    store.record(
        events(
            [
                Cohort(
                    variant=key,
                    day=day,
                    visitors=150,
                    first=first,
                    second=second,
                    value=value,
                )
                for day in range(20)
                for key, first, second, value in (
                    ("a", 15, 3, 2000),
                    ("b", 14, 6, 2500),
                    ("c", 15, 3, 1900),
                )
            ]
        ),
        received_at=START + timedelta(days=40),
    )
    empty = replace(running(), phases=(), log=(), status=Status.DRAFT)
    store.add_experiment(replace(empty, key=ExperimentKey("draft"), name="Next idea"))
