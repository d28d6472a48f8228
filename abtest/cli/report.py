"""`abtest report`: the report of an experiment, as the page and the API give it."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from abtest.cli.console import (
    is_terminal,
    json_option,
    now,
    open_database,
    settings,
    wants_json,
)
from abtest.cli.parameters import Day, Pair
from abtest.domain.experiment import ExperimentKey

if TYPE_CHECKING:
    from abtest.services.report import ExperimentReport


@click.command()
@click.argument("experiment")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "csv", "html", "pdf", "xlsx", "ipynb"]),
    default="text",
    show_default=True,
    help="html and ipynb stand alone; pdf needs an installed chromium.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; default: standard output.",
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
    output: Path | None,
    language: str | None,
    weights: tuple[float, float] | None,
    as_of: date | None,
) -> None:
    """Print the report of EXPERIMENT."""
    form = "json" if wants_json() else form
    language = language or settings().language
    first, second = weights or (None, None)
    if form in {"html", "pdf", "xlsx", "ipynb"}:
        if output is None and form in {"pdf", "xlsx"} and is_terminal():
            raise click.UsageError(f"{form} is no text; name a file with --output")
        # Loaded here so that help waits neither for Flask nor for the statistics.
        from abtest.cli.report_files import write_file  # noqa: PLC0415
        from abtest.services.reporting import Question  # noqa: PLC0415

        question = Question(
            experiment=ExperimentKey(experiment),
            as_of=as_of,
            first_weight=first,
            second_weight=second,
        )
        _hand_over(write_file(form, question, language), output)
        return
    from abtest.services.analysis import analyze  # noqa: PLC0415

    with open_database() as store:
        found = analyze(
            store,
            ExperimentKey(experiment),
            now=now(),
            as_of=as_of,
            first_weight=first,
            second_weight=second,
        )
    _hand_over(_written(found, form, language), output)


def _hand_over(content: bytes, output: Path | None) -> None:
    """Write to a file, or to standard output."""
    if output is None:
        click.echo(content, nl=False)
    else:
        output.write_bytes(content)


def _written(found: "ExperimentReport", form: str, language: str) -> bytes:
    """Write in one of the forms, each loaded when it is wanted."""
    match form:
        case "json":
            from abtest.web.render.serialize import report_to_json  # noqa: PLC0415

            return msgspec.json.encode(report_to_json(found, language)) + b"\n"
        case "csv":
            from abtest.web.render.csv_export import report_to_csv  # noqa: PLC0415

            return report_to_csv(found, language).encode("utf-8-sig")
        case _:
            from abtest.web.render.text_report import report_to_text  # noqa: PLC0415

            return (report_to_text(found, language) + "\n").encode()
