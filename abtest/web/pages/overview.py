"""The overview: all experiments with their verdicts."""

from flask import Blueprint, Response

from abtest.web.context import current_context
from abtest.web.pages.rendering import current_reader, page


def add_to(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/", "overview", show_overview)


def show_overview() -> Response:
    """Show every experiment with its verdict."""
    context = current_context()
    experiments = context.store.list_experiments()
    if not experiments:
        return page("overview.html", groups=())
    # scipy takes seconds to load; a process that never reports never loads it.
    from abtest.services.analysis import analyze  # noqa: PLC0415
    from abtest.web.pages.views.overview import overview  # noqa: PLC0415

    reports = [analyze(context.store, e.key, now=context.now()) for e in experiments]
    return page("overview.html", groups=overview(current_reader(), reports))
