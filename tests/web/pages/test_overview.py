"""The overview: every experiment with its verdict, or the first steps."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from abtest.domain.experiment import Action, ExperimentKey, Status
from abtest.store.protocol import Store
from tests.services.traffic import running
from tests.web.pages.reading import by_attribute


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
    keys = [
        e.attributes["data-experiment"] for e in by_attribute(page, "data-experiment")
    ]
    assert keys == ["runs", "drawn", "kept", "ended"]
    titles = [page.index(f">{title}<") for title in ("Running", "Drafts", "Finished")]
    assert titles == sorted(titles)


def test_pages_without_reports_do_not_load_the_statistics() -> None:
    code = (
        "import sys, abtest.app, abtest.web.pages.help_page;"
        "from abtest.web.render.reader import reader_of; reader_of('de');"
        "print([m for m in ('scipy', 'numpy', 'statsmodels') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
