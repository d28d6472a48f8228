"""The report's time at 10 thousand, 100 thousand and 1 million visitors.

It must not grow with visitors: bar <= 1.5 times from the smallest to the largest.
"""

import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from abtest.domain.allocation import allocate
from abtest.domain.events import Conversion, Event, EventId, Exposure, Milliseconds
from abtest.domain.experiment import (
    Action,
    Experiment,
    ExperimentKey,
    Phase,
    Variant,
    VariantKey,
    VisitorId,
)
from abtest.domain.funnel import (
    ConversionGoal,
    CountWeights,
    FunnelStep,
    Repeat,
    StepKey,
)
from abtest.domain.visitor import to_milliseconds
from abtest.services.analysis import analyze
from abtest.store.migrate import migrate
from abtest.store.sqlite.store import open_store

SIZES = (10_000, 100_000, 1_000_000)
DAYS = 42
NOW = datetime(2026, 6, 1, tzinfo=UTC)
START = NOW - timedelta(days=DAYS + 31)
BUY = StepKey("purchase")
KEY = ExperimentKey("home")


def experiment() -> Experiment:
    """Return a running experiment with a window of 30 days."""
    draft = Experiment(
        key=KEY,
        name="Home",
        variants=tuple(Variant(key=VariantKey(k), name=k) for k in "ab"),
        funnel=(FunnelStep(key=BUY, name="Purchase"),),
        goal=ConversionGoal(first=BUY, second=Repeat(step=BUY)),
        window_days=30,
        weights=CountWeights(first=1, second=3, currency="EUR"),
        salt="benchmark",
        created_at=START,
        phases=(
            Phase(since=START, allocation=allocate([("a", 1), ("b", 1)]), coverage=1),
        ),
    )
    return draft.after(Action.START, START)


def traffic(visitors: int) -> list[list[Event]]:
    """Return batches: 5 % buy, a quarter of them again within the window."""
    chance = random.Random(7)
    start = to_milliseconds(START)
    events: list[Event] = []
    number = 0

    def next_id(at: int) -> EventId:
        nonlocal number
        number += 1
        return EventId(at.to_bytes(6, "big") + number.to_bytes(10, "big"))

    for i in range(visitors):
        at = start + int(i / visitors * DAYS * 86_400_000)
        visitor = VisitorId(f"v{i}")
        events.append(
            Exposure(
                id=next_id(at),
                at=Milliseconds(at),
                visitor=visitor,
                experiment=KEY,
                variant=VariantKey("ab"[i % 2]),
                trusted=True,
            )
        )
        gap = 0.0
        for probability in (0.05, 0.25):
            if chance.random() >= probability:
                break
            gap += chance.expovariate(1 / 8)
            when = at + int(gap * 86_400_000) + 1
            events.append(
                Conversion(
                    id=next_id(when),
                    at=Milliseconds(when),
                    visitor=visitor,
                    step=BUY,
                    value=round(100 * chance.lognormvariate(3.5, 0.8)),
                    currency="EUR",
                    trusted=True,
                )
            )
    return [events[i : i + 10_000] for i in range(0, len(events), 10_000)]


def main() -> None:
    """Measure and print the table."""
    medians = []
    for visitors in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bench.db"
            migrate(path)
            store = open_store(path)
            store.add_experiment(experiment())
            begin = time.perf_counter()
            batches = traffic(visitors)
            made = time.perf_counter()
            for batch in batches:
                store.record(batch, received_at=NOW)
            recorded = time.perf_counter() - made
            times = []
            for _ in range(6):
                begin = time.perf_counter()
                analyze(store, KEY, now=NOW)
                times.append(time.perf_counter() - begin)
            store.close()
            medians.append(statistics.median(times[1:]))
            print(
                f"{visitors:>9,} visitors: report {medians[-1] * 1000:6.1f} ms (first "
                f"{times[0] * 1000:.0f} ms), recorded "
                f"{sum(map(len, batches)) / recorded:,.0f} events/s, "
                f"{path.stat().st_size / sum(map(len, batches)):.0f} bytes/event"
            )
    print(f"growth from smallest to largest: {medians[-1] / medians[0]:.2f} x")


if __name__ == "__main__":
    main()
