"""Requests a second of assign and events, beside the server's and Flask's own limits.

Run: python benchmarks/serving.py [ROUNDS]

Every server runs on granian with one worker, on loopback, and is asked by `wrk` (from
the package of that name) over 64 connections. The rounds are interleaved; only ratios
within one run mean something. What was found stands in `docs/adr/0011-hot-path.md`.
"""

import json
import os
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from abtest.domain.assignment import choose_variant
from abtest.domain.events import Exposure
from abtest.domain.experiment import ExperimentKey, VisitorId
from abtest.domain.visitor import to_milliseconds
from abtest.services.identifiers import new_id
from abtest.store.sqlite.store import open_store

ROUNDS = 5
SECONDS = 3
CONNECTIONS = 64
RETURNING = 20_000
"""Visitors who come back, as in `load.lua`."""
HERE = Path(__file__).parent
ASSIGN, EVENTS = "/api/v1/assign", "/api/v1/events"
EXPERIMENT = {
    "key": "home",
    "name": "Home page",
    "variants": [{"key": "a"}, {"key": "b"}],
    "funnel": [{"key": "purchase", "kind": "main"}],
    "first_conversion": {"step": "purchase"},
    "second_conversion": {"step": "purchase", "ordinal": 2},
    "weights": {"money": True, "currency": "EUR"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One line of the table: who is asked for what."""

    name: str
    server: str
    path: str
    kind: str
    events: int = 1


LOADS = (
    Load(name="raw WSGI 'ok'", server="wsgi", path="/", kind="none"),
    Load(name="Flask 'ok'", server="flask", path="/", kind="none"),
    Load(name="assign, returning", server="abtest", path=ASSIGN, kind="back"),
    Load(name="assign, new, durable", server="abtest", path=ASSIGN, kind="new"),
    Load(name="one event, durable", server="abtest", path=EVENTS, kind="event"),
    Load(
        name="100 events, durable",
        server="abtest",
        path=EVENTS,
        kind="batch",
        events=100,
    ),
    Load(name="Flask: assign, returning", server="own", path=ASSIGN, kind="back"),
    Load(name="Flask: assign, new", server="own", path=ASSIGN, kind="new"),
    Load(name="Flask: one event", server="own", path=EVENTS, kind="event"),
)
TABLE = "bare table, batches of 100"
BARS = (
    ("assign, returning", "raw WSGI 'ok'", 0.85),
    ("assign, returning", "Flask 'ok'", 6.0),
    ("assign, new, durable", "Flask: assign, new", 5.0),
    ("one event, durable", "Flask: one event", 5.0),
    ("100 events, durable", TABLE, 0.5),
)
"""What is divided by what, and the least it should be."""
DURABLE = ("assign, new, durable", "one event, durable")
MAX_P99_MS = 25
"""Not for batches: 64 connections keep 6,400 events on their way at any time."""


def free_port() -> int:
    """Return a port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, path: str) -> Iterator[int]:
    """Run a server until the block ends; ready when the path answers."""
    server = subprocess.Popen(
        [sys.executable, "-m", *command, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(150):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1)
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise SystemExit(f"{command} did not answer on {path}")
        yield server.pid
    finally:
        server.terminate()
        server.wait(20)


_numbers = count(10_000_000, 10_000_000)


def load(
    port: int, path: str, kind: str, key: str, seconds: int = SECONDS
) -> dict[str, float]:
    """Let `wrk` ask for some seconds."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s"]
    command += ["-s", str(HERE / "load.lua"), f"http://127.0.0.1:{port}{path}"]
    # Events belong to visitors by their number, so that numbers may be of any size.
    number = 0 if kind == "back" else next(_numbers)
    done = subprocess.run(
        [*command, "--", kind, key, str(number)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def abtest(*words: str, stdin: str | None = None) -> dict[str, str]:
    """Run a command of abtest and return its JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "abtest", *words, "--json"],
        check=True,
        capture_output=True,
        text=True,
        input=stdin,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def prepare(path: Path) -> str:
    """Make a database with a running experiment; return a publishable key."""
    os.environ["ABTEST_DATABASE"] = str(path)
    abtest("migrate")
    abtest("experiment", "create", "-", stdin=json.dumps(EXPERIMENT))
    abtest("experiment", "start", "home")
    expose(path)
    return abtest("key", "create", "--kind", "pk")["key"]


def expose(path: Path) -> None:
    """Let the visitors who come back have been there before."""
    now = datetime.now(UTC)
    with closing(open_store(path, durability="normal")) as store:
        experiment = store.get_experiment(ExperimentKey("home"))
        visitors = [VisitorId(f"back{n}") for n in range(RETURNING)]
        exposures = [
            Exposure(
                id=new_id(now),
                at=to_milliseconds(now),
                visitor=visitor,
                experiment=experiment.key,
                variant=choose_variant(experiment, visitor).variant,
            )
            for visitor in visitors
        ]
        for first in range(0, RETURNING, 1000):
            store.record(exposures[first : first + 1000], received_at=now)


def table_rate(connection: sqlite3.Connection, first: int) -> float:
    """Return rows a second into a bare table, one commit for each hundred."""
    now = (time.time_ns() // 1_000_000).to_bytes(6, "big")
    rows = [
        (
            now + n.to_bytes(10, "big"),
            *(2, n, n, 0, f"back{n % RETURNING}", "purchase", 2000, "EUR"),
        )
        for n in range(first, first + 20_000)
    ]
    begun = time.perf_counter()
    for i in range(0, len(rows), 100):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows[i : i + 100]
        )
        connection.execute("COMMIT")
    return len(rows) / (time.perf_counter() - begun)


def bare_table(path: Path) -> sqlite3.Connection:
    """Make a table that holds a raw event and its unique id."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE event (id BLOB NOT NULL UNIQUE, kind INTEGER, at INTEGER,"
        " received_at INTEGER, trusted INTEGER, visitor TEXT, step TEXT,"
        " value INTEGER, currency TEXT) STRICT"
    )
    return connection


def measure(ports: dict[str, int], keys: dict[str, str], table: Path) -> None:
    """Run all loads in turn, several rounds, and print medians and ratios."""
    rates: dict[str, list[float]] = {TABLE: [], **{each.name: [] for each in LOADS}}
    tails: dict[str, list[float]] = {each.name: [] for each in LOADS}
    failures: dict[str, float] = dict.fromkeys(tails, 0)
    connection = bare_table(table)
    for server in ("abtest", "own"):
        load(ports[server], ASSIGN, "back", keys[server])
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS):
        rates[TABLE].append(table_rate(connection, next(_numbers)))
        for each in LOADS:
            found = load(
                ports[each.server], each.path, each.kind, keys.get(each.server, "")
            )
            rate = found["requests"] * each.events / found["seconds"]
            rates[each.name].append(rate)
            tails[each.name].append(found["p99_ms"])
            failures[each.name] += found["errors"]
    for name, found_rates in rates.items():
        told = f"{name:<28} {statistics.median(found_rates):>9,.0f}/s"
        if name in tails:
            tail = statistics.median(tails[name])
            told += f"  p99 {tail:>6.1f} ms  failed {failures[name]:.0f}"
        print(told)
    for name, other, bar in BARS:
        ratios = [a / b for a, b in zip(rates[name], rates[other], strict=True)]
        ratio = statistics.median(ratios)
        print(f"{name} / {other}: {ratio:.2f} (bar {bar}) {_met(ratio >= bar)}")
    for name in DURABLE:
        tail = statistics.median(tails[name])
        print(f"{name}: p99 {tail:.1f} ms (bar {MAX_P99_MS}) {_met(tail < MAX_P99_MS)}")


def cold_start(key: str) -> None:
    """Print the time from the command to the first assignment.

    An installed program has its bytecode: the first start may have to write it.
    """
    _first_assignment(key)
    took = statistics.median(_first_assignment(key) for _ in range(3))
    print(f"first assignment after {took:.2f} s (bar 1.0) {_met(took <= 1)}")


def _first_assignment(key: str) -> float:
    port = free_port()
    body = json.dumps({"key": key, "visitor": "first"}).encode()
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{ASSIGN}", body)
    unset = "PYTHONDONTWRITEBYTECODE"
    begun = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-m", "abtest", "serve", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name != unset},
    )
    try:
        while time.perf_counter() - begun < 60:
            try:
                urllib.request.urlopen(asked, timeout=5).read()
                break
            except OSError:
                time.sleep(0.01)
        return time.perf_counter() - begun
    finally:
        server.terminate()
        server.wait(20)


def weigh(process: int) -> None:
    """Print the memory of each process of the service after all that load."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text("ascii")
    for number in (str(process), *children.split()):
        status = Path(f"/proc/{number}/status").read_text("utf-8")
        line = next(x for x in status.splitlines() if x.startswith("VmRSS"))
        size = int(line.split()[1]) / 1024
        is_heavy = "scipy" in Path(f"/proc/{number}/maps").read_text("utf-8")
        told = "with" if is_heavy else "without"
        print(f"process: {size:.0f} MiB (bar 120) {told} scipy {_met(size <= 120)}")


def _met(is_met: object) -> str:
    return "met" if is_met else "MISSED"


def main() -> None:
    """Start the servers, measure and print."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing; install it: apt-get install wrk")
    granian = ["granian", "--interface", "wsgi", "--no-ws", "--workers", "1"]
    granian += ["--working-dir", str(HERE), "--blocking-threads"]
    with tempfile.TemporaryDirectory() as folder:
        ports = {name: free_port() for name in ("wsgi", "flask", "own", "abtest")}
        keys = {"own": prepare(Path(folder) / "own.db")}
        with (
            running([*granian, "1", "bare_wsgi:app"], ports["wsgi"], "/"),
            running([*granian, "16", "bare_flask:app"], ports["flask"], "/"),
            running([*granian, "16", "own_transactions:app"], ports["own"], "/healthz"),
        ):
            keys["abtest"] = prepare(Path(folder) / "abtest.db")
            cold_start(keys["abtest"])
            with running(["abtest", "serve"], ports["abtest"], "/healthz") as process:
                measure(ports, keys, Path(folder) / "bare.db")
                weigh(process)


if __name__ == "__main__":
    main()
