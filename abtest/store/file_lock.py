"""Who uses a database: locks that end with the process that holds them."""

import fcntl
import os
import time
import weakref
from pathlib import Path

from abtest.errors import AbtestError, ErrorCode

_PATIENCE = 2.0
"""Seconds to wait for who wants to be alone: `is_in_use` is so for a moment."""

_PAUSE = 0.02


class FileLock:
    """An advisory lock on a file or folder; processes forked meanwhile hold it too."""

    def __init__(self, path: Path, *, is_shared: bool = False) -> None:
        """Take the lock.

        Raises:
            BlockingIOError: when somebody holds it.
            OSError: when the file cannot be opened or, unless it is a folder, made.
        """
        flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
        descriptor = os.open(path, flags, 0o600)
        try:
            how = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BaseException:
            os.close(descriptor)
            raise
        self._release = weakref.finalize(self, os.close, descriptor)

    def close(self) -> None:
        """Give the lock back; once is enough."""
        self._release()


def use_database(path: Path) -> FileLock:
    """Tell other processes that the database is in use until the lock is closed.

    Raises:
        AbtestError: `unavailable` while the file is being replaced, or when there may
            be no lock beside it.
    """
    return _lock(path, "is being restored; try again in a moment", is_shared=True)


def claim_database(path: Path) -> FileLock:
    """Keep every other process away from the database until the lock is closed.

    Raises:
        AbtestError: `unavailable` while it is in use.
    """
    return _lock(path, "is in use; stop the service first", is_shared=False)


def is_in_use(path: Path) -> bool:
    """Tell whether a process uses the database now."""
    try:
        FileLock(_beside(path)).close()
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _lock(path: Path, held: str, *, is_shared: bool) -> FileLock:
    give_up_at = time.monotonic() + (_PATIENCE if is_shared else 0)
    try:
        while True:
            try:
                return FileLock(_beside(path), is_shared=is_shared)
            except BlockingIOError as error:
                if time.monotonic() >= give_up_at:
                    raise _unavailable(path, held) from error
                time.sleep(_PAUSE)
    except OSError as error:
        why = f"cannot be locked with {_beside(path).name}: {error.strerror}"
        raise _unavailable(path, why) from error


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _unavailable(path: Path, why: str) -> AbtestError:
    return AbtestError(ErrorCode.UNAVAILABLE, f"the database {path} {why}")
