"""`abtest report`: the report of an experiment, as the page and the API give it."""

from datetime import date
from typing import TYPE_CHECKING

import click
import msgspec

from abtest.cli.console import json_option, now, open_database, settings, wants_json
from abtest.cli.parameters import Day, Pair
from abtest.domain.experiment import ExperimentKey

if TYPE_CHECKING:
    from abtest.services.report import ExperimentReport


@click.command()
@click.argument("experiment")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "csv"]),
    default="text",
    show_default=True,
)
@click.option(
    "--lang",
    "language",
    type=click.Choice(["de", "en"]),
    help="Default: the setting `language`.",
)
@click.option(
    "--weights",
    type=Pair("FIRST", "SECOND"),
    help="Try out other worths of a first and a second conversion.",
)
@click.option(
    "--as-of",
    type=Day(),
    help="Last complete day that counts; default yesterday.",
)
@json_option
def report(
    experiment: str,
    *,
    form: str,
    language: str | None,
    weights: tuple[float, float] | None,
    as_of: date | None,
) -> None:
    """Print the report of EXPERIMENT."""
    # Loaded here so that help does not wait for the statistics.
    from abtest.services.analysis import analyze  # noqa: PLC0415

    first, second = weights or (None, None)
    with open_database() as store:
        found = analyze(
            store,
            ExperimentKey(experiment),
            now=now(),
            as_of=as_of,
            first_weight=first,
            second_weight=second,
        )
    _print(found, "json" if wants_json() else form, language or settings().language)


def _print(found: "ExperimentReport", form: str, language: str) -> None:
    """Print in one of the forms, each loaded when it is wanted."""
    match form:
        case "json":
            from abtest.web.render.serialize import report_to_json  # noqa: PLC0415

            click.echo(msgspec.json.encode(report_to_json(found, language)))
        case "csv":
            from abtest.web.render.csv_export import report_to_csv  # noqa: PLC0415

            text = report_to_csv(found, language)
            click.echo(text.encode("utf-8-sig"), nl=False)
        case _:
            from abtest.web.render.text_report import report_to_text  # noqa: PLC0415

            click.echo(report_to_text(found, language))
