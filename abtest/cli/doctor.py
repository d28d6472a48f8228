"""`abtest doctor`: checks configuration, files and database, and says what to do."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import click

from abtest._resources import client_snippets
from abtest.cli.console import database_path, json_option, settings, show
from abtest.config import PREFIX, SETTINGS, Settings
from abtest.errors import AbtestError


class State(StrEnum):
    """How a check came out; a warning does not keep the service from working."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check: what was found and, unless it is well, what to do."""

    check: str
    state: State
    detail: str
    remedy: str = ""


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
    if any(f.state is State.FAILED for f in findings):
        ctx.exit(1)


def _examine() -> Iterator[Finding]:
    try:
        configured = settings()
    except AbtestError as error:
        yield _failed("configuration", error.detail, "correct or remove this setting")
        return
    yield from _configuration(configured)
    yield _snippets()
    path = database_path(configured)
    if not path.exists():
        yield _failed(
            "database", f"{path} does not exist", "run `abtest migrate` to make it"
        )
        return
    yield _permissions(path)
    yield _attempt("schema", lambda: _schema(path))
    yield _attempt("writing", lambda: _writing(path, configured))
    yield _attempt("integrity", lambda: _integrity(path))


def _configuration(configured: Settings) -> Iterator[Finding]:
    for setting in SETTINGS:
        variable = f"{PREFIX}{setting.name.upper()}"
        origin = "set by environment" if variable in os.environ else "file or default"
        value = getattr(configured, setting.name)
        yield _ok("configuration", f"{variable}={value} ({origin}): {setting.help}")


def _snippets() -> Finding:
    path = client_snippets() / "js" / "abtest.js"
    if path.is_file():
        return _ok("snippets", f"{path}, {path.stat().st_size} bytes")
    return _failed(
        "snippets",
        f"{path} is missing, so browsers cannot load the snippet",
        "install abtest again",
    )


def _permissions(path: Path) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding(
            check="permissions",
            state=State.WARNING,
            detail=f"{path} has mode {mode:o}; other users of this machine can read it",
            remedy=f"chmod 600 {path}",
        )
    return _ok("permissions", f"{path} has mode {mode:o}")


def _schema(path: Path) -> Finding:
    from abtest.store.migrate import pending  # noqa: PLC0415 - help needs no driver

    if waiting := pending(path):
        return _failed(
            "schema", f"migrations wait: {', '.join(waiting)}", "run `abtest migrate`"
        )
    return _ok("schema", "is the one of this version")


def _writing(path: Path, configured: Settings) -> Finding:
    from abtest.store.sqlite.store import open_store  # noqa: PLC0415 - see above

    store = open_store(path, durability=configured.durability)
    try:
        store.check_writable()
    finally:
        store.close()
    return _ok("writing", "the database takes a write")


def _integrity(path: Path) -> Finding:
    from abtest.store.sqlite.integrity import quick_check  # noqa: PLC0415 - see above

    if damage := quick_check(path):
        return _failed(
            "integrity", damage[0], "stop the service and restore the newest backup"
        )
    return _ok("integrity", "no damage found")


def _attempt(check: str, examine: Callable[[], Finding]) -> Finding:
    try:
        return examine()
    except AbtestError as error:
        remedy = "see the message; the disk, its rights and other processes are usual"
        return _failed(check, error.detail, remedy)


def _ok(check: str, detail: str) -> Finding:
    return Finding(check=check, state=State.OK, detail=detail)


def _failed(check: str, detail: str, remedy: str) -> Finding:
    return Finding(check=check, state=State.FAILED, detail=detail, remedy=remedy)
