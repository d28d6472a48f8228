"""What `/readyz` knows: asked of the store once a second, however many ask."""

import time
from collections.abc import Callable
from datetime import datetime
from threading import Lock

from abtest.errors import AbtestError, FieldError
from abtest.services.readiness import find_obstacles, obstacle
from abtest.store.protocol import Store

_FRESH = 1.0
"""Seconds for which an answer holds."""


class Readiness:
    """Asks the store, one caller at a time; the others get what was found last."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store
        self._lock = Lock()
        self._last: tuple[FieldError, ...] | None = None
        self._until = 0.0

    def obstacles(self, now: datetime) -> tuple[FieldError, ...]:
        """Return what keeps the service from working."""
        last = self._last
        if last is not None and time.monotonic() < self._until:
            return last
        # While the database is locked the answer takes seconds: nobody queues for it.
        if not self._lock.acquire(blocking=last is None) and last is not None:
            return last
        try:
            if self._last is None or time.monotonic() >= self._until:
                self._last = self._ask(now)
                self._until = time.monotonic() + _FRESH
            return self._last
        finally:
            self._lock.release()

    def _ask(self, now: datetime) -> tuple[FieldError, ...]:
        try:
            return find_obstacles(self._store(), now)
        except AbtestError as error:
            return (obstacle("no_database", error.detail),)
