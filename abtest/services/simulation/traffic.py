"""Draws visitors of a scenario, and turns the same draw into events or into sums."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from abtest.domain.events import Conversion, Event, EventId, Exposure, Milliseconds
from abtest.domain.experiment import Experiment, VisitorId
from abtest.domain.visitor import date_to_day, to_milliseconds
from abtest.services.simulation.scenarios import Arm, Scenario
from abtest.stats.moments import (
    Cell,
    CellKey,
    Moments,
    Pair,
    PairKey,
    StepKey,
)

Whole = NDArray[np.int64]
_DAY = 86_400_000
_SAME_DAY = 0.7
"""Share of first conversions on the exposure day; the rest within two weeks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One variant's visitors; lags are -1 where there was no conversion.

    Attributes:
        day: exposure day, 0 for the first day of the experiment.
        first_lag, second_lag: days after the exposure.
        first_amount, second_amount: minor units.
    """

    day: Whole
    first_lag: Whole
    second_lag: Whole
    first_amount: Whole
    second_amount: Whole


def draw(scenario: Scenario, arm: Arm, rng: np.random.Generator) -> Draw:
    """Draw the visitors of one variant.

    The gap before a second conversion is exponential, cut so that it always lies in
    the window: however slow, the share within the window is what the scenario says.
    """
    day = np.repeat(np.arange(scenario.exposure_days), scenario.visitors(arm))
    n = day.size
    buys = rng.random(n) < scenario.first_rates(arm)[day]
    late = np.minimum(rng.geometric(0.25, n), 14)
    first_lag = np.where(rng.random(n) < _SAME_DAY, 0, late)
    again = buys & (rng.random(n) < scenario.repeat_rate * arm.repeat)
    room = scenario.window_days + 1 - first_lag
    within = -np.expm1(-room / arm.delay)
    gap = np.floor(-arm.delay * np.log1p(-rng.random(n) * within)).astype(np.int64)
    gap = np.minimum(gap, room - 1)
    return Draw(
        day=day,
        first_lag=np.where(buys, first_lag, -1),
        second_lag=np.where(again, first_lag + gap, -1),
        first_amount=np.where(buys, _amounts(scenario, n, rng), 0),
        second_amount=np.where(again, _amounts(scenario, n, rng), 0),
    )


def _amounts(scenario: Scenario, n: int, rng: np.random.Generator) -> Whole:
    """Return order values in cents; the same for all where points decide."""
    if not scenario.order_sigma:
        return np.full(n, 2000)
    cents = 100 * rng.lognormal(3.5, scenario.order_sigma, n)
    return np.rint(cents).astype(np.int64)


def to_moments(drawn: Draw, *, first_day: int, step: str) -> Moments:
    """Add up the draw as the store would.

    Args:
        first_day: of the experiment, days since 1970-01-01.
    """
    day = drawn.day + first_day
    cells: dict[CellKey, Cell] = {}
    for ordinal, lag, amount in (
        (1, drawn.first_lag, drawn.first_amount),
        (2, drawn.second_lag, drawn.second_amount),
    ):
        found = lag >= 0
        for (d, one), (count, total, squares) in _summed(
            (day[found], lag[found]), (amount[found], amount[found] ** 2)
        ):
            cells[CellKey(d, one, ordinal)] = Cell(count, total, squares)
    both = drawn.second_lag >= 0
    first, second = drawn.first_amount[both], drawn.second_amount[both]
    pairs = {
        PairKey(d, 1, one, 2, two): Pair(count, *sums)
        for (d, one, two), (count, *sums) in _summed(
            (day[both], drawn.first_lag[both], drawn.second_lag[both]),
            (first * second, second, first),
        )
    }
    return Moments(
        cohorts={
            int(d): int(n)
            for d, n in zip(*np.unique(day, return_counts=True), strict=True)
        },
        cells=cells,
        pairs=pairs,
        steps={
            StepKey(key.day, key.lag, step): cell.conversions
            for key, cell in cells.items()
            if key.ordinal == 1
        },
    )


def _summed(
    keys: tuple[Whole, ...], amounts: tuple[Whole, ...]
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield each distinct key with its count and the sums of the amounts."""
    if not keys[0].size:
        return
    table, where = np.unique(np.stack(keys), axis=1, return_inverse=True)
    where = where.reshape(-1)
    size = table.shape[1]
    counts = np.bincount(where, minlength=size)
    sums = []
    for amount in amounts:
        total = np.zeros(size, np.int64)
        np.add.at(total, where, amount)
        sums.append(total)
    for i in range(size):
        yield (
            tuple(int(k) for k in table[:, i]),
            (int(counts[i]), *(int(s[i]) for s in sums)),
        )


def to_events(
    drawn: Draw, experiment: Experiment, *, variant: int, start: datetime
) -> Iterator[Event]:
    """Yield the draw as events: exposure at nine, purchases at ten and eleven.

    Args:
        variant: position of the variant in the experiment.
        start: midnight of the first day.
    """
    key = experiment.variants[variant].key
    step = experiment.goal.first
    midnight = to_milliseconds(start)
    for i in range(drawn.day.size):
        visitor = VisitorId(f"{key}{i}")
        exposed = midnight + int(drawn.day[i]) * _DAY + 9 * 3_600_000
        yield Exposure(
            id=_id(variant, i, 0),
            at=Milliseconds(exposed),
            visitor=visitor,
            experiment=experiment.key,
            variant=key,
            trusted=True,
        )
        for ordinal, lag, amount in (
            (1, drawn.first_lag[i], drawn.first_amount[i]),
            (2, drawn.second_lag[i], drawn.second_amount[i]),
        ):
            if lag >= 0:
                yield Conversion(
                    id=_id(variant, i, ordinal),
                    at=Milliseconds(exposed + int(lag) * _DAY + ordinal * 3_600_000),
                    visitor=visitor,
                    step=step,
                    value=int(amount),
                    currency=experiment.currency,
                    trusted=True,
                )


def _id(variant: int, visitor: int, ordinal: int) -> EventId:
    return EventId(bytes([variant, ordinal]) + visitor.to_bytes(14, "big"))


def day_number(start: datetime) -> int:
    """Return the first day as days since 1970-01-01."""
    return date_to_day(start.date())


def last_day(scenario: Scenario, start: datetime) -> datetime:
    """Return a moment at which everybody has been followed for the window."""
    return start + timedelta(days=scenario.exposure_days + scenario.window_days + 1)
