"""The overview of 200 experiments: server time at once after a start, and warm.

Bar: 300 ms of server time. The pages are asked of the whole service in this process,
the reports are written in a process of their own, as `abtest serve` does it.
"""

import os
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from werkzeug.test import Client

from abtest.app import create_service, create_serving_context
from abtest.config import read_settings
from abtest.domain.access import Role
from abtest.domain.experiment import Action, Experiment, ExperimentKey
from abtest.services.access import COMMAND_LINE, add_user, sign_in
from abtest.store.migrate import migrate
from abtest.store.protocol import Store
from abtest.web.context import Context
from abtest.web.pages.guard import COOKIE
from benchmarks.report_growth import NOW, experiment, traffic

EXPERIMENTS = 200
RUNNING = 40
VISITORS = 1_000
ROUNDS = 15
PAUSE = 1.5
"""Seconds after which the page asks again for what is missing."""


class Taken(NamedTuple):
    """Milliseconds of one page: on the clock, and of this process's CPU time."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:.0f} ms ({self.cpu:.0f} ms CPU)"


def fill(store: Store) -> None:
    """Make 40 running experiments and 160 that were stopped."""
    for number in range(EXPERIMENTS):
        key = ExperimentKey(f"home-{number}")
        one: Experiment = replace(experiment(), key=key, name=f"Home {number}")
        if number >= RUNNING:
            one = one.after(Action.STOP, NOW - timedelta(days=5))
        store.add_experiment(one)
        for batch in traffic(VISITORS, key=key, number=number * 10 * VISITORS):
            store.record(batch, received_at=NOW)


def measure(context: Context) -> None:
    """Ask for the page until everything is there, and then again and again."""
    add_user(
        context.store,
        "anna",
        password="correct horse battery",  # noqa: S106 - of a database that is deleted
        role=Role.ADMIN,
        caller=COMMAND_LINE,
        now=NOW,
    )
    token = sign_in(
        context.store,
        "anna",
        password="correct horse battery",  # noqa: S106 - as above
        now=NOW,
    )
    client = Client(create_service(context))
    client.set_cookie(COOKIE, token)

    def ask(language: str = "en") -> tuple[Taken, int]:
        begin, busy = time.perf_counter(), time.process_time()
        answer = client.get("/", headers={"Accept-Language": language})
        taken = Taken(
            wall=1000 * (time.perf_counter() - begin),
            cpu=1000 * (time.process_time() - busy),
        )
        assert answer.status_code == 200, answer.text  # noqa: S101 - a benchmark
        assert answer.text.count("data-experiment") == EXPERIMENTS  # noqa: S101
        return taken, answer.text.count(" data-pending>")

    begin = time.perf_counter()
    cold, pending = [], 1
    while pending:
        taken, pending = ask()
        cold.append(taken)
        time.sleep(PAUSE)
    print(f"the first page of the process: {cold[0]}")
    print(f"slowest of {len(cold) - 1} while verdicts were missing: {max(cold[1:])}")
    print(f"all verdicts there after {time.perf_counter() - begin:.1f} s")
    for language in ("en", "de"):
        warm = sorted(ask(language)[0] for _ in range(ROUNDS))
        print(f"warm, {language}: median {warm[ROUNDS // 2]}, slowest {warm[-1]}")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        migrate(path)
        settings = read_settings(
            {**os.environ, "ABTEST_DATABASE": str(path), "ABTEST_DURABILITY": "normal"}
        )
        with closing(create_serving_context(settings)) as context:
            context.now = lambda: NOW
            fill(context.store)
            measure(context)


if __name__ == "__main__":
    main()
