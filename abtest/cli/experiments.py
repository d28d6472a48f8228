"""`abtest experiment`: the life of experiments."""

from typing import IO

import click

from abtest.cli.console import json_option, now, open_database, show
from abtest.domain.experiment import Action, Experiment, ExperimentKey
from abtest.services.access import COMMAND_LINE
from abtest.services.experiments import (
    act_on_experiment,
    create_experiment,
    possible_actions,
)
from abtest.web.api.views import experiment_view, read_definition

_ACTIONS = {
    Action.START: "Begin to show the variants; the plan is fixed from now on.",
    Action.PAUSE: "Show everybody the control for a while.",
    Action.RESUME: "Go on after a pause.",
    Action.CLOSE: "Take no new visitors; those inside are followed on.",
    Action.STOP: "End it without a decision.",
    Action.ARCHIVE: "Put it away.",
}


@click.group()
def experiment() -> None:
    """Create, list, show and run experiments."""


@experiment.command("create")
@click.argument("file", type=click.File("rb"))
@json_option
def create(file: IO[bytes]) -> None:
    """Create a draft from FILE, JSON as the API takes it; - reads standard input."""
    definition = read_definition(file.read())
    with open_database() as store:
        made = create_experiment(store, definition, COMMAND_LINE, now())
    _show(made, f"{made.key} is a draft. Next: abtest experiment start {made.key}")


@experiment.command("list")
@json_option
def list_() -> None:
    """List all experiments, oldest first."""
    with open_database() as store:
        experiments = store.list_experiments()
    show(
        [experiment_view(e, with_salt=True) for e in experiments],
        *(f"{e.key}  {e.status}  {e.name}" for e in experiments),
    )


@experiment.command("show")
@click.argument("key")
@json_option
def show_(key: str) -> None:
    """Show one experiment."""
    with open_database() as store:
        found = store.get_experiment(ExperimentKey(key))
    _show(
        found,
        f"{found.key}: {found.name}",
        f"status     {found.status}",
        f"variants   {', '.join(f'{v.key} ({v.weight:g})' for v in found.variants)}",
        f"funnel     {', '.join(found.step_keys)}",
        f"first      {found.goal.first}",
        f"second     {found.goal.second}",
        f"worth      {found.weights}",
        f"window     {found.window_days} days",
        f"possible   {', '.join(possible_actions(found)) or 'nothing'}",
        *(f"{e.at:%Y-%m-%d %H:%M}  {e.action}  {e.detail}" for e in found.log),
    )


@experiment.command("decide")
@click.argument("key")
@click.option("--variant", required=True, help="What everybody sees from now on.")
@click.option("--note", default="", help="Why, for the decision log.")
@json_option
def decide(key: str, variant: str, note: str) -> None:
    """End it and show everybody the chosen variant."""
    with open_database() as store:
        after = act_on_experiment(
            store,
            ExperimentKey(key),
            Action.DECIDE,
            COMMAND_LINE,
            now(),
            variant=variant,
            note=note,
        )
    _show(after, f"{key} is decided: everybody sees {variant}.")


def _action_command(action: Action, text: str) -> click.Command:
    @click.command(action.value, help=text)
    @click.argument("key")
    @click.option("--note", default="", help="Why, for the decision log.")
    @json_option
    def act(key: str, note: str) -> None:
        with open_database() as store:
            after = act_on_experiment(
                store, ExperimentKey(key), action, COMMAND_LINE, now(), note=note
            )
        _show(after, f"{key} is now {after.status}.")

    return act


for _action, _text in _ACTIONS.items():
    experiment.add_command(_action_command(_action, _text))


def _show(found: Experiment, *lines: str) -> None:
    show(experiment_view(found, with_salt=True), *lines)
