"""`abtest serve`: the service on a production server."""

import gc
import multiprocessing
import multiprocessing.util
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from wsgiref.types import WSGIApplication

import click
from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from granian.server.mp import MPServer

from abtest.app import create_service, create_serving_context
from abtest.cli.backup_timer import BackupTimer
from abtest.cli.console import json_option, open_database, settings, show
from abtest.cli.garbage_timer import GarbageTimer
from abtest.cli.preflight import serving
from abtest.config import Settings
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import make_setup_token
from abtest.web.gateway.gateway import Gateway
from abtest.web.guards.logs import set_up_logs

_BACKLOG = 1024
_GARBAGE = 10_000
"""New objects, net of those that went, after which garbage is looked for."""
_PATIENCE = 10
"""Seconds that requests may still take after a signal to stop."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Port.",
)
@json_option
def serve(host: str, port: int) -> None:
    """Run the service; migrations are applied first.

    On a database without users it prints a one-time link to make the first one.
    """
    configured = settings()
    _check_free(host, port)
    with serving(configured):
        _serve(host, port, configured)


def _serve(host: str, port: int, configured: Settings) -> None:
    with open_database() as store:
        token = make_setup_token(store)
    address = configured.base_url.rstrip("/") or f"http://{_in_url(host)}:{port}"
    link = None if token is None else f"{address}/setup/{token}"
    lines = [f"abtest is at {address}"]
    if link is not None:
        lines.append(f"Make the first user, once: {link}")
    show({"address": address, "setup_link": link}, *lines)
    sys.stdout.flush()
    _server(host, port).serve(
        target_loader=_loader(configured),  # type: ignore[arg-type]  # RSGI, no function
        wrap_loader=False,
    )


def _check_free(host: str, port: int) -> None:
    """Refuse an address that is in use: the server itself would share it silently."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise AbtestError(
            ErrorCode.UNAVAILABLE,
            f"cannot listen at {_in_url(host)}:{port}:"
            f" {str(error.strerror).partition(' (')[0]};"
            " choose another address with --host and --port",
        ) from error


def _server(host: str, port: int) -> MPServer:
    """One process, because one writer groups the commits of all requests."""
    return MPServer(
        "abtest.app",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        loop=Loops.auto,
        workers=1,
        backlog=_BACKLOG,
        websockets=False,
        log_level=LogLevels.error,
        workers_kill_timeout=_PATIENCE,
        respawn_failed_workers=True,
    )


def _loader(configured: Settings) -> Callable[[], Gateway]:
    """Return what the worker calls after it was forked."""

    def load() -> WSGIApplication:
        set_up_logs(configured.log)
        threading.Thread(target=_end_with_parent, daemon=True).start()
        context = create_serving_context(configured)
        # Runs when the worker ends; atexit does not run in forked children.
        multiprocessing.util.Finalize(None, context.close, exitpriority=1)
        for kind in (BackupTimer, GarbageTimer):
            timer = kind(configured, lambda: context.store)
            multiprocessing.util.Finalize(None, timer.stop, exitpriority=2)
            timer.start()
        service = create_service(context)
        _spare_the_collector()
        return service

    return lambda: Gateway(load)


def _spare_the_collector() -> None:
    """Let garbage be looked for among what requests leave, not among all the program.

    A look at everything takes 50 ms, in which nobody is answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE)


def _end_with_parent() -> None:
    """End when the process that started this one was killed.

    A worker that is left alone would keep the port and the database.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
