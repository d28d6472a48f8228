"""The page on groups of visitors: an exploration, never a verdict."""

from functools import partial

from flask import Blueprint, Response, request

from abtest.domain.experiment import ExperimentKey
from abtest.web.context import current_context
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.views.segments import segments_view

_LONGEST_NAME = 100


def add_to(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/experiments/<key>/segments", "segments", show_segments)


def show_segments(key: str) -> Response:
    """Show the effect within each value of an attribute."""
    context, reader = current_context(), current_reader()
    attribute = request.args.get("attribute", "").strip()[:_LONGEST_NAME]
    now = context.now()
    task = partial(
        segments_view,
        key=ExperimentKey(key),
        attribute=attribute,
        tag=reader.tag,
        now=now,
    )
    view = context.shelf.answer(
        ExperimentKey(key), task, name=("segments", attribute, reader.tag), now=now
    )
    return page("segments.html", view=view)
