"""Durable events a second into the embedded store, beside a bare table.

Run: python benchmarks/store_write.py [ROUNDS]

The bare table has the columns of a raw event and a unique id, and is filled by one
executemany and one commit for each batch: the limit of SQLite and of the disk. The
rounds are interleaved; only ratios within one run mean something. CPU is that of the
whole process, the making of events left out.
"""

import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
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
from abtest.store.sqlite import SqliteStore, open_store

BOT_EVENTS = 20_000
"""So many a bot has sent before anything is measured."""

REGULARS = 4_000
"""Visitors who bought five times before anything is measured."""

EVENTS_A_ROUND = {1: 300, 10: 1000, 100: 4000, 1000: 8000}
"""By size of batch."""

CALLERS = 64
HOME = ExperimentKey("home")
BUY = StepKey("purchase")
START = 1_760_000_000_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)

Write = Callable[[Sequence[Event]], object]

Speed = tuple[float, float]
"""Events a second, and microseconds of CPU an event."""


class Traffic:
    """Events of ever new visitors, with ids that are UUIDs of version 7."""

    def __init__(self) -> None:
        self._exposed, self._bought, self._strangers = count(), count(), count()
        self._reloads, self._again, self._second = count(), count(), count()

    def exposures(self, n: int) -> list[Exposure]:
        """Return first exposures of new visitors."""
        return [
            Exposure(
                id=_id(),
                at=Milliseconds(START + i),
                visitor=VisitorId(f"visitor-{i:012d}"),
                experiment=HOME,
                variant=VariantKey("ab"[i % 2]),
            )
            for i in (next(self._exposed) for _ in range(n))
        ]

    def conversions(self, n: int) -> list[Conversion]:
        """Return first purchases of exposed visitors."""
        return [_purchase(f"visitor-{next(self._bought):012d}") for _ in range(n)]

    def second(self, n: int) -> list[Conversion]:
        """Return second purchases, of those who bought once."""
        return [
            _purchase(f"visitor-{next(self._second):012d}", after=86_400_000)
            for _ in range(n)
        ]

    def again(self, n: int) -> list[Conversion]:
        """Return further purchases of regular customers, in an order like chance."""
        return [
            _purchase(f"regular-{i * 1009 % REGULARS:012d}", after=i * 1000)
            for i in (next(self._again) for _ in range(n))
        ]

    def strangers(self, n: int) -> list[Conversion]:
        """Return purchases of people who were never exposed."""
        return [_purchase(f"stranger-{next(self._strangers):012d}") for _ in range(n)]

    def bot(self, n: int) -> list[Conversion]:
        """Return further purchases of one and the same exposed visitor."""
        return [_purchase("bot", after=next(self._reloads) * 1000) for _ in range(n)]


def main(rounds: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "abtest.db"
        migrate(path)
        store = open_store(path)
        store.add_experiment(_experiment())
        traffic, bare = Traffic(), _bare_table(Path(folder) / "bare.db")

        def record(batch: Sequence[Event]) -> object:
            return store.record(batch, received_at=NOW)

        (first,) = traffic.exposures(1)
        record([replace(first, visitor=VisitorId("bot"), id=_id())])
        for _ in range(BOT_EVENTS // 1000):
            record(traffic.bot(1000))
        record(
            [
                replace(e, visitor=VisitorId(f"regular-{i:012d}"), id=_id())
                for i, e in enumerate(traffic.exposures(REGULARS))
            ]
        )
        for _ in range(5 * REGULARS // 1000):
            record(traffic.again(1000))
        print(
            f"{'batch':>6} {'what':<36} {'events/s':>9} {'of bare':>8} {'CPU us':>7}"
            f" {'of bare':>8}"
        )
        for size, events in EVENTS_A_ROUND.items():
            speeds: dict[str, list[Speed]] = {}
            for _ in range(rounds):
                for what, write, make in (
                    ("bare table", bare, traffic.strangers),
                    ("exposures of new visitors", record, traffic.exposures),
                    ("first conversions of exposed", record, traffic.conversions),
                    ("second conversions", record, traffic.second),
                    ("further ones of regular customers", record, traffic.again),
                    ("conversions of strangers", record, traffic.strangers),
                    (f"of a bot with {BOT_EVENTS:,} events", record, traffic.bot),
                ):
                    batches = [make(size) for _ in range(events // size)]
                    speeds.setdefault(what, []).append(_speed(write, batches))
            _show(f"{size:>6}", speeds)
        singles = {
            "exposures, one caller": [
                _callers(store, traffic, callers=1) for _ in range(rounds)
            ],
            f"exposures, {CALLERS} callers": [
                _callers(store, traffic, callers=CALLERS) for _ in range(rounds)
            ],
        }
        _show("single", singles)
        store.close()


def _callers(store: SqliteStore, traffic: Traffic, *, callers: int) -> Speed:
    """Measure exposures when each caller waits for its own commit."""
    exposures = traffic.exposures(max(400, callers * 40))

    def expose(exposure: Exposure) -> None:
        store.expose(exposure.visitor, [exposure], received_at=NOW)

    with ThreadPoolExecutor(callers) as pool:
        return _measure(len(exposures), lambda: list(pool.map(expose, exposures)))


def _speed(write: Write, batches: Sequence[Sequence[Event]]) -> Speed:
    def work() -> None:
        for batch in batches:
            write(batch)

    return _measure(sum(map(len, batches)), work)


def _measure(events: int, work: Callable[[], object]) -> Speed:
    begun, used = time.perf_counter(), time.process_time()
    work()
    used = time.process_time() - used
    return events / (time.perf_counter() - begun), 1e6 * used / events


def _show(size: str, speeds: dict[str, list[Speed]]) -> None:
    medians = {
        what: tuple(statistics.median(column) for column in zip(*found, strict=True))
        for what, found in speeds.items()
    }
    bare, bare_cpu = next(iter(medians.values()))
    for what, (speed, cpu) in medians.items():
        print(
            f"{size} {what:<36} {speed:>9,.0f} {speed / bare:>8.2f} {cpu:>7.1f}"
            f" {bare_cpu / cpu:>8.2f}"
        )


def _bare_table(path: Path) -> Write:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE event (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
        " kind INTEGER, at INTEGER, received_at INTEGER, trusted INTEGER,"
        " visitor TEXT, customer TEXT, step TEXT, value INTEGER, currency TEXT,"
        " order_number TEXT) STRICT"
    )

    def write(batch: Sequence[Event]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO event (id, kind, at, received_at, trusted, visitor, customer,"
            " step, value, currency, order_number)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(e.id, 2, e.at, START, e.trusted, e.visitor, e.customer),
                    *(e.step, e.value, e.currency, e.order),
                )
                for e in batch
                if isinstance(e, Conversion)
            ],
        )
        connection.execute("COMMIT")

    return write


def _id() -> EventId:
    now = time.time_ns() // 1_000_000
    return EventId(now.to_bytes(6, "big") + b"\x70" + os.urandom(9))


def _purchase(visitor: str, *, after: int = 0) -> Conversion:
    return Conversion(
        id=_id(),
        at=Milliseconds(START + 86_400_000 + after),
        visitor=VisitorId(visitor),
        step=BUY,
        value=4990,
        currency="EUR",
    )


def _experiment() -> Experiment:
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
        created_at=NOW,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
