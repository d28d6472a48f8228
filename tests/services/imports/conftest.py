from collections.abc import Iterator
from pathlib import Path

import pytest

from abtest.store.migrate import migrate
from abtest.store.protocol import Store
from abtest.store.sqlite.store import open_store
from tests.services.imports.importing import Importer, begin


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    migrate(tmp_path / "test.db")
    opened = open_store(tmp_path / "test.db", durability="normal")
    yield opened
    opened.close()


@pytest.fixture
def importer(store: Store, tmp_path: Path) -> Importer:
    """Import into the started experiment `shop`."""
    begin(store)
    return Importer(store, tmp_path)
