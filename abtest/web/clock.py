"""The service's clock: it slows down, rather than go back."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

MOST_BACK = 3600.0
"""Seconds by which the system's clock may be set back without our following it."""

_log = logging.getLogger("abtest")


class SteadyClock:
    """Tells the system's time, but runs at half speed while that lies behind.

    A system clock that is set back by some minutes would put conversions before the
    exposures they follow, where they count for nothing. Half speed keeps the order
    and even short distances. A clock that is set back by more than an hour was
    plainly wrong before, and is followed at once.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._lock = Lock()
        self._told = wall()
        self._told_at = steady()

    def __call__(self) -> datetime:
        """Return the time, aware, in UTC."""
        with self._lock:
            steady, wall = self._steady(), self._wall()
            slow = self._told + (steady - self._told_at) / 2
            if slow - wall > MOST_BACK:
                _log.warning("the system clock was set back by %d s", slow - wall)
                slow = wall
            self._told, self._told_at = max(wall, slow), steady
            return datetime.fromtimestamp(self._told, UTC)
