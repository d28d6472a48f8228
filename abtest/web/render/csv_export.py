"""The report as CSV for spreadsheets: a row per variant, the numbers of the JSON."""

import csv
import io
from collections.abc import Iterator

from abtest.services.report import ExperimentReport
from abtest.web.render.result_json import Json
from abtest.web.render.serialize import report_to_json

FORMULA = tuple("=+-@\t\r\0")
"""First characters that make a spreadsheet take a text for a formula."""

_NAMED_BY = {"steps": "step", "checks": "code"}
"""Lists of objects, and the member that names each of them in a column."""


def report_to_csv(
    report: ExperimentReport, language: str, *, is_german: bool | None = None
) -> str:
    """Return a header and a row per variant (RFC 4180, with its line ends).

    Columns are the paths of the JSON report: `first.rate`, `steps.signup.visitors`,
    `versus_control.value.frequentist.effect`; a range has `.lower` and `.upper`.
    Numbers are written in full, so that they read back as they were.

    Args:
        language: of the sentences.
        is_german: part cells by `;` and write a decimal comma, as a German
            spreadsheet reads it; None means where the language is German.
    """
    whole = report_to_json(report, language)
    variants, comparisons = whole["variants"], whole["comparisons"]
    assert isinstance(variants, list)  # noqa: S101 - for mypy
    assert isinstance(comparisons, list)  # noqa: S101 - for mypy
    shared = dict(_shared(whole))
    versus = {
        cells["variant"]: cells
        for cells in (dict(flat("", comparison)) for comparison in comparisons)
    }
    rows = [
        shared
        | (cells := dict(flat("", variant)))
        | {
            f"versus_control.{path}": value
            for path, value in versus.get(cells["key"], {}).items()
        }
        for variant in variants
    ]
    columns = list(dict.fromkeys(path for row in rows for path in row))
    german = language.startswith("de") if is_german is None else is_german
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";" if german else ",", lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(_cell(row.get(path), german=german) for path in columns)
    return text.getvalue()


def _shared(whole: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    """Give what is true of the whole experiment, for every row."""
    for name in ("experiment", "as_of", "status", "weights", "verdict"):
        yield from flat("verdict" if name == "verdict" else name, whole[name])
    health = whole["health"]
    if isinstance(health, dict):
        yield "health.status", health["status"]


def flat(path: str, value: Json) -> Iterator[tuple[str, Json]]:
    """Give every number and text of a JSON value with its path."""
    name = path.rpartition(".")[2]
    match value:
        case dict():
            for key, inner in value.items():
                yield from flat(f"{path}.{key}" if path else key, inner)
        case [lower, upper] if name.endswith("interval"):
            yield f"{path}.lower", lower
            yield f"{path}.upper", upper
        case list() if name in _NAMED_BY:
            for item in value:
                if isinstance(item, dict):
                    yield from flat(f"{path}.{item[_NAMED_BY[name]]}", item)
        case list():
            if all(isinstance(item, str) for item in value):
                yield path, " ".join(str(item) for item in value)
        case _:
            yield path, value


def _cell(value: Json, *, german: bool) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value).replace(".", ",") if german else str(value)
        case _:
            text = str(value)
            return f"'{text}" if text.startswith(FORMULA) else text
