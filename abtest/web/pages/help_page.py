"""Help: how to read a result, and the glossary."""

from flask import Blueprint, Response

from abtest.web.pages.rendering import current_reader, page
from abtest.web.render.glossary import glossary
from abtest.web.render.reading import meanings, questions


def add_to(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/help", "help", show_help)


def show_help() -> Response:
    """Explain the words."""
    reader = current_reader()
    return page(
        "help.html",
        terms=glossary(reader),
        meanings=meanings(reader),
        questions=questions(reader),
    )
