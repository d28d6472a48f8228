"""`abtest migrate`, `rebuild`, `verify`: the schema, and what events add up to."""

from collections.abc import Iterable, Iterator

import click

from abtest.cli.console import (
    database_path,
    is_terminal,
    json_option,
    open_database,
    settings,
    show,
    wants_json,
)
from abtest.store.protocol import Difference, Progress

MAX_SHOWN = 20
"""Differences that are printed for people; programs get all."""


@click.command()
@json_option
def migrate() -> None:
    """Bring the database to the schema of this version; it is copied first."""
    from abtest.store.migrate import (  # noqa: PLC0415 - help needs no driver
        migrate as apply,
    )

    path = database_path(settings())
    done = apply(path)
    backup = None if done.backup is None else str(done.backup)
    lines = [f"applied {name}" for name in done.applied] or ["nothing to do"]
    if backup:
        lines.append(f"the database as it was before: {backup}")
    show({"applied": done.applied, "backup": backup}, *lines)


@click.command()
@json_option
def rebuild() -> None:
    """Recompute what is derived from the raw events, in one transaction."""
    visitors = 0
    with open_database() as store:
        for step in _with_progress(store.rebuild(), "Rebuilding"):
            if isinstance(step, Progress):
                visitors = step.total
    show({"visitors": visitors}, f"rebuilt from the events of {visitors} visitors")


@click.command()
@json_option
@click.pass_context
def verify(ctx: click.Context) -> None:
    """Check that what is derived agrees with the raw events; changes nothing.

    Exits with 1 when it does not.
    """
    with open_database() as store:
        steps = _with_progress(store.verify(), "Verifying")
        found = [step for step in steps if isinstance(step, Difference)]
    lines = [
        f"{d.experiment} {d.table} {d.where}: stored {d.stored}, expected {d.expected}"
        for d in found[:MAX_SHOWN]
    ]
    if found:
        lines.append(f"{len(found)} differences; run `abtest rebuild`")
    else:
        lines.append("everything agrees with the raw events")
    show({"differences": found}, *lines)
    if found:
        ctx.exit(1)


def _with_progress(
    steps: Iterable[Progress | Difference], label: str
) -> Iterator[Progress | Difference]:
    """Show a bar while the steps are done, if a person is looking."""
    if wants_json() or not is_terminal():
        yield from steps
        return
    with click.progressbar(length=1, label=label) as bar:
        for step in steps:
            if isinstance(step, Progress):
                bar.length = max(step.total, 1)
                bar.update(step.done - bar.pos)
            yield step
