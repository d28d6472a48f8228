"""Language and theme, kept in cookies of the browser."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from abtest.web.pages.guard import local_path
from abtest.web.pages.rendering import LANGUAGE_COOKIE, THEME_COOKIE, THEMES
from abtest.web.render.translate import LANGUAGES

_YEAR = 365 * 24 * 3600


def add_to(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule(
        "/settings/language", "set_language", set_language, methods=["POST"]
    )
    pages.add_url_rule("/settings/theme", "set_theme", set_theme, methods=["POST"])


def set_language() -> Response:
    """Choose the language of the pages."""
    return _keep(LANGUAGE_COOKIE, request.form.get("language", ""), LANGUAGES)


def set_theme() -> Response:
    """Choose light, dark, or what the browser prefers."""
    return _keep(THEME_COOKIE, request.form.get("theme", ""), THEMES)


def _keep(cookie: str, value: str, allowed: tuple[str, ...]) -> Response:
    """Keep an allowed value and go back to where the form stood."""
    response = redirect(local_path(request.form.get("next", "/")), 303)
    if value in allowed:
        response.set_cookie(cookie, value, max_age=_YEAR, httponly=True, samesite="Lax")
    return response
