"""What every request needs: the store, the settings and the clock."""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

from flask import Flask, current_app

from abtest.config import Settings
from abtest.store.protocol import Store

_NAME = "abtest"


def utc_now() -> datetime:
    """Read the clock."""
    return datetime.now(UTC)


class Context:
    """Opens the store when it is first asked for: after the server has forked."""

    def __init__(
        self,
        settings: Settings,
        open_store: Callable[[], Store],
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.settings = settings
        self.now = now
        self._open_store = open_store
        self._store: Store | None = None
        self._lock = Lock()

    @property
    def store(self) -> Store:
        """The open store.

        Raises:
            AbtestError: `unavailable`; the next request tries again.
        """
        if self._store is None:
            with self._lock:
                if self._store is None:
                    self._store = self._open_store()
        return self._store

    def close(self) -> None:
        """Close the store if it was opened."""
        with self._lock:
            store, self._store = self._store, None
        if store is not None:
            store.close()


def attach(app: Flask, context: Context) -> None:
    """Make the context known to the app's views."""
    app.extensions[_NAME] = context


def current_context() -> Context:
    """Return the context of the app that is answering."""
    context = current_app.extensions[_NAME]
    assert isinstance(context, Context)  # noqa: S101 - tells the type checker
    return context
