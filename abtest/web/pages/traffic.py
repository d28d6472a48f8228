"""The funnel of all traffic, in experiments or not."""

from functools import partial

from flask import Blueprint, Response, request

from abtest.web.context import current_context
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.views.traffic import TrafficAsked, traffic_view


def add_to(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/traffic", "traffic", show_traffic)


def show_traffic() -> Response:
    """Show the funnel and the period that the form says."""
    context, told = current_context(), request.args
    tag, now = current_reader().tag, context.now()
    asked = TrafficAsked(
        first_day=told.get("from", "").strip(),
        last_day=told.get("to", "").strip(),
        experiment=told.get("experiment", "").strip(),
    )
    task = partial(traffic_view, asked=asked, tag=tag, now=now)
    name = ("traffic", asked, tag)
    view = context.shelf.answer_of_all_events(task, name=name, now=now)
    return page(
        "insights/traffic.html", status=422 if view.problems else 200, view=view
    )
