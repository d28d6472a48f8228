"""The people who may look at the pages, and one's own password."""

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from abtest.domain.access import Role
from abtest.errors import AbtestError, ErrorCode, invalid_field
from abtest.services.access import MIN_PASSWORD, caller_of_user
from abtest.services.people import (
    change_password,
    change_role,
    invite,
    remove_user,
    reset_password,
)
from abtest.web.context import current_context
from abtest.web.pages.guard import keep_signed_in
from abtest.web.pages.login import network_of_caller
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.rights import current_user, is_admin, require_admin
from abtest.web.pages.views.users import (
    Asked,
    NewPassword,
    account_errors,
    role_name,
    view_users,
)
from abtest.web.pages.views.waiting import say_wait


def add_to(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/settings/users", "users", show_users)
    for path, name, view in (
        ("", "users-add", add),
        ("/<name>/role", "users-role", role),
        ("/<name>/password", "users-password", reset),
        ("/<name>/remove", "users-remove", remove),
    ):
        pages.add_url_rule(f"/settings/users{path}", name, view, methods=["POST"])
    pages.add_url_rule(
        "/settings/account", "account", show_account, methods=["GET", "POST"]
    )


def show_users() -> Response:
    """List the people."""
    return _page(Asked())


def add() -> Response:
    """Add somebody and show the password made for them this once."""
    require_admin()
    context = current_context()
    asked = Asked(
        name=request.form.get("name", "").strip(), role=request.form.get("role", "")
    )
    try:
        password = invite(
            context.store,
            asked.name,
            role=_role(asked.role),
            caller=caller_of_user(current_user()),
            now=context.now(),
        )
    except AbtestError as error:
        match error.code:
            case ErrorCode.INVALID:
                wrong = {field.pointer.strip("/") for field in error.errors}
                return _page(asked.having(wrong), status=400)
            case ErrorCode.CONFLICT:
                return _page(asked.having({"taken"}), status=409)
            case _:
                raise
    return _page(Asked(), new=NewPassword(name=asked.name, password=password))


def role(name: str) -> Response | Redirect:
    """Let somebody do more, or less."""
    require_admin()
    context = current_context()
    caller = caller_of_user(current_user())
    wanted = _role(request.form.get("role", ""))
    try:
        change_role(context.store, name, wanted, caller=caller, now=context.now())
    except AbtestError as error:
        return _last_admin(error)
    return redirect(url_for("pages.users", done="role"), 303)


def reset(name: str) -> Response:
    """Make somebody a new password and show it this once."""
    require_admin()
    context = current_context()
    caller = caller_of_user(current_user())
    password = reset_password(context.store, name, caller=caller, now=context.now())
    return _page(Asked(), new=NewPassword(name=name, password=password))


def remove(name: str) -> Response | Redirect:
    """Delete somebody."""
    require_admin()
    context = current_context()
    caller = caller_of_user(current_user())
    try:
        remove_user(context.store, name, caller=caller, now=context.now())
    except AbtestError as error:
        return _last_admin(error)
    return redirect(url_for("pages.users", done="removed"), 303)


def show_account() -> Response | Redirect:
    """Tell who one is, and change one's own password."""
    if request.method == "GET":
        return _account()
    context, user, form = current_context(), current_user(), request.form
    now = context.now()
    if form.get("wanted") != form.get("again"):
        return _account({"again"}, status=400)
    try:
        with context.sign_ins.attempt(user.name, network_of_caller(), now):
            token = change_password(
                context.store,
                user,
                present=form.get("present", ""),
                wanted=form.get("wanted", ""),
                now=now,
            )
    except AbtestError as error:
        match error.code:
            case ErrorCode.INVALID:
                return _account({"wanted"}, status=400)
            case ErrorCode.UNAUTHENTICATED:
                return _account({"present"}, status=400)
            case ErrorCode.RATE_LIMITED:
                wait = say_wait(current_reader(), error.retry_after or 1)
                return _account(status=429, wait=wait)
            case _:
                raise
    return keep_signed_in(
        redirect(url_for("pages.account", done="password"), 303), token
    )


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise invalid_field(
            "/role", "invalid_choice", f"role is none of {', '.join(Role)}"
        ) from None


def _last_admin(error: AbtestError) -> Response:
    if error.code is not ErrorCode.CONFLICT:
        raise error
    return _page(Asked(), status=409, is_last_admin=True)


def _page(
    asked: Asked,
    *,
    new: NewPassword | None = None,
    status: int = 200,
    is_last_admin: bool = False,
) -> Response:
    return page(
        "installation/users.html",
        status=status,
        view=view_users(
            current_reader(),
            current_context().store.list_users(),
            me=current_user().name,
            asked=asked,
        ),
        new=new,
        is_admin=is_admin(),
        is_last_admin=is_last_admin,
        done=request.args.get("done", ""),
    )


def _account(
    wrong: set[str] | frozenset[str] = frozenset(), *, status: int = 200, wait: str = ""
) -> Response:
    reader = current_reader()
    return page(
        "installation/account.html",
        status=status,
        me=current_user(),
        role=role_name(reader, current_user().role),
        wait=wait,
        errors=account_errors(reader, wrong),
        shortest=str(MIN_PASSWORD),
        is_done=request.args.get("done") == "password",
    )
