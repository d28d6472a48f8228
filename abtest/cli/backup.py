"""`abtest backup` and `abtest restore`: a copy of the database, and the way back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from abtest.cli.console import (
    database_path,
    is_terminal,
    json_option,
    now,
    settings,
    show,
    wants_json,
)
from abtest.config import Settings
from abtest.errors import AbtestError, ErrorCode
from abtest.services.backups import check_backup, keep_of, take_backup


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=Path)
@json_option
def backup(folder: Path | None) -> None:
    """Copy the database into DIR while the service runs, then check the copy.

    Without DIR it goes to ABTEST_BACKUP_DIR. Old backups of the same database are
    removed there, as the settings ABTEST_BACKUP_KEEP_* say.
    """
    from abtest.store.sqlite.backup import (  # noqa: PLC0415 - help needs no driver
        copy_database,
    )

    configured = settings()
    database = database_path(configured)
    if not database.exists():
        raise AbtestError(ErrorCode.NOT_FOUND, f"there is no database {database}")
    with _bar() as on_pages:
        taken = take_backup(
            lambda target: copy_database(database, target, on_pages=on_pages),
            folder or _folder(configured),
            database=database,
            keep=keep_of(configured),
            now=now(),
        )
    made = taken.backup
    show(
        {
            "path": str(made.path),
            "at": made.at,
            "size": made.size,
            "sha256": taken.sha256,
            "removed": [str(path) for path in taken.removed],
        },
        f"{made.path}  {made.size / 1e6:,.1f} MB, checked",
        *(f"removed {path.name}, which is kept no longer" for path in taken.removed),
    )


@click.command()
@click.argument("file", type=Path)
@click.option("--migrate", is_flag=True, help="Bring it to the schema of this version.")
@json_option
def restore(file: Path, *, migrate: bool) -> None:
    """Put the backup FILE in the place of the database; stop the service first.

    The backup is checked before anything changes. The database as it was is kept
    beside the new one.
    """
    from abtest.store.migrate import migrate as apply  # noqa: PLC0415 - as above
    from abtest.store.sqlite.backup import restore_database  # noqa: PLC0415

    database = database_path(settings())
    has_checksum = check_backup(file)
    done = restore_database(file, database, now=now())
    applied = apply(database).applied if migrate else ()
    lines = [f"{database} is now what {file.name} was"]
    if not has_checksum:
        lines.append("there was no checksum beside it; its structure is sound")
    if done.kept is not None:
        lines.append(f"the database as it was: {done.kept}")
    lines += [f"applied {name}" for name in applied]
    if done.pending and not migrate:
        lines.append("run `abtest migrate`, or start the service, which does")
    show(
        {
            "database": str(database),
            "has_checksum": has_checksum,
            "kept": None if done.kept is None else str(done.kept),
            "pending": () if migrate else done.pending,
            "applied": applied,
        },
        *lines,
    )


def _folder(configured: Settings) -> Path:
    if not configured.backup_dir:
        raise AbtestError(
            ErrorCode.INVALID,
            "no folder for the backup: name one or set ABTEST_BACKUP_DIR",
        )
    return Path(configured.backup_dir)


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None] | None]:
    """Give what shows a bar to a person."""
    if wants_json() or not is_terminal():
        yield None
        return
    with click.progressbar(length=1, label="Copying") as bar:

        def show_pages(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield show_pages
