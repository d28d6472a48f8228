"""Visitors' privacy: what is stored and for how long; showing and erasing a person."""

from datetime import UTC, datetime

import msgspec
from flask import Blueprint, Response, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from abtest.domain.person import PersonName
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import caller_of_user
from abtest.services.privacy import erase_person, person_name, show_person
from abtest.web.api.visitors import person_view
from abtest.web.context import current_context
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.rights import current_user, is_admin, require_admin
from abtest.web.pages.views.privacy import Asked, Found, found_view, privacy_errors
from abtest.web.render.policy_text import policy_texts


def add_to(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/settings/privacy", "privacy", show_privacy)
    for name, view in (("find", find), ("export", export), ("erase", erase)):
        pages.add_url_rule(
            f"/settings/privacy/{name}", f"privacy-{name}", view, methods=["POST"]
        )


def show_privacy() -> Response:
    """Tell what is stored, and offer to find a person."""
    return _page(Asked())


def find() -> Response:
    """Show how much is stored about somebody. The name never stands in an address."""
    require_admin()
    return _about(_asked())


def export() -> Response:
    """Hand out everything stored about a person, as the API does."""
    require_admin()
    context, asked = current_context(), _asked()
    name, caller = _name(asked), caller_of_user(current_user())
    view = person_view(show_person(context.store, name, caller))
    body = msgspec.json.format(msgspec.json.encode(view), indent=2)
    response = make_response(body)
    response.headers["Content-Type"] = "application/json"
    filename = f"abtest-{context.now():%Y-%m-%d}.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def erase() -> Response | Redirect:
    """Erase a person, once that was confirmed."""
    require_admin()
    context, asked = current_context(), _asked()
    if request.form.get("confirmed") != "yes":
        return _about(asked.having({"confirmed"}), status=400)
    caller = caller_of_user(current_user())
    erased = erase_person(context.store, _name(asked), caller, context.now())
    done = "erased" if erased.persons else "unknown"
    return redirect(url_for("pages.privacy", done=done), 303)


def _asked() -> Asked:
    form = request.form
    return Asked(kind=form.get("kind", ""), name=form.get("name", "").strip())


def _name(asked: Asked) -> PersonName:
    return person_name(asked.kind, asked.name)


def _about(asked: Asked, *, status: int = 200) -> Response:
    context = current_context()
    if not asked.name:
        return _page(asked.having({"name"}), status=400)
    caller = caller_of_user(current_user())
    try:
        record = show_person(context.store, _name(asked), caller)
    except AbtestError as error:
        if error.code is not ErrorCode.NOT_FOUND:
            raise
        return _page(asked.having({"unknown"}), status=404)
    return _page(asked, found=found_view(current_reader(), record), status=status)


def _page(asked: Asked, *, found: Found | None = None, status: int = 200) -> Response:
    context, reader = current_context(), current_reader()
    days = context.settings.keep_events_days
    horizon = context.store.retention().horizon
    return page(
        "installation/privacy.html",
        status=status,
        asked=asked,
        errors=privacy_errors(reader, asked),
        found=found,
        is_admin=is_admin(),
        done=request.args.get("done", ""),
        days=reader.format.integer(days) if days else "",
        horizon=""
        if horizon is None
        else reader.format.day(datetime.fromtimestamp(horizon / 1000, UTC).date()),
        policies=policy_texts(days),
    )
