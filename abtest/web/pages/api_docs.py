"""The API for people to read: every call and every type, made from the routes."""

from flask import Blueprint, Response

from abtest.web.api.routes import ROUTES
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.views.api_docs import view_api


def add_to(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/api/docs", "api_docs", show_api)


def show_api() -> Response:
    """Show the calls and the types."""
    return page("installation/api_docs.html", view=view_api(current_reader(), ROUTES))
