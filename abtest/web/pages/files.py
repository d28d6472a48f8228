"""The report as files: HTML, Excel, CSV, JSON and a notebook."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

import msgspec
from flask import Blueprint, Response, abort, make_response, render_template
from markupsafe import Markup

from abtest.domain.experiment import ExperimentKey
from abtest.services.calculating import calculate
from abtest.services.report import ExperimentReport
from abtest.services.reporting import Question
from abtest.web.api.timeseries import describe_days
from abtest.web.context import Context, current_context
from abtest.web.pages.rendering import current_reader
from abtest.web.pages.views.results import FILED, results_view
from abtest.web.pages.views.story import write_story
from abtest.web.render.csv_export import report_to_csv
from abtest.web.render.notebook import report_to_notebook
from abtest.web.render.reader import reader_of
from abtest.web.render.serialize import report_to_json

_STATIC = Path(__file__).resolve().parents[1] / "static"
_STYLES = ("pico.min.css", "abtest.css", "results.css")


class FileForm(StrEnum):
    """What a report can be handed over as; the end of the file's name."""

    HTML = "html"
    XLSX = "xlsx"
    CSV = "csv"
    GERMAN_CSV = "de.csv"
    JSON = "json"
    NOTEBOOK = "ipynb"


_TYPES: Mapping[FileForm, str] = {
    FileForm.HTML: "text/html; charset=utf-8",
    FileForm.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileForm.CSV: "text/csv; charset=utf-8",
    FileForm.GERMAN_CSV: "text/csv; charset=utf-8",
    FileForm.JSON: "application/json",
    FileForm.NOTEBOOK: "application/x-ipynb+json",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """A report as a file."""

    name: str
    content_type: str
    content: bytes


def add_to(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/experiments/<key>/files/<name>", "file", hand_out)


def hand_out(key: str, name: str) -> Response:
    """Hand out a report as a file: `report.xlsx`, `report.de.csv` and the like."""
    form = form_of(name)
    if form is None:
        abort(404)
    question = Question(experiment=ExperimentKey(key))
    made = make_file(form, current_context(), question, tag=current_reader().tag)
    answer = make_response(made.content)
    answer.headers["Content-Type"] = made.content_type
    answer.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return answer


def form_of(name: str) -> FileForm | None:
    """Return the form that a file name like `report.xlsx` asks for."""
    start, _, end = name.partition(".")
    if start != "report":
        return None
    return next((form for form in FileForm if form == end), None)


def make_file(
    form: FileForm, context: Context, question: Question, *, tag: str
) -> ReportFile:
    """Write the report as a file; within the Flask app, which knows the templates.

    Args:
        form: which file.
        context: store, reports and clock.
        question: which report.
        tag: language of the reader.

    Raises:
        AbtestError: `not_found`, `invalid`, `unavailable`.
    """
    report = context.desk.report(question, now=context.now())
    name = f"{report.experiment}-{report.as_of}.{form.value}"
    return ReportFile(
        name=name,
        content_type=_TYPES[form],
        content=_content(form, context, question, report, tag=tag),
    )


def _content(
    form: FileForm,
    context: Context,
    question: Question,
    report: ExperimentReport,
    *,
    tag: str,
) -> bytes:
    language = reader_of(tag).language
    match form:
        case FileForm.HTML:
            return _page(context, question, report, tag=tag)
        case FileForm.XLSX:
            # Half a second of loading that nobody else needs.
            from abtest.web.render.xlsx_export import report_to_xlsx  # noqa: PLC0415

            task = partial(
                describe_days,
                key=report.experiment,
                now=context.now(),
                as_of=question.as_of,
            )
            days = calculate(context.calculator, task)
            return report_to_xlsx(report, days, language)
        case FileForm.CSV | FileForm.GERMAN_CSV:
            is_german = form is FileForm.GERMAN_CSV
            text = report_to_csv(report, language, is_german=is_german)
            return text.encode("utf-8-sig")
        case FileForm.JSON:
            return msgspec.json.encode(report_to_json(report, language))
        case FileForm.NOTEBOOK:
            return report_to_notebook(report, language)


def _page(
    context: Context, question: Question, report: ExperimentReport, *, tag: str
) -> bytes:
    """Write the results page as one file that needs nothing beside it."""
    reader = reader_of(tag)
    task = partial(
        write_story,
        key=report.experiment,
        tag=tag,
        now=context.now(),
        as_of=question.as_of,
    )
    story = calculate(context.calculator, task)
    view = results_view(
        reader,
        report,
        context.store.get_experiment(report.experiment),
        has_days=story.over_time is not None,
        hidden=FILED,
    )
    # Our own style sheets, nothing that anybody wrote.
    styles = Markup("\n").join(
        Markup((_STATIC / name).read_text())  # noqa: S704
        for name in _STYLES
    )
    return render_template(
        "results.html",
        layout="file.html",
        is_handed_over=True,
        styles=styles,
        _=reader.gettext,
        lang=reader.tag,
        view=view,
        story=story,
    ).encode()
