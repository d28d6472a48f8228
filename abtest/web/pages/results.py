"""The results page of an experiment, and its report as JSON."""

import math
from functools import partial

from flask import Blueprint, Response, request, url_for

from abtest.domain.experiment import ExperimentKey
from abtest.errors import invalid_field
from abtest.services.report import ExperimentReport
from abtest.services.reporting import Question
from abtest.services.sharing import DAYS, open_links
from abtest.web.context import current_context
from abtest.web.errors import to_response
from abtest.web.exchange import json_reply
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.rights import may_change
from abtest.web.pages.views.results import results_view
from abtest.web.pages.views.share_links import link_views
from abtest.web.pages.views.story import Story, write_story
from abtest.web.render.serialize import report_to_json

MAX_WEIGHT = 1e9


def add_to(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/experiments/<key>", "results", show_results)
    pages.add_url_rule("/experiments/<key>/report.json", "report", show_json)


def show_results(key: str) -> Response:
    """Show what came out."""
    return results_page(key)


def results_page(
    key: str, *, status: int = 200, token: str = "", note: str = "", wrong: str = ""
) -> Response:
    """Show what came out, and what was just tried with it.

    Args:
        key: of the experiment.
        status: of the answer.
        token: of a link just made, which is shown this once.
        note: that could not be stored; `wrong` says why.
        wrong: see `note`.
    """
    report, story = _report(key), find_story(ExperimentKey(key))
    context = current_context()
    store, reader = context.store, current_reader()
    view = results_view(
        reader,
        report,
        store.get_experiment(report.experiment),
        attributes=tuple(store.segment_attributes(report.experiment)),
        has_days=story.over_time is not None,
    )
    links = open_links(store, report.experiment, context.now())
    return page(
        "results.html",
        status=status,
        view=view,
        story=story,
        may_change=may_change(),
        links=link_views(reader, links, report.time_zone),
        days=[(n, reader.ngettext("{n} day", "{n} days", n)) for n in DAYS],
        new_link=url_for("pages.shared", token=token, _external=True) if token else "",
        note=note,
        wrong=wrong,
    )


def find_story(key: ExperimentKey) -> Story:
    """Return how the experiment went, for the reader of this request."""
    context, tag = current_context(), current_reader().tag
    now = context.now()
    task = partial(write_story, key=key, tag=tag, now=now)
    return context.shelf.answer(key, task, name=("story", tag), now=now)


def show_json(key: str) -> Response:
    """Hand out the report that the page shows."""
    content = report_to_json(_report(key), current_reader().language)
    return to_response(json_reply(content))


def _report(key: str) -> ExperimentReport:
    context = current_context()
    question = Question(
        experiment=ExperimentKey(key),
        first_weight=_weight("first_weight"),
        second_weight=_weight("second_weight"),
    )
    return context.desk.report(question, now=context.now())


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
