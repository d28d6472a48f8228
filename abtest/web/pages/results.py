"""The results page of an experiment, and its report as JSON."""

import math
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from abtest.domain.experiment import ExperimentKey
from abtest.errors import invalid_field
from abtest.web.context import current_context
from abtest.web.errors import to_response
from abtest.web.exchange import json_reply
from abtest.web.pages.rendering import current_reader, page

if TYPE_CHECKING:
    from abtest.services.report import ExperimentReport

MAX_WEIGHT = 1e9


def add_to(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/experiments/<key>", "results", show_results)
    pages.add_url_rule("/experiments/<key>/report.json", "report", show_json)


def show_results(key: str) -> Response:
    """Show what came out."""
    # scipy takes seconds to load; a process that never reports never loads it.
    from abtest.web.pages.views.results import results_view  # noqa: PLC0415

    report = _report(key)
    experiment = current_context().store.get_experiment(ExperimentKey(key))
    view = results_view(current_reader(), report, experiment)
    return page("results.html", view=view)


def show_json(key: str) -> Response:
    """Hand out the report that the page shows."""
    # As above.
    from abtest.web.render.serialize import report_to_json  # noqa: PLC0415

    content = report_to_json(_report(key), current_reader().language)
    return to_response(json_reply(content))


def _report(key: str) -> "ExperimentReport":
    # As above.
    from abtest.services.analysis import analyze  # noqa: PLC0415

    context = current_context()
    return analyze(
        context.store,
        ExperimentKey(key),
        now=context.now(),
        first_weight=_weight("first_weight"),
        second_weight=_weight("second_weight"),
    )


def _weight(name: str) -> float | None:
    """Read a worth to try out; an empty field means the declared one."""
    text = request.args.get(name, "").strip()
    if not text:
        return None
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not abs(weight) <= MAX_WEIGHT:
        raise invalid_field(
            f"?{name}", "invalid_value", f"{name} is no number; use one like 2.5"
        )
    return weight
