"""`abtest demo`: a ready database to look at."""

import click

from abtest.cli.console import (
    is_terminal,
    json_option,
    now,
    open_database,
    settings,
    show,
    wants_json,
)
from abtest.services.demo.build import build_demo


@click.command()
@click.option("--password", help="Of the user; default: one is made and printed once.")
@click.option(
    "--force-add",
    is_flag=True,
    help="Add the demo to a database that has experiments already.",
)
@json_option
def demo(*, password: str | None, force_add: bool) -> None:
    """Make experiments in several states, with generated traffic of a made-up shop."""

    def tell(key: str, events: int) -> None:
        if is_terminal() and not wants_json():
            click.echo(f"  {key}: {events:,} events")

    with open_database() as store:
        made = build_demo(
            store, now=now(), password=password, may_add=force_add, on_progress=tell
        )
    lines = [f"The demo is in {settings().database}:", ""]
    for experiment in made.experiments:
        lines += [
            f"  {experiment.key} ({experiment.status})",
            f"    {experiment.look_at}",
        ]
    lines += [
        "",
        f"Sign in as {made.user}"
        + (f" with the password {made.password}" if made.password else ""),
    ]
    lines += [
        "Keys, shown this once:",
        *(f"  {kind}  {key}" for kind, key in made.keys),
    ]
    lines += ["", "Start the service with: abtest serve"]
    show(
        {
            "experiments": made.experiments,
            "user": made.user,
            "password": made.password,
            "keys": dict(made.keys),
        },
        *lines,
    )
