"""Lets in whoever is signed in, and refuses forms that other sites send."""

from urllib.parse import urlsplit

from flask import g, redirect, request, url_for
from werkzeug.wrappers import Response

from abtest.domain.access import User
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import SESSION_AGE, find_signed_in
from abtest.web.context import current_context

COOKIE = "abtest_session"
OPEN = frozenset(
    f"pages.{name}"
    for name in (
        "static",
        "login",
        "setup",
        "help",
        "api_docs",
        "set_language",
        "set_theme",
        "shared",
    )
)
"""Endpoints for which nobody needs to be signed in."""


def guard() -> Response | None:
    """Look at a request before its page does."""
    if request.method not in {"GET", "HEAD", "OPTIONS"} and not is_same_site():
        raise AbtestError(
            ErrorCode.NOT_ALLOWED,
            "this form was sent from another site; open the page itself and try again",
        )
    is_page = request.endpoint != "pages.static"
    if is_page:
        # Whoever opens a page will want a report; the statistics take a while to load.
        current_context().calculator.start()
    g.user = _signed_in() if is_page else None
    if g.user is not None or request.endpoint in OPEN:
        return None
    return redirect(url_for("pages.login", next=request.full_path.rstrip("?")), 303)


def is_same_site() -> bool:
    """Tell whether our own page, or the person itself, sent the request.

    Browsers say so in Sec-Fetch-Site; old ones, and those on plain HTTP, only name
    the Origin. Scripts of other sites can forge neither.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    return urlsplit(request.headers.get("Origin", "")).netloc == request.host


def keep_signed_in(response: Response, token: str) -> Response:
    """Hand the browser its session."""
    context = current_context()
    response.set_cookie(
        COOKIE,
        token,
        max_age=SESSION_AGE,
        httponly=True,
        secure=request.is_secure or context.settings.base_url.startswith("https://"),
        samesite="Lax",
    )
    return response


def session_token() -> str | None:
    """Return the session that the browser holds."""
    return request.cookies.get(COOKIE)


def local_path(path: str) -> str:
    """Return a path of this site; the overview for whatever leads elsewhere."""
    is_local = path.startswith("/") and not path.startswith(("//", "/\\"))
    has_controls = any(ord(c) < 32 for c in path)
    return path if is_local and not has_controls else "/"


def _signed_in() -> User | None:
    token = session_token()
    if token is None:
        return None
    context = current_context()
    return find_signed_in(context.store, token, context.now())
