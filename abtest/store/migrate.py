"""Brings a database to the schema that this version knows, file by file."""

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from abtest._resources import migrations
from abtest.errors import AbtestError, ErrorCode
from abtest.store.file_lock import use_database
from abtest.store.lean_sqlite_utils import Database, Migrations

_SET = "abtest"
_BUSY_SECONDS = 30.0

Scripts = Mapping[str, str]
"""Name and SQL of each migration, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """What `migrate` did.

    Attributes:
        applied: names of the migrations, in order.
        backup: copy of the database before them; None when it was empty or current.
    """

    applied: tuple[str, ...]
    backup: Path | None


def migrate(path: Path, *, folder: Path | None = None) -> Migrated:
    """Apply what is pending, each migration in one transaction with its record.

    A database that holds something is copied first. Processes that do this at the
    same time wait for each other.

    Args:
        path: the SQLite file; it and its folder are made when they are missing.
        folder: where the files NNNN_name.sql lie, if not where the package keeps them.

    Raises:
        AbtestError: `unavailable` when the database is newer than this version or
            cannot be changed; a migration that failed has left nothing behind.
    """
    scripts = _read(folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            closing(use_database(path)),
            closing(_open(path, mode="rwc")) as database,
        ):
            database.conn.execute("PRAGMA journal_mode = WAL")
            backup = _back_up(scripts, database, path)
            return Migrated(applied=_apply(scripts, database, path), backup=backup)
    except (OSError, sqlite3.Error) as error:
        raise _unavailable(path, f"could not be migrated: {error}") from error


def known_migrations() -> tuple[str, ...]:
    """Return the names of all migrations of this version, in order."""
    return tuple(_read(None))


def pending(
    path: Path, *, folder: Path | None = None, is_still: bool = False
) -> tuple[str, ...]:
    """Return the migrations that the database lacks; a missing file lacks all.

    Args:
        is_still: nobody uses the file; then no others are made beside it.

    Raises:
        AbtestError: `unavailable` when the database is newer than this version or
            cannot be read.
    """
    scripts = _read(folder)
    if not path.exists():
        return tuple(scripts)
    try:
        mode = "ro&immutable=1" if is_still else "ro"
        with closing(_open(path, mode=mode)) as database:
            return _waiting(scripts, database, path)
    except sqlite3.Error as error:
        raise _unavailable(path, f"cannot be read: {error}") from error


def _read(folder: Path | None) -> Scripts:
    files = sorted((folder or migrations("sqlite")).glob("[0-9]*.sql"))
    return {file.stem: file.read_text("utf-8") for file in files}


def _open(path: Path, *, mode: str) -> Database:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
    )
    return Database(connection, execute_plugins=False)


def _waiting(scripts: Scripts, database: Database, path: Path) -> tuple[str, ...]:
    """Return what is pending; refuse a database that a later version has changed."""
    applied = {migration.name for migration in Migrations(_SET).applied(database)}
    if newer := sorted(applied - scripts.keys()):
        raise _unavailable(
            path,
            f"was changed by a newer version of abtest ({', '.join(newer)});"
            " update abtest or restore the backup made before that",
        )
    return tuple(name for name in scripts if name not in applied)


def _back_up(scripts: Scripts, database: Database, path: Path) -> Path | None:
    """Copy a database that holds something and is about to change."""
    database.conn.execute("BEGIN IMMEDIATE")
    try:
        waiting = _waiting(scripts, database, path)
        if not waiting or not database.table_names():
            return None
        target = path.with_name(f"{path.stem}.before-{waiting[0]}{path.suffix}")
        part = target.with_name(f"{target.name}.part")
        part.unlink(missing_ok=True)
        # A connection that holds the write lock cannot be copied from.
        with (
            closing(_open(path, mode="ro")) as source,
            closing(sqlite3.connect(part)) as copy,
        ):
            part.chmod(0o600)
            source.conn.backup(copy)
        _sync(part)
        backup = part.replace(target)
        _sync(path.parent)
        return backup
    finally:
        database.rollback()


def _sync(path: Path) -> None:
    """Wait until the disk has the file, or the names in the folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _apply(scripts: Scripts, database: Database, path: Path) -> tuple[str, ...]:
    """Apply one migration after the other, each under the write lock."""
    known = Migrations(_SET)
    for name, script in scripts.items():
        known(name=name)(_runner(script))
    applied: list[str] = []
    while True:
        database.conn.execute("BEGIN IMMEDIATE")
        try:
            waiting = _waiting(scripts, database, path)
            known.apply(database, stop_before=waiting[1:2])
            database.conn.execute("COMMIT")
        finally:
            database.rollback()
        if not waiting:
            return tuple(applied)
        applied.append(waiting[0])


def _runner(script: str) -> Callable[[Database], None]:
    def run(database: Database, /) -> None:
        database.executescript(script)

    return run


def _unavailable(path: Path, why: str) -> AbtestError:
    return AbtestError(ErrorCode.UNAVAILABLE, f"the database {path} {why}")
