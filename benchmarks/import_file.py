"""Rows a second of `abtest import`, beside `executemany` into one bare table.

Run: python benchmarks/import_file.py [ROWS] [ROUNDS]

The file is a log in order of time: a fifth of its rows are first exposures, the others
are steps of the funnel, purchases with amounts and order numbers, identities and
refunds of the same visitors during the weeks after. The bare table has the columns of
the file and a unique id of 16 bytes. Its rows are ready in memory, and it is filled in
transactions of the same size: the limit of SQLite and of the disk. Each import runs in
a process of its own. The rounds are interleaved; only ratios within one run mean
something. Processor time is told too, because a busy machine spoils the other.
"""

import csv
import json
import os
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from abtest.domain.events import Milliseconds
from abtest.services.imports.identity import EventNames
from abtest.services.imports.storing import BATCH

ROWS = 1_000_000
START = 1_756_684_800  # 2025-09-01
DAY = 86_400
SPAN = 90
HEADER = ("at", "visitor", "customer", "what", "variant", "amount", "order")
EXPERIMENT = {
    "key": "shop",
    "variants": [{"key": "a"}, {"key": "b"}],
    "funnel": [{"key": "product"}, {"key": "cart"}, {"key": "purchase"}],
    "first_conversion": {"step": "purchase"},
    "second_conversion": {"step": "purchase", "ordinal": 2},
    "window_days": 60,
    "weights": {"first": 1, "second": 1, "currency": "EUR"},
}
MAPPING = (
    *("--map", "at=at", "--map", "visitor=visitor", "--map", "customer=customer"),
    *("--map", "type=what", "--map", "variant=variant", "--map", "value=amount"),
    *("--map", "order=order"),
)
WHAT = ("product", "cart", "purchase", "identify", "refund")
SHARES = (60, 25, 12, 2, 1)
"""Of the rows that are no exposures, in percent."""


class Cost(NamedTuple):
    """Seconds that passed, seconds of processor time, and most memory in MB."""

    seconds: float
    cpu: float
    memory: float = 0.0


def main(rows: int, rounds: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        path = Path(folder)
        log = path / "log.csv"
        _write(log, rows)
        size = log.stat().st_size / 1e6
        print(f"{rows:,} rows, {size:.0f} MB, transactions of {BATCH:,} rows")
        told = list(_rows(log))
        found: dict[str, list[Cost]] = {}
        for number in range(rounds):
            found.setdefault("bare table", []).append(
                _bare(path / f"bare{number}.db", told)
            )
            program = _program(path / f"abtest{number}.db", path)
            for what, options in (
                ("parse and check", ("--dry-run",)),
                ("import", ()),
                ("the same again", ()),
            ):
                found.setdefault(what, []).append(_import(program, log, options))
            for file in path.glob(f"*{number}.db*"):
                file.unlink()
        _show(found, rows)


def _show(found: dict[str, list[Cost]], rows: int) -> None:
    print(f"{'stage':<16} {'rows/s':>9} {'of bare':>8} {'CPU us/row':>11} {'MB':>5}")
    medians = {
        what: Cost(*map(statistics.median, zip(*costs, strict=True)))
        for what, costs in found.items()
    }
    bare, whole = medians["bare table"], medians["import"]
    parsing = medians["parse and check"]
    medians["store alone"] = Cost(
        whole.seconds - parsing.seconds, whole.cpu - parsing.cpu
    )
    for what, cost in medians.items():
        speed, ratio = rows / cost.seconds, bare.seconds / cost.seconds
        per_row = 1e6 * cost.cpu / rows
        print(
            f"{what:<16} {speed:>9,.0f} {ratio:>8.2f} {per_row:>11.1f}"
            f" {cost.memory:>5.0f}"
        )


def _write(path: Path, rows: int) -> None:
    chance = random.Random(4)  # the same file each time
    visitors = [
        (START + chance.randrange(SPAN // 2 * DAY), f"{chance.getrandbits(64):016x}")
        for _ in range(rows // 5)
    ]
    found: list[tuple[int, str, str, str, str, str, str]] = []
    orders: list[tuple[int, str]] = []
    for number, (at, visitor) in enumerate(visitors):
        found.append((at, visitor, "", "exposure", "ab"[number % 2], "", ""))
    for number, what in enumerate(chance.choices(WHAT, SHARES, k=rows - len(found))):
        # Some visitors do very much, most do little.
        place = int(len(visitors) * chance.random() ** 1.5)
        at, visitor = visitors[place]
        later = at + int(chance.expovariate(1 / (8 * DAY))) % (SPAN // 2 * DAY)
        row = (later, visitor, "", f"conversion:{what}", "", "", "")
        if what == "identify":
            row = (later, visitor, f"c{place}", "identify", "", "", "")
        elif what == "purchase":
            orders.append((later, f"A-{number}"))
            amount = f"{chance.lognormvariate(4, 1):.2f}"
            row = (*row[:5], amount, orders[-1][1])
        elif what == "refund" and orders:
            bought, order = chance.choice(orders)
            row = (bought + DAY, "", "", "refund", "", "", order)
        found.append(row)
    found.sort()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for at, *rest in found:
            told = datetime.fromtimestamp(at, UTC)
            writer.writerow((f"{told:%Y-%m-%dT%H:%M:%SZ}", *rest))


def _rows(path: Path) -> Iterator[tuple[str | int | bytes, ...]]:
    """Give the rows as the bare table takes them."""
    names = EventNames()
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        for number, (at, *rest) in enumerate(reader):
            moment = Milliseconds(int(datetime.fromisoformat(at).timestamp()) * 1000)
            yield (names.single(moment, *rest, str(number)), moment, *rest)


def _bare(path: Path, rows: list[tuple[str | int | bytes, ...]]) -> Cost:
    """Fill the bare table by `executemany`."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE event (id BLOB NOT NULL UNIQUE, at INTEGER, visitor TEXT,"
        " customer TEXT, what TEXT, variant TEXT, amount TEXT, order_number TEXT)"
    )
    began, cpu = time.perf_counter(), time.process_time()
    for first in range(0, len(rows), BATCH):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows[first : first + BATCH],
        )
        connection.execute("COMMIT")
    cost = Cost(time.perf_counter() - began, time.process_time() - cpu)
    connection.close()
    return cost


def _program(database: Path, folder: Path) -> dict[str, str]:
    """Make a database with the started experiment; return its environment."""
    environment = os.environ | {"ABTEST_DATABASE": str(database)}
    definition = folder / "shop.json"
    definition.write_text(json.dumps(EXPERIMENT))
    for words in (("create", str(definition)), ("start", "shop")):
        with _abtest(environment, "experiment", *words) as process:
            process.communicate()
    return environment


def _import(environment: dict[str, str], log: Path, options: tuple[str, ...]) -> Cost:
    words = ("import", "shop", str(log), *MAPPING, *options, "--json")
    before, memory = _children(), 0
    with _abtest(environment, *words) as process:
        while process.poll() is None:
            memory = max(memory, _memory(process.pid))
            time.sleep(0.1)
        found = json.load(process.stdout or sys.stdin)
    return Cost(found["seconds"], _children() - before, memory / 1024)


def _memory(process: int) -> int:
    """Return the KiB of memory in use; what its parent used before does not count."""
    try:
        told = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in told.splitlines() if "VmRSS" in line]
    return int(found[0]) if found else 0


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _abtest(environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "abtest", *words]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


if __name__ == "__main__":
    sizes = [int(word) for word in sys.argv[1:]]
    main(*(sizes + [ROWS, 3][len(sizes) :]))
