"""What every request needs: the store, the reports, the settings and the clock."""

from collections.abc import Callable
from datetime import datetime
from threading import Lock

from flask import Flask, current_app

from abtest.config import Settings
from abtest.services.back_off import SignInGuard
from abtest.services.calculating import Calculator, OwnProcess
from abtest.services.reporting import ReportDesk
from abtest.services.shelf import Shelf
from abtest.store.protocol import Store
from abtest.web.clock import SteadyClock
from abtest.web.guards.metrics import Metrics
from abtest.web.readiness import Readiness

_NAME = "abtest"


utc_now = SteadyClock()
"""Reads the clock of this process."""


class Context:
    """Opens the store when it is first asked for: after the server has forked.

    Attributes:
        calculator: does what needs the statistics; in this process unless another
            one is given.
        metrics: what this process counts.
        sign_ins: slows down who guesses passwords.
    """

    def __init__(
        self,
        settings: Settings,
        open_store: Callable[[], Store],
        *,
        now: Callable[[], datetime] = utc_now,
        calculator: Calculator | None = None,
    ) -> None:
        self.settings = settings
        self.now = now
        self.metrics = Metrics()
        self.sign_ins = SignInGuard()
        self.calculator = calculator or OwnProcess(lambda: self.store)
        self.readiness = Readiness(lambda: self.store)
        self._open_store = open_store
        self._store: Store | None = None
        self._desk: ReportDesk | None = None
        self._shelf: Shelf | None = None
        self._lock = Lock()

    @property
    def store(self) -> Store:
        """The open store.

        Raises:
            AbtestError: `unavailable`; the next request tries again.
        """
        if self._store is None:
            with self._lock:
                if self._store is None:
                    self._store = self._open_store()
        return self._store

    @property
    def desk(self) -> ReportDesk:
        """Where reports are asked for.

        Raises:
            AbtestError: `unavailable`, as `store` does.
        """
        store = self.store
        with self._lock:
            if self._desk is None:
                self._desk = ReportDesk(store, self.calculator)
            return self._desk

    @property
    def shelf(self) -> Shelf:
        """Where other answers of the calculator are kept.

        Raises:
            AbtestError: `unavailable`, as `store` does.
        """
        store = self.store
        with self._lock:
            if self._shelf is None:
                self._shelf = Shelf(store, self.calculator)
            return self._shelf

    def close(self) -> None:
        """Close the store if it was opened, and end the calculations."""
        self.calculator.close()
        with self._lock:
            store, self._store = self._store, None
            self._desk = self._shelf = None
        if store is not None:
            store.close()


def attach(app: Flask, context: Context) -> None:
    """Make the context known to the app's views."""
    app.extensions[_NAME] = context


def current_context() -> Context:
    """Return the context of the app that is answering."""
    context = current_app.extensions[_NAME]
    assert isinstance(context, Context)  # noqa: S101 - tells the type checker
    return context
