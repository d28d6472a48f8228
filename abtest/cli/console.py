"""What all commands share: --json, the settings, the store, and how errors look."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from abtest.config import Settings, read_settings
from abtest.errors import AbtestError
from abtest.store.protocol import Store

Command = TypeVar("Command", bound=Callable[..., object])

_JSON = "abtest.json"


def json_option(command: Command) -> Command:
    """Give the command `--json`; `wants_json` tells whether it was given."""

    def remember(ctx: click.Context, _option: click.Parameter, value: object) -> None:
        ctx.meta[_JSON] = value is True

    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=remember,
        help="Print JSON, for programs.",
    )(command)


def wants_json() -> bool:
    """Tell whether the running command was called with `--json`."""
    return click.get_current_context().meta.get(_JSON) is True


def show(result: object, *lines: str) -> None:
    """Print the result as JSON, or the lines for people."""
    if wants_json():
        click.echo(msgspec.json.encode(result))
    else:
        for line in lines:
            click.echo(line)


def report_error(error: AbtestError) -> None:
    """Say what went wrong on stderr: a line, or a problem object with `--json`."""
    if wants_json():
        # The table of problems comes with Flask, which no command needs else.
        from abtest.web.errors import problem_of  # noqa: PLC0415

        click.echo(msgspec.json.encode(problem_of(error)), err=True)
        return
    click.echo(f"Error: {error.detail}", err=True)
    for complaint in error.errors[1:]:
        click.echo(f"  {complaint.pointer}: {complaint.detail}", err=True)


def now() -> datetime:
    """Read the clock."""
    return datetime.now(UTC)


def settings() -> Settings:
    """Read the settings.

    Raises:
        AbtestError: `invalid`.
    """
    return read_settings(os.environ)


def database_path(configured: Settings) -> Path:
    """Return the path of the SQLite file."""
    return Path(configured.database)


@contextmanager
def open_database() -> Iterator[Store]:
    """Open the store for one command; a database that is not there yet is made.

    Raises:
        AbtestError: `unavailable`, also for a database that must be migrated first.
    """
    # Loaded here so that help needs no driver.
    from abtest.store.migrate import migrate  # noqa: PLC0415
    from abtest.store.sqlite.store import open_store  # noqa: PLC0415

    configured = settings()
    path = database_path(configured)
    if not path.exists():
        migrate(path)
    store = open_store(path, durability=configured.durability)
    try:
        yield store
    finally:
        store.close()


def is_terminal() -> bool:
    """Tell whether a person is looking at the output."""
    return sys.stdout.isatty()
