"""Backups that a running service takes by itself."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from abtest.cli.console import database_path, now
from abtest.cli.recurring import Recurring
from abtest.config import Settings
from abtest.errors import AbtestError, ErrorCode
from abtest.services.backups import (
    Failure,
    keep_of,
    last_backup,
    note_failure,
    take_backup,
)
from abtest.store.protocol import Store

_RETRY = timedelta(minutes=10)

_log = logging.getLogger("abtest")


class BackupTimer:
    """A thread that takes a backup whenever the last one is too old.

    Several processes may run one each: a folder takes one backup at a time, and each
    looks at the folder for what is due.
    """

    def __init__(
        self,
        configured: Settings,
        store: Callable[[], Store],
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._settings = configured
        self._store = store
        self._clock = clock
        self._not_before: datetime | None = None
        self._recurring = Recurring("abtest-backup", self.take_if_due)

    def start(self) -> None:
        """Begin, if the settings name a folder."""
        if self._settings.backup_dir:
            self._recurring.start()

    def stop(self) -> None:
        """End soon; a copy under way is given up."""
        self._recurring.stop()

    def take_if_due(self) -> None:
        """Take a backup unless there is a young one; log and remember a failure."""
        at = self._clock()
        if self._not_before is not None and at < self._not_before:
            return
        try:
            if self._is_due(at):
                self._take(at)
        except _EndedError:
            return
        except AbtestError as error:
            if error.code is not ErrorCode.CONFLICT:
                self._fail(at, error.detail)
        except Exception as error:  # noqa: BLE001 - the outermost handler of the thread
            _log.exception("a backup failed")
            self._fail(at, f"internal error ({type(error).__name__}); see the log")

    def _is_due(self, at: datetime) -> bool:
        last = last_backup(self._settings)
        hours = timedelta(hours=self._settings.backup_hours)
        return last is None or at - last.at >= hours

    def _take(self, at: datetime) -> None:
        from abtest.store.sqlite.backup import (  # noqa: PLC0415 - help needs no driver
            copy_database,
        )

        database = database_path(self._settings)
        taken = take_backup(
            partial(copy_database, database, on_pages=self._on_pages),
            Path(self._settings.backup_dir),
            database=database,
            keep=keep_of(self._settings),
            now=at,
        )
        made = taken.backup
        _log.info("backup %s of %d bytes was taken", made.path, made.size)
        note_failure(self._store(), None)

    def _fail(self, at: datetime, detail: str) -> None:
        self._not_before = at + _RETRY
        _log.error("backup failed, next try in 10 minutes: %s", detail)
        try:
            note_failure(self._store(), Failure(at=at, detail=detail))
        except AbtestError as error:
            _log.error("that cannot be stored: %s", error.detail)

    def _on_pages(self, _done: int, _total: int) -> None:
        if self._recurring.is_ended:
            raise _EndedError


class _EndedError(Exception):
    """The service ends; so does the copy."""
