"""The customers of an experiment: key figures of those whom each variant won."""

from functools import partial

from flask import Blueprint, Response, request

from abtest.domain.experiment import ExperimentKey
from abtest.web.context import current_context
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.views.customers import CustomersAsked, customers_view


def add_to(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/experiments/<key>/customers", "customers", show_customers)


def show_customers(key: str) -> Response:
    """Show the key figures, with the periods and the cost that the form says."""
    context, told = current_context(), request.args
    tag, now = current_reader().tag, context.now()
    asked = CustomersAsked(
        period_days=told.get("period_days", "").strip(),
        loyal_purchases=told.get("loyal_purchases", "").strip(),
        acquisition_cost=told.get("acquisition_cost", "").strip(),
    )
    task = partial(
        customers_view, key=ExperimentKey(key), asked=asked, tag=tag, now=now
    )
    name = ("customers", key, asked, tag)
    view = context.shelf.answer_of_all_events(task, name=name, now=now)
    return page(
        "insights/customers.html", status=422 if view.problems else 200, view=view
    )
