"""Durable events a second into the embedded store, beside a bare table.

Run: python benchmarks/store_write.py [ROUNDS]

The bare table has the columns of the raw event and a unique id, and is filled with
one executemany and one commit for each batch; it is the limit of the disk and of
SQLite. Rounds are interleaved: only ratios within one run mean something.
"""

import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from abtest.domain.events import Conversion, Event, EventId, Exposure, Milliseconds
from abtest.domain.experiment import (
    Experiment,
    ExperimentKey,
    Variant,
    VariantKey,
    VisitorId,
)
from abtest.domain.funnel import (
    ConversionGoal,
    FunnelStep,
    MoneyWeights,
    Repeat,
    StepKey,
)
from abtest.store.migrate import migrate
from abtest.store.sqlite.store import open_store

BATCHES = (1, 10, 100, 1000)
EVENTS_A_ROUND = {1: 300, 10: 1000, 100: 4000, 1000: 8000}
HOME = ExperimentKey("home")
BUY = StepKey("purchase")
START = 1_760_000_000_000

_numbers = count()


def event_id() -> EventId:
    """Return a UUID of version 7."""
    now = time.time_ns() // 1_000_000
    return EventId(now.to_bytes(6, "big") + b"\x70" + os.urandom(9))


def exposures(n: int) -> list[Event]:
    """Return first exposures of new visitors."""
    return [
        Exposure(
            id=event_id(),
            at=Milliseconds(START + i),
            visitor=VisitorId(f"visitor-{i:012d}"),
            experiment=HOME,
            variant=VariantKey("ab"[i % 2]),
        )
        for i in (next(_numbers) for _ in range(n))
    ]


def conversions(visitors: Iterator[int], n: int, prefix: str) -> list[Event]:
    """Return purchases of the visitors."""
    return [
        Conversion(
            id=event_id(),
            at=Milliseconds(START + 86_400_000 + i),
            visitor=VisitorId(f"{prefix}-{i:012d}"),
            step=BUY,
            value=4990,
            currency="EUR",
        )
        for i in (next(visitors) for _ in range(n))
    ]


def experiment() -> Experiment:
    """Return an experiment about money."""
    return Experiment(
        key=HOME,
        name="Home",
        variants=(
            Variant(key=VariantKey("a"), name="A"),
            Variant(key=VariantKey("b"), name="B"),
        ),
        funnel=(FunnelStep(key=BUY, name="Purchase"),),
        goal=ConversionGoal(first=BUY, second=Repeat(step=BUY)),
        weights=MoneyWeights(currency="EUR"),
        salt="salt",
        created_at=datetime.now(UTC),
    )


def bare(path: Path) -> Callable[[list[Event]], None]:
    """Return what writes a batch into the bare table."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE event (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
        " kind INTEGER, at INTEGER, received_at INTEGER, trusted INTEGER,"
        " visitor TEXT, customer TEXT, experiment TEXT, variant TEXT, attributes TEXT,"
        " step TEXT, value INTEGER, currency TEXT, order_number TEXT) STRICT"
    )
    places = ", ".join("?" * 14)

    def write(batch: list[Event]) -> None:
        rows = [
            (e.id, 2, e.at, START, e.trusted, e.visitor, None, None, None, None)
            + (e.step, e.value, e.currency, e.order)
            for e in batch
            if isinstance(e, Conversion)
        ]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO event (id, kind, at, received_at, trusted, visitor, customer,"
            " experiment, variant, attributes, step, value, currency, order_number)"
            f" VALUES ({places})",  # noqa: S608 - question marks
            rows,
        )
        connection.execute("COMMIT")

    return write


def speed(write: Callable[[list[Event]], object], batches: list[list[Event]]) -> float:
    """Return events per second."""
    begun = time.perf_counter()
    for batch in batches:
        write(batch)
    return sum(map(len, batches)) / (time.perf_counter() - begun)


def main(rounds: int) -> None:
    """Measure and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "abtest.db"
        migrate(path)
        store = open_store(path)
        store.add_experiment(experiment())
        now = datetime.now(UTC)

        def record(batch: list[Event]) -> object:
            return store.record(batch, received_at=now)

        write_bare = bare(Path(folder) / "bare.db")
        exposed, strangers, bares = count(), count(), count()
        print(f"{'batch':>6} {'what':<34} {'events/s':>9} {'of bare':>8}")
        for size in BATCHES:
            n = EVENTS_A_ROUND[size] // size
            found: dict[str, list[float]] = {}
            for _ in range(rounds):
                for what, write, make in (
                    ("bare table", write_bare, lambda s: conversions(bares, s, "x")),
                    ("exposures of new visitors", record, exposures),
                    (
                        "first conversions of exposed",
                        record,
                        lambda s: conversions(exposed, s, "visitor"),
                    ),
                    (
                        "conversions of strangers",
                        record,
                        lambda s: conversions(strangers, s, "stranger"),
                    ),
                ):
                    batches = [make(size) for _ in range(n)]
                    found.setdefault(what, []).append(speed(write, batches))
            for what, speeds in found.items():
                median = statistics.median(speeds)
                ratio = median / statistics.median(found["bare table"])
                print(f"{size:>6} {what:<34} {median:>9,.0f} {ratio:>8.2f}")
        store.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
