"""F21: ten million events of two million visitors in twenty experiments."""

import os
import statistics
import time

import pytest

from abtest.domain.experiment import ExperimentKey
from tests.faults.conftest import StartServer
from tests.faults.filling import fill
from tests.faults.serving import Connection, Site
from tests.web.api.conftest import HOME

EVENTS = int(os.environ.get("GROWTH_EVENTS", "10_000_000"))
EXPERIMENTS = 20
MOST_SECONDS_OF_A_REPORT = 2.0
MOST_SECONDS_OF_THE_OVERVIEW = 0.3
MOST_MEMORY = 512 * 2**20
MOST_BYTES_OF_AN_EVENT = 400


def seconds_of(connection: Connection, path: str) -> float:
    answer = connection.ask("GET", path)
    assert answer.status == 200, (path, answer)
    return answer.seconds


@pytest.mark.slow
def test_f21_reports_do_not_grow_with_visitors(
    site: Site, start_server: StartServer
) -> None:
    """`GROWTH_EVENTS` says how many events; five a visitor."""
    keys = ["home", *(f"growth{n}" for n in range(1, EXPERIMENTS))]
    for key in keys[1:]:
        site.program.begin({**HOME, "key": key})
    cookie = site.cookie()
    began = time.monotonic()
    fill(site.database, events=EVENTS, experiments=tuple(map(ExperimentKey, keys)))
    filled = time.monotonic() - began
    size = site.database.stat().st_size
    server = start_server()
    with server.connection("rk") as reading:
        # The first of all starts the process of the statistics.
        first = seconds_of(reading, "/api/v1/experiments/home/report")
        reports = [
            seconds_of(reading, f"/api/v1/experiments/{key}/report") for key in keys[1:]
        ]
        kept = [seconds_of(reading, f"/api/v1/experiments/{k}/report") for k in keys]
    with server.connection("", cookie=cookie) as browser:
        overviews = [seconds_of(browser, "/") for _ in range(5)]
    memory = server.memory()
    print(  # noqa: T201 - a measurement to be read
        f"\n{EVENTS:,} events, {EVENTS // 5:,} visitors, {EXPERIMENTS} experiments:"
        f" stored in {filled:,.0f} s ({EVENTS / filled:,.0f} a second),"
        f" {size / EVENTS:.0f} bytes an event ({size / 1e6:,.0f} MB);"
        f" the first report {first:.2f} s with the start of the statistics, others"
        f" {statistics.median(reports):.2f} s (median) and {max(reports):.2f} s at"
        f" most, kept {statistics.median(kept):.3f} s; overview"
        f" {statistics.median(overviews):.3f} s; memory {memory / 2**20:.0f} MB"
    )
    assert statistics.median(reports) <= MOST_SECONDS_OF_A_REPORT
    assert statistics.median(overviews) <= MOST_SECONDS_OF_THE_OVERVIEW
    assert memory <= MOST_MEMORY
    assert size / EVENTS <= MOST_BYTES_OF_AN_EVENT
