"""The page for whatever went wrong."""

from collections.abc import Mapping

from flask import Response

from abtest.web.pages.rendering import current_reader, page
from abtest.web.render.translate import mark

_TITLES: Mapping[int, str] = {
    400: mark("This request cannot be understood"),
    403: mark("This is not allowed"),
    404: mark("There is nothing here"),
    405: mark("This is not possible here"),
    503: mark("The data cannot be read now; please try again in a moment"),
}
_ANY = mark("Something went wrong on our side; it was written to the log")


def error_page(status: int, title: str, detail: str) -> Response:
    """Show an error in the reader's language.

    Args:
        title: in English, for programs; people read a translated one.
        detail: what exactly is wrong, in English.
    """
    del title
    words = current_reader().gettext(_TITLES.get(status, _ANY))
    return page("error.html", status=status, title=words, detail=detail)
