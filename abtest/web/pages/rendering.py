"""Renders a page in the reader's language and colours."""

from collections.abc import Iterable

from flask import Response, g, make_response, render_template, request

from abtest.web.context import current_context
from abtest.web.render.reader import Reader, reader_of
from abtest.web.render.translate import LANGUAGES

LANGUAGE_COOKIE = "abtest_language"
THEME_COOKIE = "abtest_theme"
THEMES = ("auto", "light", "dark")


def current_reader() -> Reader:
    """Return whom to write for: as chosen, as the browser asks, or as installed.

    The country comes from the browser where its language is the chosen one, so that
    somebody in Vienna or Zurich reads numbers as they are written there.
    """
    asked = [tag for tag, _ in request.accept_languages]
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen not in LANGUAGES:
        known = (language_of(tag) for tag in asked if language_of(tag) in LANGUAGES)
        chosen = next(known, current_context().settings.language)
    return reader_of(_with_country(chosen, asked))


def language_of(tag: str) -> str:
    """Return the language of a tag, without its country."""
    return tag.replace("_", "-").partition("-")[0].lower()


def _with_country(language: str, asked: Iterable[str]) -> str:
    return next((tag for tag in asked if language_of(tag) == language), language)


def current_theme() -> str:
    """Return the chosen theme; `auto` follows the browser."""
    theme = request.cookies.get(THEME_COOKIE, "")
    return theme if theme in THEMES else "auto"


def page(template: str, *, status: int = 200, **values: object) -> Response:
    """Render a template for the reader of this request."""
    reader = current_reader()
    html = render_template(
        template,
        _=reader.gettext,
        lang=reader.tag,
        language=reader.language,
        theme=current_theme(),
        user=g.get("user"),
        here=request.full_path.rstrip("?"),
        address=request.url,
        **values,
    )
    return make_response(html, status, {"Vary": "Cookie, Accept-Language"})
