"""The SQLite store keeps the contract."""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from itertools import count
from pathlib import Path

import pytest

from abtest.store.migrate import migrate
from abtest.store.protocol import Store
from abtest.store.sqlite import open_store
from tests.store.config_contract import ConfigContract
from tests.store.contract import EventContract, NewStore
from tests.store.set_contract import FreshStore, SetContract


@pytest.fixture
def new_stores(tmp_path: Path) -> NewStore:
    """Return what opens stores on one and the same file."""
    path = tmp_path / "abtest.db"
    migrate(path)
    return lambda: closing(open_store(path, durability="normal"))


@pytest.fixture(scope="module")
def fresh_store(tmp_path_factory: pytest.TempPathFactory) -> FreshStore:
    """Return what opens a new and empty store each time."""
    folder = tmp_path_factory.mktemp("fresh")
    migrate(folder / "empty.db")
    numbers = count()

    def opened() -> AbstractContextManager[Store]:
        path = folder / f"{next(numbers)}.db"
        shutil.copy(folder / "empty.db", path)
        return closing(open_store(path, durability="normal"))

    return opened


@pytest.fixture
def store(new_stores: NewStore) -> Iterator[Store]:
    with new_stores() as opened:
        yield opened


class TestConfig(ConfigContract):
    pass


class TestEvents(EventContract):
    pass


class TestSets(SetContract):
    pass
