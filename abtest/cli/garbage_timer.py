"""Old events that a running service deletes by itself."""

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta

from abtest.cli.console import now
from abtest.cli.recurring import Recurring
from abtest.config import Settings
from abtest.errors import AbtestError
from abtest.services.access import SERVICE
from abtest.services.privacy import GarbageSummary, collect_garbage
from abtest.store.protocol import Store

_RETRY = timedelta(hours=1)

_log = logging.getLogger("abtest")


class GarbageTimer:
    """Does once a UTC day what `abtest gc` does, if the settings say what to keep."""

    def __init__(
        self,
        configured: Settings,
        store: Callable[[], Store],
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._keep_days = configured.keep_events_days
        self._store = store
        self._clock = clock
        self._done: date | None = None
        self._not_before: datetime | None = None
        self._recurring = Recurring("abtest-garbage", self.collect_if_due)

    def start(self) -> None:
        """Begin, unless events are kept for ever."""
        if self._keep_days:
            self._recurring.start()

    def stop(self) -> None:
        """End soon; what was begun goes on after the next start."""
        self._recurring.stop()

    def collect_if_due(self) -> None:
        """Delete what is too old, unless that was done today; log a failure."""
        at = self._clock()
        if self._done == at.date() or (self._not_before and at < self._not_before):
            return
        try:
            self._collect(at)
        except AbtestError as error:
            self._not_before = at + _RETRY
            _log.error("old events stay, next try in an hour: %s", error.detail)
        except Exception:  # noqa: BLE001 - the outermost handler of the thread
            self._not_before = at + _RETRY
            _log.exception("old events stay, next try in an hour")

    def _collect(self, at: datetime) -> None:
        steps = collect_garbage(self._store(), self._keep_days, caller=SERVICE, now=at)
        for step in steps:
            if self._recurring.is_ended:
                return
            if isinstance(step, GarbageSummary) and step.events:
                _log.info(
                    "%d events of %d persons before %s were deleted; no report changed",
                    step.events,
                    step.persons,
                    step.horizon.date(),
                )
        self._done = at.date()
