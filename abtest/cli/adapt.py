"""`abtest adapt`: shares that follow the results, to be run once a day."""

from collections.abc import Mapping

import click

from abtest.cli.console import json_option, now, open_database, show
from abtest.domain.experiment import ExperimentKey, VariantKey
from abtest.services.access import COMMAND_LINE


@click.command()
@click.argument("experiment")
@click.option(
    "--apply", "is_applied", is_flag=True, help="Change the shares; else only print."
)
@json_option
def adapt(experiment: str, *, is_applied: bool) -> None:
    """Say which shares the results of EXPERIMENT ask for, or give them to it.

    Its definition must hold "adaptive"; run it once a day, for example by cron.
    """
    # Loaded here so that help does not wait for the statistics.
    from abtest.services import adapting  # noqa: PLC0415

    with open_database() as store:
        found = adapting.adapt(store, ExperimentKey(experiment), now=now())
        if is_applied:
            found = adapting.apply_adaptation(store, found, COMMAND_LINE, now())
    if found.after is None:
        what = f"no new shares ({found.reason}); they stay as they are"
    elif found.is_applied:
        what = "changed; the estimates are made day by day from now on"
    elif found.is_moved:
        what = "not changed; --apply does it"
    else:
        what = "they move by no more than a percentage point and stay as they are"
    show(
        found,
        f"now   {_written(found.before)}",
        *([] if found.after is None else [f"then  {_written(found.after)}"]),
        what,
    )


def _written(shares: Mapping[VariantKey, float]) -> str:
    return ", ".join(f"{key} {share:.1%}" for key, share in shares.items())
