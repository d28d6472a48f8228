"""The composition root: settings in, the whole service as one WSGI callable out."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from wsgiref.types import WSGIApplication

import msgspec
from flask import Flask, Response

from abtest.config import Settings
from abtest.services.worker import Worker, work
from abtest.store.protocol import Store
from abtest.web.api.routes import ROUTES
from abtest.web.api.serving import register
from abtest.web.context import Context, attach, utc_now
from abtest.web.door import Door
from abtest.web.errors import install_error_handlers
from abtest.web.exchange import MAX_BODY
from abtest.web.guards.watch import Watch, note_route
from abtest.web.pages import register_pages
from abtest.web.pages.error_page import error_page
from abtest.web.security import HEADERS


def create_service(context: Context) -> WSGIApplication:
    """Return the door with Flask behind it, and the watch before both."""
    return Watch(Door(create_flask(context).wsgi_app, context), context)


def create_context(
    settings: Settings, *, now: Callable[[], datetime] = utc_now
) -> Context:
    """Return what every request needs; the store is opened by the first one."""
    return Context(settings, lambda: open_embedded_store(settings), now=now)


def create_serving_context(settings: Settings) -> Context:
    """Return the same with the statistics in a process of their own."""
    return Context(
        settings,
        lambda: open_embedded_store(settings),
        calculator=Worker(worker_command(settings)),
    )


def create_flask(context: Context) -> Flask:
    """Return the Flask app alone."""
    app = Flask("abtest.web", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    attach(app, context)
    register(app, context, ROUTES)
    register_pages(app)
    install_error_handlers(app, error_page)
    app.before_request(note_route)
    app.after_request(_with_headers)
    return app


def open_embedded_store(settings: Settings, *, remembers: bool = True) -> Store:
    """Open the SQLite store.

    Args:
        settings: where it is.
        remembers: keep for a moment what every request asks for.

    Raises:
        AbtestError: `unavailable`.
    """
    # The driver is loaded by whoever opens a store, not by whoever asks for help.
    from abtest.store.sqlite.store import open_store  # noqa: PLC0415

    return open_store(
        Path(settings.database), durability=settings.durability, remembers=remembers
    )


def worker_command(settings: Settings) -> tuple[str, ...]:
    """Return what starts `run_worker`, but for the last argument."""
    code = "from abtest.app import run_worker; run_worker()"
    return sys.executable, "-c", code, msgspec.json.encode(settings).decode()


def run_worker() -> None:
    """Calculate for a server that started this process."""
    settings = msgspec.json.decode(sys.argv[1], type=Settings)
    # What was remembered might be older than the stamp that a report is kept under.
    work(int(sys.argv[2]), lambda: open_embedded_store(settings, remembers=False))


def _with_headers(response: Response) -> Response:
    """Put the headers on that every answer has, unless the view chose its own."""
    for name, value in HEADERS:
        response.headers.setdefault(name, value)
    return response
