"""The results page at 10 thousand, 100 thousand and 1 million visitors.

It must not grow with visitors: bar <= 1.5 times from the smallest to the largest. The
whole page is measured, as `abtest serve` makes it: the report is written in another
process unless it is kept from before.
"""

import math
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from werkzeug.test import Client

from abtest.app import create_service, create_serving_context
from abtest.config import read_settings
from abtest.domain.access import Role
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
from abtest.services.access import COMMAND_LINE, add_user, sign_in
from abtest.store.migrate import migrate
from abtest.web.pages.guard import COOKIE

SIZES = (10_000, 100_000, 1_000_000)
DAYS = 42
NOW = datetime(2026, 6, 1, tzinfo=UTC)
START = NOW - timedelta(days=DAYS + 31)
BUY = StepKey("purchase")
KEY = ExperimentKey("home")
ROUNDS = 15
PICTURE = Path(__file__).parents[1] / "docs" / "results-growth.svg"


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


def traffic(
    visitors: int, *, key: ExperimentKey = KEY, number: int = 0
) -> list[list[Event]]:
    """Return batches: 5 % buy, a quarter of them again within the window.

    Args:
        visitors: of both variants together.
        key: the experiment they come to; other visitors for each.
        number: of the last event of others; ids go on from there.
    """
    chance = random.Random(7)
    start = to_milliseconds(START)
    events: list[Event] = []

    def next_id(at: int) -> EventId:
        nonlocal number
        number += 1
        return EventId(at.to_bytes(6, "big") + number.to_bytes(10, "big"))

    for i in range(visitors):
        at = start + int(i / visitors * DAYS * 86_400_000)
        visitor = VisitorId(f"{key}-{i}")
        events.append(
            Exposure(
                id=next_id(at),
                at=Milliseconds(at),
                visitor=visitor,
                experiment=key,
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


class Measured(NamedTuple):
    """Milliseconds of the results page, medians of all rounds.

    Attributes:
        cold: its report is written for it, in the other process.
        warm: its report is kept from before.
    """

    visitors: int
    cold: float
    warm: float


class Shop:
    """A service with its own database, its own traffic and somebody who reads."""

    def __init__(self, folder: Path, visitors: int) -> None:
        self.visitors = visitors
        path = folder / f"{visitors}.db"
        migrate(path)
        self.context = create_serving_context(
            read_settings({"ABTEST_DATABASE": str(path), "ABTEST_DURABILITY": "normal"})
        )
        self._password = secrets.token_hex()
        self._client = Client(create_service(self.context))
        self.cold: list[float] = []
        self.warm: list[float] = []

    def fill(self) -> None:
        """Record the traffic."""
        store = self.context.store
        store.add_experiment(experiment())
        batches = traffic(self.visitors)
        begin = time.perf_counter()
        for batch in batches:
            store.record(batch, received_at=NOW)
        taken = time.perf_counter() - begin
        events = sum(map(len, batches))
        add_user(
            store,
            "anna",
            password=self._password,
            role=Role.ADMIN,
            caller=COMMAND_LINE,
            now=NOW,
        )
        print(f"{self.visitors:>9,} visitors: recorded {events / taken:,.0f} events/s")

    def read(self, number: int) -> None:
        """Read the page twice on a day of its own: another report is due then."""
        day = NOW + timedelta(days=number)
        self.context.now = lambda: day
        store = self.context.store
        session = sign_in(store, "anna", password=self._password, now=day)
        self._client.set_cookie(COOKIE, session)
        self.cold.append(self._ask())
        self.warm.append(self._ask())

    def _ask(self) -> float:
        begin = time.perf_counter()
        answer = self._client.get(f"/experiments/{KEY}")
        assert answer.status_code == 200, answer.text  # noqa: S101 - a benchmark
        return 1000 * (time.perf_counter() - begin)

    def measured(self) -> Measured:
        """Return the medians; the first round started the process."""
        cold, warm = self.cold[1:], self.warm[1:]
        print(
            f"{self.visitors:>9,} visitors: page with a new report"
            f" {statistics.median(cold):.0f} ms (fastest {min(cold):.0f}; the very"
            f" first {self.cold[0]:.0f}), with a kept report"
            f" {statistics.median(warm):.0f} ms (fastest {min(warm):.0f})"
        )
        return Measured(self.visitors, statistics.median(cold), statistics.median(warm))


def picture(measured: Sequence[Measured]) -> str:
    """Draw the times over visitors, both on scales of powers of ten."""
    left, top, width, height = 70.0, 40.0, 480.0, 240.0

    def x(visitors: float) -> float:
        return left + width * (math.log10(visitors) - 4) / 2

    def y(milliseconds: float) -> float:
        return top + height * (1 - math.log10(max(1, milliseconds)) / 3)

    def words(at: tuple[float, float], text: str, anchor: str = "middle") -> str:
        place = f'x="{at[0]:.0f}" y="{at[1]:.0f}" text-anchor="{anchor}"'
        return f'<text {place} fill="#333">{text}</text>'

    parts = [words((left, 20), "Results page, milliseconds (powers of ten)", "start")]
    for tick in (1, 10, 100, 1000):
        parts.append(f'<path d="M{left:.0f} {y(tick):.0f}h{width:.0f}" stroke="#ccc"/>')
        parts.append(words((left - 8, y(tick) + 4), f"{tick:,}", "end"))
    for line in measured:
        at = (x(line.visitors), top + height + 22)
        parts.append(words(at, f"{line.visitors:,}"))
    parts.append(words((left + width / 2, top + height + 44), "visitors"))
    for name, colour, values in (
        ("report written for the page", "#b45309", [m.cold for m in measured]),
        ("report kept", "#1d6fd1", [m.warm for m in measured]),
    ):
        points = [(x(m.visitors), y(v)) for m, v in zip(measured, values, strict=True)]
        corners = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        parts.append(f'<polyline points="{corners}" fill="none" stroke="{colour}"/>')
        for (a, b), value in zip(points, values, strict=True):
            parts.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="{colour}"/>')
            parts.append(words((a, b - 10), f"{value:.0f} ms"))
        parts.append(words((points[1][0], points[1][1] + 22), name))
    inside = "\n".join(parts)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 340" role="img" '
        'aria-label="Time of the results page by number of visitors" '
        'font-family="sans-serif" font-size="13">\n'
        f'<rect width="600" height="340" fill="#fff"/>\n{inside}\n</svg>\n'
    )


def main() -> None:
    """Measure, print the table and draw the picture."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        shops = [Shop(Path(folder), visitors) for visitors in SIZES]
        for shop in shops:
            stack.callback(shop.context.close)
            shop.fill()
        # In turns: a machine that is busy for a while is so for all sizes.
        for number in range(ROUNDS + 1):
            for shop in shops:
                shop.read(number)
        measured = [shop.measured() for shop in shops]
    first, last = measured[0], measured[-1]
    print(f"growth with a new report: {last.cold / first.cold:.2f} x (bar 1.5)")
    print(f"growth with a kept report: {last.warm / first.warm:.2f} x (bar 1.5)")
    PICTURE.write_text(picture(measured))


if __name__ == "__main__":
    main()
