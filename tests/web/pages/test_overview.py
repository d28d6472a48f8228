"""The overview: every experiment with its verdict, or the first steps."""

import subprocess
import sys
import time
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from flask.testing import FlaskClient

from abtest.domain.experiment import Action, ExperimentKey, Status
from abtest.errors import AbtestError, ErrorCode
from abtest.services.calculating import OwnProcess, Task
from abtest.store.protocol import Store
from abtest.web.context import Context
from tests.conftest import Clock
from tests.services.traffic import running
from tests.web.pages.reading import by_attribute, elements

T = TypeVar("T")


def keys(page: str) -> list[str]:
    """Return the experiments that are listed, in order."""
    found = by_attribute(page, "data-experiment")
    return [e.attributes["data-experiment"] for e in found]


def test_an_empty_database_shows_three_steps(reader: FlaskClient) -> None:
    page = reader.get("/").text
    for command in ("experiment create", "key create --kind pk", "experiment start"):
        assert f"abtest {command}" in page


@pytest.mark.usefixtures("shop")
def test_a_card_tells_verdict_visitors_day_and_health(reader: FlaskClient) -> None:
    (card,) = by_attribute(reader.get("/").text, "data-experiment")
    assert card.attributes["data-experiment"] == "home"
    for words in (
        "Home page",
        "running",
        "B is better than A.",
        "You can switch to B.",
        "4,000",
        "5 Feb 2026",
        "healthy",
    ):
        assert words in card.text
    german = reader.get("/", headers={"Accept-Language": "de"}).text
    (card,) = by_attribute(german, "data-experiment")
    assert "B ist besser als A." in card.text
    assert "4.000" in card.text


def test_experiments_are_grouped_by_their_state(
    reader: FlaskClient, store: Store
) -> None:
    now = datetime(2026, 2, 1, tzinfo=UTC)
    seen = running()
    stopped = seen.after(Action.STOP, now)
    for key, one in {
        "runs": seen,
        "ended": stopped,
        "drawn": replace(seen, status=Status.DRAFT, phases=(), log=()),
        "kept": stopped.after(Action.ARCHIVE, now),
    }.items():
        store.add_experiment(replace(one, key=ExperimentKey(key)))
    page = reader.get("/").text
    assert keys(page) == ["runs", "drawn", "kept", "ended"]
    titles = [page.index(f">{title}<") for title in ("Running", "Drafts", "Finished")]
    assert titles == sorted(titles)


@pytest.mark.usefixtures("shop")
def test_a_card_counts_the_visitors_of_the_last_days(
    reader: FlaskClient, clock: Clock
) -> None:
    # 100 visitors of each variant on each of 20 days from 5 January on.
    clock.time = datetime(2026, 2, 8, 12, tzinfo=UTC)
    page = reader.get("/").text
    (card,) = by_attribute(page, "data-experiment")
    # 30 days up to 7 February begin on 9 January: 16 of the 20 days.
    assert "Visitors of the last 30 days 3,200" in card.text
    (path,) = (e for e in elements(page) if e.attributes.get("d", "").startswith("M0"))
    assert path.attributes["d"].count("v-24") == 16


@pytest.mark.usefixtures("shop")
def test_a_card_counts_the_days_that_are_left(
    reader: FlaskClient, clock: Clock
) -> None:
    # The oldest visitors came on 5 January and are followed for 30 days.
    for day, expected in ((1, "5 Feb 2026 (in 4 days)"), (4, "5 Feb 2026 (in 1 day)")):
        clock.time = datetime(2026, 2, day, 12, tzinfo=UTC)
        assert expected in reader.get("/").text
    clock.time = datetime(2026, 2, 5, 12, tzinfo=UTC)
    assert "5 Feb 2026<" in reader.get("/").text


def test_filters_show_one_stage_and_count_all(
    reader: FlaskClient, store: Store
) -> None:
    seen = running()
    for key, one in {
        "runs": seen,
        "ended": seen.after(Action.STOP, datetime(2026, 2, 1, tzinfo=UTC)),
    }.items():
        store.add_experiment(replace(one, key=ExperimentKey(key)))
    for address, shown, chosen in (
        ("/", ["runs", "ended"], "All 2"),
        ("/?status=running", ["runs"], "Running 1"),
        ("/?status=drafts", [], "Drafts 0"),
        ("/?status=finished", ["ended"], "Finished 1"),
        ("/?status=odd", ["runs", "ended"], "All 2"),
    ):
        page = reader.get(address).text
        assert keys(page) == shown
        links = [e for e in by_attribute(page, "aria-current") if e.tag == "a"]
        assert chosen in [link.text for link in links]
        assert ("There is no experiment of this kind." in page) is (not shown)


class Busy(OwnProcess):
    """Never gets to its tasks."""

    def submit(self, task: Task[T], *, is_urgent: bool) -> Future[T]:
        del task, is_urgent
        return Future()


@pytest.mark.usefixtures("shop")
def test_verdicts_that_are_being_computed_keep_nobody_waiting(
    reader: FlaskClient, context: Context
) -> None:
    context.calculator = Busy(lambda: context.store)
    begin = time.monotonic()
    page = reader.get("/").text
    assert time.monotonic() - begin < 5
    notice, card = by_attribute(page, "data-pending")
    assert notice.text == "1 of 1 verdicts are being computed. Load again"
    assert card.attributes["id"] == "e-home"
    assert "The verdict is being computed. It appears here in a moment." in card.text
    assert "4,000" in card.text
    assert "overview.js" in page


@pytest.mark.usefixtures("shop")
def test_a_failed_verdict_is_told_of(reader: FlaskClient, context: Context) -> None:
    class Broken(OwnProcess):
        def submit(self, task: Task[T], *, is_urgent: bool) -> Future[T]:
            del task, is_urgent
            future: Future[T] = Future()
            future.set_exception(AbtestError(ErrorCode.UNAVAILABLE, "gone"))
            return future

    context.calculator = Broken(lambda: context.store)
    page = reader.get("/").text
    assert "The verdict could not be computed." in page
    assert by_attribute(page, "data-pending") == []
    answer = reader.get("/experiments/home")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_pages_do_not_load_the_statistics() -> None:
    code = (
        "import sys, abtest.app, abtest.web.pages.help_page;"
        "import abtest.web.pages.views.results, abtest.web.render.serialize;"
        "from abtest.web.render.reader import reader_of; reader_of('de');"
        "print([m for m in ('scipy', 'numpy', 'statsmodels') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
