"""Copies a database in use, and puts a copy in its place."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count
from pathlib import Path

from abtest.errors import AbtestError, ErrorCode
from abtest.store.file_lock import claim_database
from abtest.store.migrate import known_migrations, pending
from abtest.store.sqlite.connection import is_damage, translated
from abtest.store.sqlite.integrity import (
    SERVING_SINCE,
    quick_check_still,
    require_room,
    wal_of,
)

_PAGES_AT_ONCE = 2048
"""8 MiB: between two of them the copier can be told to stop."""

_BUSY_SECONDS = 5.0

OnPages = Callable[[int, int], None]
"""Told how many pages are done, and how many there are; may raise to end it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What became of a restore.

    Attributes:
        kept: the database that was there before; None when there was none.
        pending: migrations that the restored database lacks.
    """

    kept: Path | None
    pending: tuple[str, ...]


def copy_database(
    source: Path, target: Path, *, on_pages: OnPages | None = None
) -> None:
    """Copy a database, whoever uses it, into a new file that is sound and on disk.

    One read transaction spans the whole copy. It shows the database as of its
    beginning and keeps no writer waiting; without it each foreign write would make
    the copy begin anew.

    Args:
        target: a file that is not there yet; it becomes readable by its owner alone.

    Raises:
        AbtestError: `unavailable` when there is no room, when either file cannot be
            used, or when the copy has damage; then the target is removed.
    """
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            _copy(source, target, on_pages)
            _require_sound(source, target)
            sync(target)
        except BaseException:
            target.unlink()
            raise
    except sqlite3.Error as error:
        raise translated(error, source) from error
    except OSError as error:
        raise _unavailable(source, f"cannot be copied to {target}: {error}") from error


def restore_database(backup: Path, target: Path, *, now: datetime) -> Restored:
    """Put a copy of the backup in the place of the database, whole or not at all.

    Raises:
        AbtestError: `invalid` when the backup is damaged, of a newer version or none;
            `unavailable` while any process uses the database.
    """
    if wal_of(backup).is_file() and wal_of(backup).stat().st_size:
        raise _invalid(
            backup, "has a write-ahead log, so it is in use; make a backup of it first"
        )
    part = target.with_name(f"{target.name}.restore.part")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(claim_database(target)):
            require_room(target.parent, backup.stat().st_size)
            shutil.copyfile(backup, part)
            part.chmod(0o600)
            sync(part)
            waiting = _checked(backup, part)
            kept = _replace(target, part, now)
    except OSError as error:
        raise _unavailable(target, f"cannot be restored: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return Restored(kept=kept, pending=waiting)


def sync(path: Path) -> None:
    """Wait until the disk has the file, or the names in the folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(source: Path, target: Path, on_pages: OnPages | None) -> None:
    def tell(_status: int, remaining: int, total: int) -> None:
        if on_pages is not None:
            on_pages(total - remaining, total)

    uri = f"{source.absolute().as_uri()}?mode=ro"
    with (
        closing(_connect(uri)) as reader,
        closing(_connect(target.absolute().as_uri())) as writer,
    ):
        reader.execute("BEGIN")
        (pages,) = reader.execute("PRAGMA page_count").fetchone()
        (size,) = reader.execute("PRAGMA page_size").fetchone()
        require_room(target.parent, pages * size)
        # `sync` follows, and a copy that was cut short is thrown away.
        writer.execute("PRAGMA synchronous = OFF")
        writer.execute("PRAGMA journal_mode = OFF")
        reader.backup(writer, pages=_PAGES_AT_ONCE, progress=tell)
        # One file alone, to be opened without others beside it.
        writer.execute("PRAGMA journal_mode = DELETE")
        if writer.execute(
            "SELECT 1 FROM sqlite_schema WHERE name = 'setting'"
        ).fetchone():
            writer.execute("DELETE FROM setting WHERE name = ?", [SERVING_SINCE])


def _require_sound(source: Path, copy: Path) -> None:
    if damage := quick_check_still(copy):
        raise _unavailable(source, f"is damaged: {damage[0]}")


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)


def _checked(backup: Path, part: Path) -> tuple[str, ...]:
    """Return the pending migrations of what is fit to be a database."""
    if damage := quick_check_still(part):
        raise _invalid(backup, f"is damaged: {damage[0]}")
    try:
        waiting = pending(part, is_still=True)
    except AbtestError as error:
        raise _invalid(backup, error.detail.removeprefix(f"{part} ")) from error
    if waiting == known_migrations():
        raise _invalid(backup, "is no database of abtest")
    return waiting


def _replace(target: Path, part: Path, now: datetime) -> Path | None:
    """Keep the old file under another name and give its own to the new one.

    A write-ahead log must never lie beside a file that it does not belong to, and at
    no moment may the name be free: a service that starts then would make a new file.
    """
    if not target.exists():
        part.replace(target)
        sync(target.parent)
        return None
    kept = _free_name(target, now)
    with _alone(target):
        os.link(target, kept)
        if wal_of(target).exists():
            wal_of(target).rename(wal_of(kept))
        target.with_name(f"{target.name}-shm").unlink(missing_ok=True)
        part.replace(target)
        sync(target.parent)
    return kept


def _free_name(target: Path, now: datetime) -> Path:
    name = f"{target.name}.before-restore-{now:%Y%m%dT%H%M%SZ}"
    numbered = (f"{name}-{number}" for number in count(2))
    candidates = map(target.with_name, chain([name], numbered))
    return next(path for path in candidates if not path.exists())


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Bring the write-ahead log into the file and lock that against everybody.

    Leaving the log is refused while anybody else, of whatever program, has the
    database open. What is too damaged for it keeps its log.
    """
    with closing(_connect(target.absolute().as_uri())) as connection:
        try:
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise translated(error, target) from error
            raise _unavailable(
                target, "is in use by another program; end it first"
            ) from error
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise translated(error, target) from error
            connection.close()
        yield


def _unavailable(path: Path, why: str) -> AbtestError:
    return AbtestError(ErrorCode.UNAVAILABLE, f"the database {path} {why}")


def _invalid(path: Path, why: str) -> AbtestError:
    return AbtestError(ErrorCode.INVALID, f"{path} {why}")
