"""The audit log: who did what, newest first."""

from flask import Blueprint, Response, request

from abtest.web.context import current_context
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.views.audit import view_audit

LEAF = 50
"""Entries of one page."""

_DIGITS = 18


def add_to(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/settings/audit", "audit", show_audit)


def show_audit() -> Response:
    """Show a leaf of the log, of everything or of one experiment."""
    store = current_context().store
    subject, before = request.args.get("experiment", ""), request.args.get("before", "")
    is_number = before.isascii() and before.isdecimal() and len(before) <= _DIGITS
    leaf = store.read_audit(
        limit=LEAF,
        before=int(before) if is_number else None,
        subject=subject or None,
    )
    view = view_audit(
        current_reader(),
        leaf,
        experiments=store.list_experiments(),
        keys=store.list_keys(),
        chosen=subject,
        is_first=not is_number,
    )
    return page("installation/audit.html", view=view)
