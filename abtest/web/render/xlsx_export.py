"""The report as an Excel workbook: numbers as numbers, texts never as formulas."""

import io
from collections.abc import Mapping, Sequence
from datetime import datetime, time

import xlsxwriter

from abtest.services.report import ExperimentReport
from abtest.web.render.csv_export import flat
from abtest.web.render.reader import Reader, reader_of
from abtest.web.render.result_json import Json
from abtest.web.render.serialize import report_to_json

_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "nan_inf_to_errors": True,
}
_WIDEST, _NARROWEST = 42, 11
_LONGEST_TEXT = 32_767
"""Letters that a cell holds."""


def report_to_xlsx(
    report: ExperimentReport, days: Mapping[str, Json], language: str
) -> bytes:
    """Return a workbook with the sheets summary, variants, comparisons and days.

    The same report gives the same bytes. Columns of the last three sheets are the
    paths of the JSON.

    Args:
        report: of the experiment.
        days: the answer of the API about its days.
        language: of sentences and of the summary.
    """
    reader, whole = reader_of(language), report_to_json(report, language)
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, _OPTIONS) as book:
        midnight = datetime.combine(report.as_of, time())
        book.set_properties({"title": report.name, "created": midnight})
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet(reader.gettext("Summary"))
        sheet.set_column(0, 0, 34, bold)
        sheet.set_column(1, 1 + len(report.variants), 30, wrapped)
        for number, cells in enumerate(_summary(reader, report, whole)):
            for column, value in enumerate(cells):
                _write(sheet, number, column, value)
        for name, rows in (
            (reader.gettext("Variants"), _paths(whole["variants"])),
            (reader.gettext("Comparisons"), _paths(whole["comparisons"])),
            (reader.gettext("Days"), _days(days)),
        ):
            _table(book, name, rows, bold)
    return target.getvalue()


def _summary(
    reader: Reader, report: ExperimentReport, whole: Mapping[str, Json]
) -> list[Sequence[Json]]:
    """Return what a reader wants to know first, as rows."""
    say = reader.gettext
    shared = dict(flat("", dict(whole)))
    lines: list[Sequence[Json]] = [
        (say("Experiment"), report.name),
        (say("Verdict"), shared["verdict.sentence"]),
        (say("Last complete day"), report.as_of.isoformat()),
        (say("Can the numbers be trusted?"), shared["health.status"]),
        (),
    ]
    found = [dict(flat("", v)) for v in _members(whole["variants"])]
    names = {
        say("Variant"): "name",
        say("Visitors"): "visitors",
        say("First conversions"): "first.observed",
        say("Second conversions"): "second.observed",
        say("First conversions per visitor, estimated"): "first.rate",
        say("Second conversions per visitor, estimated"): "second.rate",
        say("Value per visitor, estimated"): "value.per_visitor",
    }
    lines += [
        (words, *(cells.get(path) for cells in found)) for words, path in names.items()
    ]
    return lines


def _paths(members: Json) -> list[dict[str, Json]]:
    return [dict(flat("", member)) for member in _members(members)]


def _members(found: Json) -> list[Json]:
    assert isinstance(found, list)  # noqa: S101 - for mypy
    return found


def _days(days: Mapping[str, Json]) -> list[dict[str, Json]]:
    """Return a row for each day and variant."""
    rows = []
    effects: dict[tuple[Json, Json], dict[str, Json]] = {}
    for comparison in _members(days["comparisons"]):
        assert isinstance(comparison, dict)  # noqa: S101 - for mypy
        for point in _members(comparison["points"]):
            cells = dict(flat("", point))
            effects[comparison["variant"], cells.pop("day")] = {
                f"versus_control.{path}": value for path, value in cells.items()
            }
    for variant in _members(days["variants"]):
        assert isinstance(variant, dict)  # noqa: S101 - for mypy
        for point in _members(variant["points"]):
            cells = dict(flat("", point))
            more = effects.get((variant["key"], cells["day"]), {})
            rows.append({"variant": variant["key"], **cells, **more})
    return rows


def _table(
    book: xlsxwriter.Workbook,
    name: str,
    rows: list[dict[str, Json]],
    bold: object,
) -> None:
    """Write a sheet with a header that stays in sight."""
    sheet = book.add_worksheet(name)
    columns = list(dict.fromkeys(path for row in rows for path in row))
    sheet.freeze_panes(1, 1)
    for column, path in enumerate(columns):
        width = max(_NARROWEST, min(_WIDEST, len(path) + 1))
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, path, bold)
    for number, row in enumerate(rows, 1):
        for column, path in enumerate(columns):
            _write(sheet, number, column, row.get(path))


def _write(
    sheet: xlsxwriter.worksheet.Worksheet, row: int, column: int, value: Json
) -> None:
    match value:
        case None:
            return
        case bool():
            sheet.write_boolean(row, column, value)
        case int() | float():
            sheet.write_number(row, column, value)
        case _:
            sheet.write_string(row, column, str(value)[:_LONGEST_TEXT])
