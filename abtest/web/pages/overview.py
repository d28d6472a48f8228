"""The overview: all experiments with their verdicts."""

from flask import Blueprint, Response, request

from abtest.web.context import current_context
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.views.overview import overview

PATIENCE = 0.15
"""Seconds that the page waits for verdicts that are not known yet."""


def add_to(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/", "overview", show_overview)


def show_overview() -> Response:
    """Show every experiment with its verdict, or that it is being computed."""
    context = current_context()
    now = context.now()
    view = overview(
        current_reader(),
        context.desk.standings(now=now, patience=PATIENCE),
        chosen=request.args.get("status", ""),
        now=now,
    )
    return page("overview.html", view=view)
