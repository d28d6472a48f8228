"""Requests per second of assign and events against a bare Flask handler.

Both run on granian with one worker and the same threads, on loopback, in interleaved
rounds of the same run; only the ratios mean anything on a shared machine.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROUNDS = 5
SECONDS = 2.0
HERE = Path(__file__).parent
EXPERIMENT = {
    "key": "home",
    "name": "Home page",
    "variants": [{"key": "a"}, {"key": "b"}],
    "funnel": [{"key": "purchase", "kind": "main"}],
    "first_conversion": {"step": "purchase"},
    "second_conversion": {"step": "purchase", "ordinal": 2},
    "weights": {"money": True, "currency": "EUR"},
}
LOADS = {
    "assign, returning visitor": ("/api/v1/assign", "back"),
    "assign, new visitor, durable": ("/api/v1/assign", "new"),
    "event, single, durable": ("/api/v1/events", "event"),
    "events, batches of 100, durable": ("/api/v1/events", "batch"),
}


def free_port() -> int:
    """Return a port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, path: str) -> Iterator[None]:
    """Run a server until the block ends; ready when the path answers."""
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
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
        yield
    finally:
        server.terminate()
        server.wait(20)


def load(port: int, path: str, kind: str, **more: object) -> dict[str, float]:
    """Run the load generator once."""
    command = [sys.executable, HERE / "load.py", "--port", port, "--path", path]
    command += ["--kind", kind]
    for name, value in ({"seconds": SECONDS} | more).items():
        command += [f"--{name}", value]
    done = subprocess.run(
        [str(part) for part in command], check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
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


def main() -> None:
    """Measure and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ABTEST_DATABASE"] = f"{folder}/bench.db"
        abtest("migrate")
        abtest("experiment", "create", "-", stdin=json.dumps(EXPERIMENT))
        abtest("experiment", "start", "home")
        key = abtest("key", "create", "--kind", "pk")["key"]
        ours, bare = free_port(), free_port()
        granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
        granian += ["--workers", "1", "--blocking-threads", "16"]
        flask = [*granian, "--port", str(bare), "bare_flask:app"]
        flask += ["--working-dir", str(HERE)]
        serve = [sys.executable, "-m", "abtest", "serve", "--port", str(ours)]
        with running(serve, ours, "/healthz"), running(flask, bare, "/"):
            measure(ours, bare, key)


def measure(ours: int, bare: int, key: str) -> None:
    """Run all loads in turn, several rounds, and print medians and ratios."""
    rates: dict[str, list[float]] = {name: [] for name in LOADS}
    ratios: dict[str, list[float]] = {name: [] for name in LOADS}
    tails: dict[str, list[float]] = {name: [] for name in LOADS}
    floor: list[float] = []
    errors = 0.0
    offset = 0
    warm = load(ours, "/api/v1/assign", "back", key=key, seconds=12)["requests"]
    print(f"{warm:,.0f} requests before the first round, to expose the visitors")
    for _ in range(ROUNDS):
        ok = load(bare, "/", "none")["per_second"]
        floor.append(ok)
        for name, (path, kind) in LOADS.items():
            offset += 10_000_000
            found = load(ours, path, kind, key=key, offset=offset)
            rates[name].append(found["per_second"])
            ratios[name].append(found["per_second"] / ok)
            tails[name].append(found["p99_ms"])
            errors += found["errors"]
    print(f"bare Flask 'ok': {statistics.median(floor):,.0f} requests/s")
    for name in LOADS:
        print(
            f"{name}: {statistics.median(rates[name]):,.0f} requests/s, "
            f"{statistics.median(ratios[name]):.2f} x bare Flask, "
            f"p99 {statistics.median(tails[name]):.1f} ms"
        )
    print(f"answers other than 200: {errors:.0f}")


if __name__ == "__main__":
    main()
