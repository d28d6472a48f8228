"""The composition root: settings in, the whole service as one WSGI callable out."""

import os
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from wsgiref.types import WSGIApplication

from flask import Flask, Response, request

from abtest.config import Settings, read_settings
from abtest.store.protocol import Store
from abtest.web.api.routes import ROUTES
from abtest.web.api.serving import MAX_BODY, register
from abtest.web.context import Context, attach, utc_now
from abtest.web.door import Door
from abtest.web.errors import install_error_handlers
from abtest.web.exchange import drain
from abtest.web.pages import register_pages
from abtest.web.pages.error_page import error_page
from abtest.web.security import HEADERS


def create_app(settings: Settings) -> WSGIApplication:
    """Return the service."""
    return create_service(create_context(settings))


def create_service(context: Context) -> WSGIApplication:
    """Return the door with Flask behind it."""
    return Door(create_flask(context).wsgi_app, context)


def create_context(
    settings: Settings, *, now: Callable[[], datetime] = utc_now
) -> Context:
    """Return what every request needs; the store is opened by the first one."""
    return Context(settings, lambda: open_embedded_store(settings), now=now)


def create_flask(context: Context) -> Flask:
    """Return the Flask app alone."""
    app = Flask("abtest.web", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    attach(app, context)
    register(app, context, ROUTES)
    register_pages(app)
    install_error_handlers(app, error_page)
    app.after_request(_with_headers)
    return app


def open_embedded_store(settings: Settings) -> Store:
    """Open the SQLite store.

    Raises:
        AbtestError: `unavailable`.
    """
    # The driver is loaded by whoever opens a store, not by whoever asks for help.
    from abtest.store.sqlite.store import open_store  # noqa: PLC0415

    return open_store(Path(settings.database), durability=settings.durability)


def from_environment() -> WSGIApplication:
    """Return the service for a server that wants a factory without arguments."""
    return create_app(read_settings(os.environ))


def _with_headers(response: Response) -> Response:
    """Put the headers on that every answer has, unless the view chose its own."""
    if response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        drain(request.environ)
    for name, value in HEADERS:
        response.headers.setdefault(name, value)
    return response
