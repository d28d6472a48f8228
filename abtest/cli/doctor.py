"""`abtest doctor`: checks configuration, files and database, and says what to do."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click

from abtest._resources import client_snippets
from abtest.cli.console import database_path, json_option, now, settings, show
from abtest.cli.preflight import way_out
from abtest.config import Settings, read_origins
from abtest.errors import AbtestError
from abtest.services.examining import (
    Finding,
    State,
    attempt,
    examine_backups,
    examine_folder,
    examine_store,
    found_broken,
    found_doubtful,
    found_well,
    shown_settings,
)
from abtest.store.file_lock import is_in_use


@click.command()
@json_option
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Check configuration, files and database, and say what to do.

    Exits with 1 when something keeps the service from working.
    """
    findings = tuple(_examine())
    lines = [
        f"{f.state.upper():8}{f.check:14}{f.detail}"
        + (f"\n{'':22}-> {f.remedy}" if f.remedy else "")
        for f in findings
    ]
    show({"findings": findings}, *lines)
    if any(f.state is State.ERROR for f in findings):
        ctx.exit(1)


def _examine() -> Iterator[Finding]:
    try:
        configured = settings()
    except AbtestError as error:
        remedy = "correct or remove this setting"
        yield found_broken("configuration", error.detail, remedy)
        return
    yield from _configuration(configured)
    yield _snippets()
    path = database_path(configured)
    if path.exists():
        yield from _examine_database(path, configured)
    else:
        yield found_broken(
            "database",
            f"{path} does not exist",
            "run `abtest migrate` to make it, or `abtest restore FILE`",
        )
        yield from attempt("backups", lambda: examine_backups(configured, None, now()))


def _examine_database(path: Path, configured: Settings) -> Iterator[Finding]:
    # First, because whoever opens the database makes a new log.
    yield from attempt("log", lambda: [_log(path)])
    for place in (path, path.parent, *_backup_folder(configured)):
        yield examine_folder(place)
    integrity = tuple(attempt("integrity", lambda: [_integrity(path, configured)]))
    yield from integrity
    if any(f.state is State.ERROR for f in integrity):
        yield from attempt("backups", lambda: examine_backups(configured, None, now()))
        return
    schema = tuple(attempt("schema", lambda: [_schema(path)]))
    yield from schema
    if any(f.state is State.ERROR for f in schema):
        return
    yield from attempt("database", lambda: _examine_store(path, configured))


def _examine_store(path: Path, configured: Settings) -> Iterator[Finding]:
    from abtest.store.sqlite.store import open_store  # noqa: PLC0415 - see below

    with closing(open_store(path, durability=configured.durability)) as store:
        yield from examine_store(configured, store, now())


def _configuration(configured: Settings) -> Iterator[Finding]:
    for setting in shown_settings(configured, read_origins(os.environ)):
        told = f"{setting.variable}={setting.value} ({setting.origin}): {setting.help}"
        yield found_well("configuration", told)


def _snippets() -> Finding:
    path = client_snippets() / "js" / "abtest.js"
    if path.is_file():
        return found_well("snippets", f"{path}, {path.stat().st_size} bytes")
    return found_broken(
        "snippets",
        f"{path} is missing, so browsers cannot load the snippet",
        "install abtest again",
    )


def _backup_folder(configured: Settings) -> Iterator[Path]:
    folder = Path(configured.backup_dir)
    if configured.backup_dir and folder.exists():
        yield folder


def _log(path: Path) -> Finding:
    from abtest.store.sqlite.integrity import (  # noqa: PLC0415 - help needs no driver
        is_cut_off,
        wal_of,
    )

    if is_in_use(path):
        return found_well("log", "the database is in use")
    if is_cut_off(path):
        return found_doubtful(
            "log",
            f"{path} was not closed, and {wal_of(path).name} is not beside it: the"
            " newest events may be missing",
            "if it was copied with cp, copy it with `abtest backup` instead; if the log"
            " was deleted, restore a backup; then run `abtest verify`",
        )
    return found_well("log", "nothing is missing beside the file")


def _schema(path: Path) -> Finding:
    from abtest.store.migrate import pending  # noqa: PLC0415 - help needs no driver

    if waiting := pending(path):
        return found_broken(
            "schema", f"migrations wait: {', '.join(waiting)}", "run `abtest migrate`"
        )
    return found_well("schema", "is the one of this version")


def _integrity(path: Path, configured: Settings) -> Finding:
    from abtest.store.sqlite.integrity import quick_check  # noqa: PLC0415 - see above

    if damage := quick_check(path):
        return found_broken("integrity", damage[0], way_out(configured))
    return found_well("integrity", "no damage found")
