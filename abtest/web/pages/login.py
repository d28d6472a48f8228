"""Signing in and out, and the one-time link that makes the first user."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import (
    MIN_PASSWORD,
    is_setup_token,
    redeem_setup_token,
    sign_in,
    sign_out,
)
from abtest.web.context import current_context
from abtest.web.guards.clients import client_of, is_local, prefix_of
from abtest.web.pages.guard import (
    COOKIE,
    keep_signed_in,
    local_path,
    session_token,
)
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.views.waiting import say_wait


def add_to(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/login", "login", login, methods=["GET", "POST"])
    pages.add_url_rule("/logout", "logout", logout, methods=["POST"])
    pages.add_url_rule("/setup/<token>", "setup", setup, methods=["GET", "POST"])


def login() -> Response:
    """Ask for name and password, and sign in."""
    target = local_path(request.values.get("next", "/"))
    if request.method == "GET":
        return _login_page(target)
    context, name = current_context(), request.form.get("name", "")
    now = context.now()
    try:
        with context.sign_ins.attempt(name, network_of_caller(), now):
            password = request.form.get("password", "")
            token = sign_in(context.store, name, password=password, now=now)
    except AbtestError as error:
        return _refused(error, target, name)
    before = session_token()
    if before is not None:
        sign_out(context.store, before)
    return keep_signed_in(redirect(target, 303), token)


def logout() -> Response:
    """End the session."""
    token = session_token()
    if token is not None:
        sign_out(current_context().store, token)
    response = redirect("/login", 303)
    response.delete_cookie(COOKIE)
    return response


def setup(token: str) -> Response:
    """Make the first user and sign in."""
    context = current_context()
    if not is_setup_token(context.store, token):
        return page("setup_used.html", status=404)
    if request.method == "GET":
        return _setup_page(token)
    name, password = request.form.get("name", ""), request.form.get("password", "")
    try:
        redeem_setup_token(
            context.store, token, name=name, password=password, now=context.now()
        )
    except AbtestError as error:
        if error.code is not ErrorCode.INVALID:
            raise
        fields = {field.pointer for field in error.errors}
        return _setup_page(token, name=name, wrong=fields, status=400)
    signed_in = sign_in(context.store, name, password=password, now=context.now())
    return keep_signed_in(redirect("/", 303), signed_in)


def network_of_caller() -> bytes | None:
    """Return the network of the person; None on the machine of the service."""
    proxies = current_context().settings.trusted_proxies
    address = client_of(request.environ, proxies)
    return None if is_local(address) else prefix_of(address)


def _refused(error: AbtestError, target: str, name: str) -> Response:
    match error.code:
        case ErrorCode.UNAUTHENTICATED:
            return _login_page(target, name=name, status=401)
        case ErrorCode.RATE_LIMITED:
            seconds = error.retry_after or 1
            wait = say_wait(current_reader(), seconds)
            response = _login_page(target, name=name, status=429, wait=wait)
            response.headers["Retry-After"] = str(seconds)
            return response
        case _:
            raise error


def _login_page(
    target: str, *, name: str = "", status: int = 200, wait: str = ""
) -> Response:
    has_users = bool(current_context().store.list_users())
    return page(
        "login.html",
        status=status,
        target=target,
        name=name,
        is_wrong=status == 401,
        wait=wait,
        has_users=has_users,
    )


def _setup_page(
    token: str,
    *,
    name: str = "",
    wrong: set[str] | frozenset[str] = frozenset(),
    status: int = 200,
) -> Response:
    return page(
        "setup.html",
        status=status,
        token=token,
        name=name,
        wrong=wrong,
        shortest=str(MIN_PASSWORD),
    )
