"""Visitors of the demo's shop who were in no experiment; they leak at the checkout."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from abtest.domain.events import Conversion, Milliseconds
from abtest.domain.experiment import VisitorId
from abtest.domain.funnel import StepKey
from abtest.domain.visitor import to_milliseconds
from abtest.services.demo import shapes
from abtest.services.demo.story import ZONE
from abtest.services.imports.identity import EventNames

DAYS = 33
PER_DAY = 200
"""Of them, on an average day: those who put something into the basket."""

RATES = (("basket", 1.0), ("checkout", 0.65), ("purchase", 0.12))
"""Of those at the step before. In experiments two of five finish the checkout."""

VALUE, CURRENCY = 38.0, "EUR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What passers-by did on one day, and when the last of it had come in."""

    events: tuple[Conversion, ...]
    received_at: datetime


def pass_by(now: datetime, *, seed: int) -> Iterator[Day]:
    """Give the last days, one by one; nothing lies after the present moment.

    Args:
        seed: the same seed and day give the same events.
    """
    rng, zone = np.random.default_rng(seed), ZoneInfo(ZONE)
    today = now.astimezone(zone).date()
    for ago in reversed(range(DAYS)):
        day = today - timedelta(days=ago)
        end = datetime.combine(day, time(23, 59, 59), zone)
        received_at = min(now, end)
        latest = to_milliseconds(received_at)
        events = tuple(e for e in _day(day, zone, rng) if e.at <= latest)
        yield Day(events=events, received_at=received_at)


def _day(day: date, zone: ZoneInfo, rng: np.random.Generator) -> Iterator[Conversion]:
    midnight = to_milliseconds(datetime.combine(day, time(), zone))
    for number in range(shapes.visitors_on(day, PER_DAY, rng)):
        at = Milliseconds(midnight + 1000 * shapes.second_of_day(rng))
        yield from _visit(VisitorId(f"passer-by-{day}-{number}"), at, rng)


def _visit(
    visitor: VisitorId, at: Milliseconds, rng: np.random.Generator
) -> Iterator[Conversion]:
    names = EventNames()
    for step, rate in RATES:
        if rng.random() >= rate:
            return
        at = Milliseconds(at + 1000 * shapes.at_once(rng))
        has_paid = step == "purchase"
        yield Conversion(
            id=names.single(at, "conversion", visitor, step),
            at=at,
            visitor=visitor,
            step=StepKey(step),
            value=shapes.order_value(VALUE, rng) if has_paid else None,
            currency=CURRENCY if has_paid else None,
            order=str(visitor) if has_paid else None,
            trusted=True,
        )
