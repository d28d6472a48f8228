"""`abtest plan`: how many visitors, how many days, and when to decide."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, TypedDict, TypeVar, Unpack

import click

from abtest.cli.console import json_option, now, open_database, settings, show
from abtest.cli.parameters import Day, Numbers, Pair, Share
from abtest.domain.experiment import Method

if TYPE_CHECKING:
    from abtest.services.definition import WeightsDefinition
    from abtest.services.plan_rules import OrderValueQuestion, PlanQuestion

Command = TypeVar("Command", bound=Callable[..., object])
_Numbers = tuple[float, float] | None


class _Options(TypedDict):
    """What was typed."""

    visitors_per_day: float
    first_rate: float | None
    repeat_rate: float | None
    history: str | None
    window_days: int | None
    first_window_days: int | None
    weights: _Numbers
    money: str | None
    margins: _Numbers
    order_value: _Numbers
    second_order_value: _Numbers
    minimum_detectable_effect: float
    alpha: float
    power: float
    variants: int | None
    shares: tuple[float, ...] | None
    first_conversion_margin: float
    expected_first_loss: float
    traffic_days: int | None
    start: date | None
    method: str


def _options(command: Command) -> Command:
    """Give the command everything a plan may be asked, in the order of the help."""
    share = Share()
    order = Pair("MEAN", "SD")
    for option in reversed(
        (
            click.option(
                "--visitors-per-day",
                type=float,
                required=True,
                help="Of all variants together.",
            ),
            click.option(
                "--first-rate", type=share, help="Of visitors who convert: 0.05 or 5%."
            ),
            click.option(
                "--repeat-rate", type=share, help="Of those who convert once more."
            ),
            click.option(
                "--history",
                metavar="EXPERIMENT",
                help="Take rates, order values and delays from this one instead.",
            ),
            click.option(
                "--window-days",
                type=int,
                help="How long a visitor is followed; default 60, or the history's.",
            ),
            click.option(
                "--first-window-days",
                type=int,
                help="The first conversion's own window, if it is shorter.",
            ),
            click.option(
                "--weights",
                type=Pair("FIRST", "SECOND"),
                help="Worth of a first and a second conversion; default 1,1.",
            ),
            click.option("--money", metavar="CURRENCY", help="Weigh by revenue: EUR."),
            click.option(
                "--margins",
                type=Pair("FIRST", "SECOND"),
                help="Contribution margins of the orders, with --money; default 1,1.",
            ),
            click.option(
                "--order-value",
                type=order,
                help="Of an order: mean and standard deviation, with --money.",
            ),
            click.option(
                "--second-order-value",
                type=order,
                help="Of a second order, if it differs.",
            ),
            click.option(
                "--minimum-detectable-effect",
                "--mde",
                "minimum_detectable_effect",
                type=share,
                default=0.1,
                show_default=True,
                help="Smallest relative change of the value worth finding.",
            ),
            click.option("--alpha", type=share, default=0.05, show_default=True),
            click.option("--power", type=share, default=0.8, show_default=True),
            click.option(
                "--variants", type=int, help="How many, with equal shares; default 2."
            ),
            click.option(
                "--shares", type=Numbers(), help="Of each variant, the control first."
            ),
            click.option(
                "--margin",
                "first_conversion_margin",
                type=share,
                default=0.2,
                show_default=True,
                help="Loss of first conversions that a winner may cost.",
            ),
            click.option(
                "--expected-first-loss",
                type=share,
                default=0.0,
                help="Loss of first conversions that you expect.",
            ),
            click.option(
                "--traffic-days", type=int, help="Send visitors for so many days."
            ),
            click.option("--start", type=Day(), help="First day; default today."),
            click.option(
                "--method",
                type=click.Choice([m.value for m in Method]),
                default=Method.SEQUENTIAL.value,
                show_default=True,
            ),
        )
    ):
        command = option(command)
    return command


@click.command()
@_options
@click.option(
    "--lang",
    "language",
    type=click.Choice(["de", "en"]),
    help="Default: the setting `language`.",
)
@json_option
def plan(*, language: str | None, **told: Unpack[_Options]) -> None:
    """Say how many visitors an experiment needs, how many days, and when to decide."""
    # Loaded here so that help does not wait for the statistics.
    from abtest.services.planning import plan_experiment  # noqa: PLC0415
    from abtest.web.api.plan_shapes import plan_view  # noqa: PLC0415
    from abtest.web.render.plan_sentence import plan_curve  # noqa: PLC0415

    question = _question(told)
    if question.history is None:
        found = plan_experiment(None, question, now=now())
    else:
        with open_database() as store:
            found = plan_experiment(store, question, now=now())
    spoken = language or settings().language
    view = plan_view(found, spoken)
    curve = plan_curve(found, spoken)
    width = max((len(days) for days, _ in curve), default=0)
    show(
        view,
        *view.summary,
        *([""] if curve else []),
        *(f"{days.rjust(width)}  {effect}" for days, effect in curve),
    )


def _question(told: _Options) -> "PlanQuestion":
    """Turn what was typed into a question."""
    from abtest.services.plan_rules import PlanQuestion  # noqa: PLC0415

    return PlanQuestion(
        visitors_per_day=told["visitors_per_day"],
        first_rate=told["first_rate"],
        repeat_rate=told["repeat_rate"],
        history=told["history"],
        window_days=told["window_days"],
        first_window_days=told["first_window_days"],
        weights=_weights(told),
        order_value=_order(told["order_value"]),
        second_order_value=_order(told["second_order_value"]),
        minimum_detectable_effect=told["minimum_detectable_effect"],
        alpha=told["alpha"],
        power=told["power"],
        variants=told["variants"],
        shares=told["shares"],
        first_conversion_margin=told["first_conversion_margin"],
        expected_first_loss=told["expected_first_loss"],
        traffic_days=told["traffic_days"],
        start=None if told["start"] is None else told["start"].isoformat(),
        method=told["method"],
    )


def _weights(told: _Options) -> "WeightsDefinition | None":
    """Return points or money as told; contradictions are for the service to name."""
    from abtest.services.definition import WeightsDefinition  # noqa: PLC0415

    if told["weights"] is None and told["money"] is None and told["margins"] is None:
        return None
    first, second = told["weights"] or (None, None)
    first_margin, second_margin = told["margins"] or (None, None)
    return WeightsDefinition(
        first=first,
        second=second,
        money=told["money"] is not None,
        currency=told["money"],
        first_margin=first_margin,
        second_margin=second_margin,
    )


def _order(told: _Numbers) -> "OrderValueQuestion | None":
    from abtest.services.plan_rules import OrderValueQuestion  # noqa: PLC0415

    return None if told is None else OrderValueQuestion(mean=told[0], sd=told[1])
