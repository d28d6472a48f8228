"""What we learned: finished experiments, searched and compared."""

from flask import Blueprint, Response, request

from abtest.domain.experiment import Experiment
from abtest.errors import AbtestError, ErrorCode
from abtest.services.report import ExperimentReport
from abtest.services.reporting import Question
from abtest.web.context import current_context
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.views.learnings import (
    FINISHED,
    ON_A_PAGE,
    Finished,
    comparison_view,
    decided_day,
    finished,
    learned_view,
)

ENOUGH = 2
"""Experiments that make a comparison."""

_DIGITS = 6


def add_to(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/learnings", "archive", show_archive)


def show_archive() -> Response:
    """List what is finished; compare what was chosen."""
    reader, experiments = current_reader(), current_context().store.list_experiments()
    words = request.args.get("q", "").strip()
    chosen = set(request.args.getlist("compare"))
    found = finished(experiments, words)
    start = _start(len(found))
    shown = [_finished(e) for e in found[start : start + ON_A_PAGE]]
    picked = [_finished(e) for e in finished(experiments, "") if e.key in chosen]
    picked = picked[:ON_A_PAGE]
    return page(
        "insights/archive.html",
        learned=[
            learned_view(reader, one, is_chosen=one.experiment.key in chosen)
            for one in shown
        ],
        comparison=comparison_view(reader, picked) if len(picked) >= ENOUGH else None,
        needs_another=bool(chosen) and len(picked) < ENOUGH,
        words=words,
        can_compare=len(finished(experiments, "")) >= ENOUGH,
        is_empty=all(e.status not in FINISHED for e in experiments),
        found=reader.ngettext("{n} experiment", "{n} experiments", len(found)),
        newer=max(0, start - ON_A_PAGE) if start else None,
        older=start + ON_A_PAGE if start + ON_A_PAGE < len(found) else None,
    )


def _start(count: int) -> int:
    """Return the place of the first experiment on this page."""
    told = request.args.get("from", "")
    is_number = told.isascii() and told.isdecimal() and len(told) <= _DIGITS
    place = int(told) if is_number else 0
    return place if place < count else 0


def _finished(experiment: Experiment) -> Finished:
    return Finished(experiment=experiment, report=_report(experiment))


def _report(experiment: Experiment) -> ExperimentReport | None:
    """Return the report of the day of the decision; None if there can be none."""
    context = current_context()
    question = Question(experiment=experiment.key, as_of=decided_day(experiment))
    try:
        return context.desk.report(question, now=context.now())
    except AbtestError as error:
        # Decided on the day of the start, or the data end before: nothing to show.
        if error.code is not ErrorCode.INVALID:
            raise
        return None
