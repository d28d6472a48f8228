"""The page for whatever went wrong."""

from collections.abc import Mapping

from flask import Response

from abtest.web.guards.request_id import current_request
from abtest.web.pages.rendering import current_reader, page
from abtest.web.render.translate import mark

_TITLES: Mapping[int, str] = {
    400: mark("This request cannot be understood"),
    403: mark("This is not allowed"),
    404: mark("There is nothing here"),
    405: mark("This is not possible here"),
    409: mark("This is not possible now"),
    412: mark("Somebody else changed this meanwhile"),
    413: mark("This is too large"),
    429: mark("That was too often"),
    503: mark("The data cannot be read now; please try again in a moment"),
}
_ANY = mark("Something went wrong on our side; it was written to the log")

_ADVICE: Mapping[int, str] = {
    400: mark("Please go back, look at what you entered and try again."),
    403: mark(
        "Your role does not include it. Please ask somebody with the role admin."
    ),
    404: mark(
        "The address may be misspelt, or what was here was removed. Nothing is lost."
    ),
    405: mark("Please open the page itself and use its buttons."),
    409: mark("The page may be out of date. Please load it again."),
    412: mark("Please load the page again and look at the newest state."),
    413: mark("Please send less at a time."),
    429: mark("Please wait a little, then try again."),
    503: mark(
        "Visitors of your pages notice nothing: they see the control meanwhile. If it"
        " lasts, tell whoever runs the service."
    ),
}
_ANY_ADVICE = mark(
    "Please try again. If it happens again, tell whoever runs the service the number"
    " below: it finds the reason in the log."
)


def error_page(status: int, title: str, detail: str) -> Response:
    """Show an error in the reader's language.

    Args:
        title: in English, for programs; people read a translated one.
        detail: what exactly is wrong, in English.
    """
    del title
    say = current_reader().gettext
    return page(
        "error.html",
        status=status,
        title=say(_TITLES.get(status, _ANY)),
        advice=say(_ADVICE.get(status, _ANY_ADVICE)),
        detail=detail,
        number=current_request.get() if status not in _TITLES else "",
    )
