"""Fills a database with the events of many visitors, quickly."""

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from abtest.domain.events import Conversion, Event, EventId, Exposure, Milliseconds
from abtest.domain.experiment import ExperimentKey, VariantKey, VisitorId
from abtest.domain.funnel import StepKey
from abtest.domain.visitor import to_milliseconds
from abtest.store.sqlite import open_store

HOME = ExperimentKey("home")
STEPS = (StepKey("signup"), StepKey("purchase"))
BATCH = 20_000
DAYS = 60


def fill(
    database: Path,
    *,
    events: int,
    experiments: Sequence[ExperimentKey] = (HOME,),
    per_visitor: int = 5,
) -> None:
    """Store so many events of visitors who came during the last weeks.

    Each visitor is exposed in one experiment, and the other events are conversions.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    with closing(open_store(database, durability="normal")) as store:
        for batch in batches(events, experiments, per_visitor, now=now):
            store.record(batch, received_at=now)


def batches(
    events: int,
    experiments: Sequence[ExperimentKey],
    per_visitor: int,
    *,
    now: datetime,
) -> Iterator[list[Event]]:
    """Yield the same events for the same arguments, in the order of their times."""
    chance = random.Random(21)
    begin = to_milliseconds(now - timedelta(days=DAYS))
    visitors = events // per_visitor
    step = DAYS * 86_400_000 / visitors
    some: list[Event] = []
    for number in range(visitors):
        came = begin + int(number * step)
        visitor = VisitorId(f"filled-{number}")
        experiment = experiments[number % len(experiments)]
        some.append(
            Exposure(
                id=_id(came, number * per_visitor),
                at=Milliseconds(came),
                visitor=visitor,
                experiment=experiment,
                variant=VariantKey(chance.choice("ab")),
                trusted=True,
            )
        )
        first = Conversion(
            id=_id(came, 0),
            at=Milliseconds(came),
            visitor=visitor,
            step=STEPS[0],
            value=None,
            currency=None,
            trusted=True,
        )
        left = to_milliseconds(now) - came
        for more in range(1, per_visitor):
            at = Milliseconds(came + int(chance.random() ** 3 * left))
            some.append(
                replace(
                    first,
                    id=_id(at, number * per_visitor + more),
                    at=at,
                    step=STEPS[more % 2],
                )
            )
        if len(some) >= BATCH:
            yield some
            some = []
    if some:
        yield some


def _id(at: int, number: int) -> EventId:
    return EventId(at.to_bytes(6, "big") + number.to_bytes(10, "big"))
