"""The embedded store: one SQLite file."""

from abtest.store.sqlite.integrity import quick_check
from abtest.store.sqlite.store import SqliteStore, open_store

__all__ = ["SqliteStore", "open_store", "quick_check"]
