"""The keys of pages and programs: made, renewed and revoked."""

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from abtest.domain.access import KeyId, KeyKind
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import (
    NewKey,
    caller_of_user,
    create_key,
    revoke_key,
    rotate_key,
)
from abtest.services.key_use import was_used
from abtest.web.context import current_context
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.rights import current_user, is_admin, require_admin
from abtest.web.pages.views.keys import Asked, new_key_view, view_keys


def add_to(pages: Blueprint) -> None:
    """Add the routes."""
    for path, name, view in (
        ("", "keys-make", make_key),
        ("/<key_id>/rotate", "keys-rotate", rotate),
        ("/<key_id>/revoke", "keys-revoke", revoke),
    ):
        pages.add_url_rule(f"/settings/keys{path}", name, view, methods=["POST"])
    pages.add_url_rule("/settings/keys", "keys", show_keys)


def show_keys() -> Response:
    """List the keys, without their secrets."""
    return _page(Asked())


def make_key() -> Response:
    """Make a key and show its secret this once.

    There is no redirect: the secret is kept nowhere that the next page could find it.
    """
    require_admin()
    form, context = request.form, current_context()
    asked = Asked(
        kind=form.get("kind", ""),
        name=form.get("name", "").strip(),
        origins=form.get("origins", ""),
    )
    wrong: list[str] = []
    if asked.kind not in set(KeyKind):
        wrong.append("kind")
    elif not asked.name:
        wrong.append("name")
    if wrong:
        return _page(asked.having(wrong), status=400)
    try:
        new = create_key(
            context.store,
            KeyKind(asked.kind),
            name=asked.name,
            origins=tuple(asked.origins.split()),
            caller=caller_of_user(current_user()),
            now=context.now(),
        )
    except AbtestError as error:
        if error.code is not ErrorCode.INVALID:
            raise
        return _page(asked.having(["origins"]), status=400)
    return _page(Asked(), new=new)


def rotate(key_id: str) -> Response:
    """Make a key like this one, which is useless then; show the secret this once."""
    require_admin()
    context = current_context()
    caller = caller_of_user(current_user())
    key = KeyId(key_id)
    new = rotate_key(context.store, key, caller=caller, now=context.now())
    return _page(Asked(), new=new)


def revoke(key_id: str) -> Redirect:
    """Make a key useless."""
    require_admin()
    context = current_context()
    caller = caller_of_user(current_user())
    revoke_key(context.store, KeyId(key_id), caller=caller, now=context.now())
    return redirect(url_for("pages.keys", done="revoked"), 303)


def _page(asked: Asked, *, new: NewKey | None = None, status: int = 200) -> Response:
    store, reader = current_context().store, current_reader()
    keys = store.list_keys()
    used = frozenset(key.id for key in keys if was_used(store, key))
    return page(
        "installation/keys.html",
        status=status,
        view=view_keys(reader, keys, used, asked),
        new=None if new is None else new_key_view(reader, new),
        is_admin=is_admin(),
        is_revoked=request.args.get("done") == "revoked",
    )
