"""SQLite stores on temporary files."""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from itertools import count
from pathlib import Path

import pytest

from abtest.store.migrate import migrate
from abtest.store.sqlite import SqliteStore, open_store
from tests.store.contract import NewStore
from tests.store.set_contract import FreshStore


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated database to copy from."""
    path = tmp_path_factory.mktemp("empty") / "abtest.db"
    migrate(path)
    return path


@pytest.fixture
def path(tmp_path: Path, empty_file: Path) -> Path:
    return Path(shutil.copy(empty_file, tmp_path / "abtest.db"))


@pytest.fixture
def new_stores(path: Path) -> NewStore:
    """Return what opens stores on one and the same file."""
    return lambda: closing(open_store(path, durability="normal"))


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with closing(open_store(path, durability="normal")) as opened:
        yield opened


@pytest.fixture(scope="module")
def fresh_store(
    tmp_path_factory: pytest.TempPathFactory, empty_file: Path
) -> FreshStore:
    """Return what opens a new and empty store each time."""
    folder = tmp_path_factory.mktemp("fresh")
    numbers = count()

    def opened() -> AbstractContextManager[SqliteStore]:
        path = Path(shutil.copy(empty_file, folder / f"{next(numbers)}.db"))
        return closing(open_store(path, durability="normal"))

    return opened
