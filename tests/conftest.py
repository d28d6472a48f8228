"""Shared fixtures: a migrated store in a temporary file, and the service upon it."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from werkzeug.test import Client

from abtest.app import create_context, create_service
from abtest.config import Settings
from abtest.store.migrate import migrate
from abtest.store.protocol import Store
from abtest.web.context import Context

# Properties are about values: a busy machine must not fail them.
hypothesis.settings.register_profile(
    "values", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("values")


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database to be copied: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "abtest.db"
    migrate(path)
    return path


@pytest.fixture
def settings(tmp_path: Path, empty_database: Path) -> Settings:
    path = Path(shutil.copy(empty_database, tmp_path))
    return Settings(database=str(path), durability="normal", base_url="", language="en")


@pytest.fixture
def context(settings: Settings, clock: Clock) -> Iterator[Context]:
    context = create_context(settings, now=clock)
    yield context
    context.close()


@pytest.fixture
def store(context: Context) -> Store:
    return context.store


@pytest.fixture
def client(context: Context) -> Client:
    """Speaks to the whole service: the door and Flask behind it."""
    return Client(create_service(context))
