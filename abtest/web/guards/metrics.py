"""What the process counts and times, as Prometheus reads it."""

from collections.abc import Iterable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from abtest import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

OTHER = "other"
"""Label of routes and methods that we do not have: a stranger invents no labels."""

_METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"})
_REPORTS = frozenset({"/api/v1/experiments/<key>/report", "/experiments/<key>"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

_Child = tuple[Counter, Histogram]


class Metrics:
    """Counters of one process; none has a label that visitors or experiments choose.

    A request costs two of the library's increments: its label children are kept,
    because finding them anew costs as much again.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "abtest_http_requests",
            "Requests answered",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._durations = Histogram(
            "abtest_http_request_duration_seconds",
            "Time until the answer began",
            ("route", "method"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._reports = Histogram(
            "abtest_report_duration_seconds",
            "Time of requests that show a report, the page or JSON",
            buckets=_SECONDS,
            registry=self._registry,
        )
        events = Counter(
            "abtest_events",
            "Events received, by what became of them",
            ("result",),
            registry=self._registry,
        )
        self._accepted = events.labels("accepted")
        self._duplicates = events.labels("duplicate")
        self._rejected = events.labels("rejected")
        self._assignments = Counter(
            "abtest_assignments",
            "Variants told, by the reason for them",
            ("result",),
            registry=self._registry,
        )
        build = Info("abtest_build", "The program", registry=self._registry)
        build.info({"version": __version__})
        ProcessCollector(registry=self._registry)
        self._children: dict[tuple[str, str, str], _Child] = {}
        self._reasons: dict[str, Counter] = {}

    def count_request(
        self, route: str, method: str, *, status: str, seconds: float
    ) -> None:
        """Count an answer; the route comes from the table of routes."""
        try:
            requests, durations = self._children[route, method, status]
        except KeyError:
            requests, durations = self._child(route, method, status)
        requests.inc()
        durations.observe(seconds)
        if route in _REPORTS and status == "200":
            self._reports.observe(seconds)

    def count_events(self, *, accepted: int, duplicates: int, rejected: int) -> None:
        """Count what became of a batch."""
        if accepted:
            self._accepted.inc(accepted)
        if duplicates:
            self._duplicates.inc(duplicates)
        if rejected:
            self._rejected.inc(rejected)

    def count_assignments(self, reasons: Iterable[str]) -> None:
        """Count variants told, one reason for each."""
        for reason in reasons:
            try:
                self._reasons[reason].inc()
            except KeyError:
                child = self._reasons[reason] = self._assignments.labels(reason)
                child.inc()

    def render(self, gauges: Iterable[tuple[str, str, float]]) -> bytes:
        """Return everything as text, with gauges that are read just now.

        Args:
            gauges: name, help and value.
        """
        now = CollectorRegistry()
        now.register(_Gauges(tuple(gauges)))
        return generate_latest(self._registry) + generate_latest(now)

    def _child(self, route: str, method: str, status: str) -> _Child:
        verb = method if method in _METHODS else OTHER
        child = (
            self._requests.labels(route, verb, status),
            self._durations.labels(route, verb),
        )
        if verb is not OTHER:
            self._children[route, method, status] = child
        return child


class _Gauges(Collector):
    def __init__(self, gauges: tuple[tuple[str, str, float], ...]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, text, value in self._gauges:
            yield GaugeMetricFamily(name, text, value)
