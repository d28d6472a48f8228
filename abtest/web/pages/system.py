"""How the installation is: version, sizes, backups, checks and settings."""

import os

from flask import Blueprint, Response

from abtest.config import read_origins
from abtest.domain.visitor import to_milliseconds
from abtest.errors import AbtestError
from abtest.services.backups import BackupInfo, last_backup
from abtest.services.examining import examine_store, shown_settings
from abtest.web.context import current_context
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.views.system import HOUR, MINUTE, view_system


def add_to(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/settings/system", "system", show_system)


def show_system() -> Response:
    """Show what `abtest doctor` finds, and the settings."""
    context = current_context()
    settings, store, now = context.settings, context.store, context.now()
    view = view_system(
        current_reader(),
        condition=store.condition(),
        backup=_backup(),
        received={
            span: store.received_since(to_milliseconds(now - span))
            for span in (MINUTE, HOUR)
        },
        findings=tuple(examine_store(settings, store, now, reads_backup=False)),
        settings=tuple(shown_settings(settings, read_origins(os.environ))),
        now=now,
    )
    return page("installation/system.html", view=view)


def _backup() -> BackupInfo | None:
    try:
        return last_backup(current_context().settings)
    except AbtestError:
        return None  # The checks tell why.
