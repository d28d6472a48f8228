"""Draws visitors of a scenario, and turns the same draw into events or into sums."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from abtest.domain.events import (
    Conversion,
    Event,
    EventId,
    Exposure,
    Milliseconds,
    Refund,
)
from abtest.domain.experiment import Experiment, VisitorId
from abtest.domain.visitor import to_milliseconds
from abtest.services.simulation.scenarios import LOG_MEAN, Arm, Scenario
from abtest.stats.moments import (
    Cell,
    CellKey,
    Moments,
    Pair,
    PairKey,
    StepKey,
)

Whole = NDArray[np.int64]

SAME_DAY = 0.7
"""Share of first conversions on the exposure day; the rest within two weeks."""

_HOUR = 3_600_000
_DAY = 24 * _HOUR


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entries:
    """What happened to the buyers: something at a lag, -1 where it did not happen.

    Attributes:
        ordinal: 1 first conversion or its refund, 2 second conversion.
        amount: minor units; negative for a refund.
    """

    ordinal: int
    is_refund: bool
    lag: Whole
    amount: Whole


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draw:
    """One variant's visitors; all but the buyers are only counted.

    Attributes:
        visitors: by exposure day, 0 for the first day of the experiment.
        day: exposure day of each buyer.
        first, refund, second: what became of them.
        lost: whether the second conversion cannot be joined to the visitor.
    """

    visitors: Whole
    day: Whole
    first: Entries
    refund: Entries
    second: Entries
    lost: NDArray[np.bool_]

    def seen(self) -> tuple[Entries, ...]:
        """Return what a program can know, in the order of ordinal and lag."""
        second = Entries(
            ordinal=2,
            is_refund=False,
            lag=np.where(self.lost, -1, self.second.lag),
            amount=self.second.amount,
        )
        return self.first, self.refund, second


def draw_all(scenario: Scenario, rng: np.random.Generator) -> tuple[Draw, ...]:
    """Draw the visitors of every variant, each visitor assigned at random."""
    shares = scenario.shares().T
    split = rng.multinomial(scenario.visitors_per_day, shares)
    return tuple(
        _draw(scenario, arm, visitors, rng)
        for arm, visitors in zip(scenario.arms, split.T, strict=True)
    )


def _draw(
    scenario: Scenario, arm: Arm, visitors: Whole, rng: np.random.Generator
) -> Draw:
    """Draw the buyers among the visitors.

    The gap before a second conversion is exponential, cut so that it always lies in
    the window: however slow, the share within the window is what the scenario says.
    """
    window = scenario.window_days
    buyers = rng.binomial(visitors, scenario.first_rates(arm))
    day = np.repeat(np.arange(scenario.exposure_days), buyers)
    n = day.size
    late = np.minimum(rng.geometric(0.25, n), 14)
    first_lag = np.where(rng.random(n) < SAME_DAY, 0, late)
    again = rng.random(n) < scenario.repeat_rate * arm.repeat
    room = window + 1 - first_lag
    within = -np.expm1(-room / arm.delay)
    gap = np.floor(-arm.delay * np.log1p(-rng.random(n) * within)).astype(np.int64)
    second_lag = first_lag + np.minimum(gap, room - 1)
    first_amount = _amounts(scenario, n, rng)
    back = rng.random(n) < arm.refunds
    refund_lag = np.minimum(first_lag + rng.geometric(0.1, n), window)
    return Draw(
        visitors=visitors,
        day=day,
        first=Entries(ordinal=1, is_refund=False, lag=first_lag, amount=first_amount),
        refund=Entries(
            ordinal=1,
            is_refund=True,
            lag=np.where(back, refund_lag, -1),
            amount=-first_amount,
        ),
        second=Entries(
            ordinal=2,
            is_refund=False,
            lag=np.where(again, second_lag, -1),
            amount=_amounts(scenario, n, rng),
        ),
        lost=rng.random(n) < arm.lost,
    )


def _amounts(scenario: Scenario, n: int, rng: np.random.Generator) -> Whole:
    """Return order values in cents; the same for all where points decide."""
    if not scenario.order_sigma:
        return np.full(n, 2000)
    cents = np.rint(100 * rng.lognormal(LOG_MEAN, scenario.order_sigma, n))
    return cents.astype(np.int64)


def capped(amount: Whole, scenario: Scenario) -> Whole:
    """Return what orders and refunds count for, in minor units."""
    if scenario.order_cap is None:
        return amount
    cap = round(100 * scenario.order_cap)
    return np.clip(amount, -cap, cap)


def to_moments(
    drawn: Draw, scenario: Scenario, *, first_day: int, step: str
) -> Moments:
    """Add up the draw as the store would.

    Args:
        first_day: of the experiment, days since 1970-01-01.
        step: key of the funnel step at which all conversions happen.
    """
    day = drawn.day + first_day
    entries = [(one, capped(one.amount, scenario)) for one in drawn.seen()]
    cells: dict[CellKey, Cell] = {}
    steps: dict[StepKey, int] = {}
    for one, amount in entries:
        found = one.lag >= 0
        for (d, lag), (count, total, squares) in _summed(
            (day[found], one.lag[found]), (amount[found], amount[found] ** 2)
        ):
            if not one.is_refund and one.ordinal == 1:
                steps[StepKey(d, lag, step)] = count
            key = CellKey(d, lag, one.ordinal)
            known = cells.get(key, Cell(0, 0, 0))
            cells[key] = Cell(
                known.conversions + (0 if one.is_refund else count),
                known.total + total,
                known.squares + squares,
            )
    pairs: dict[PairKey, Pair] = {}
    for (a, amount_a), (b, amount_b) in combinations(entries, 2):
        both = (a.lag >= 0) & (b.lag >= 0)
        for (d, lag_a, lag_b), (count, product, total_b, total_a) in _summed(
            (day[both], a.lag[both], b.lag[both]),
            (amount_a[both] * amount_b[both], amount_b[both], amount_a[both]),
        ):
            key_of_pair = PairKey(d, a.ordinal, lag_a, b.ordinal, lag_b)
            pair = (
                0 if a.is_refund or b.is_refund else count,
                product,
                0 if a.is_refund else total_b,
                0 if b.is_refund else total_a,
            )
            before = pairs.get(key_of_pair, Pair(0, 0, 0, 0))
            pairs[key_of_pair] = Pair(
                *(x + y for x, y in zip(before, pair, strict=True))
            )
    return Moments(
        cohorts={first_day + i: n for i, n in enumerate(drawn.visitors.tolist()) if n},
        cells=cells,
        pairs=pairs,
        steps=steps,
    )


def _summed(
    keys: tuple[Whole, ...], amounts: tuple[Whole, ...]
) -> Iterator[tuple[list[int], list[int]]]:
    """Yield each distinct key with its count and the sums of the amounts."""
    if not keys[0].size:
        return
    # One number for each key: sorting numbers is much quicker than sorting rows.
    shape = tuple(int(key.max()) - int(key.min()) + 1 for key in keys)
    lowest = [int(key.min()) for key in keys]
    flat = np.ravel_multi_index(
        tuple(key - low for key, low in zip(keys, lowest, strict=True)), shape
    )
    found, where = np.unique(flat, return_inverse=True)
    table = np.column_stack(np.unravel_index(found, shape)) + lowest
    sums = np.zeros((found.size, 1 + len(amounts)), np.int64)
    np.add.at(sums, where, np.column_stack([np.ones_like(flat), *amounts]))
    yield from zip(table.tolist(), sums.tolist(), strict=True)


def to_events(
    drawn: Draw, experiment: Experiment, *, variant: int, start: datetime
) -> Iterator[Event]:
    """Yield the draw as events: exposure at nine, purchases at ten and eleven.

    A second conversion that is lost was made by somebody nobody knows.

    Args:
        variant: position of the variant in the experiment.
        start: midnight of the first day.
    """
    key = experiment.variants[variant].key
    midnight = to_milliseconds(start)
    idle = drawn.visitors - np.bincount(drawn.day, minlength=drawn.visitors.size)
    bystanders = np.repeat(np.arange(drawn.visitors.size), idle)
    days = np.concatenate([drawn.day, bystanders]).tolist()
    for i, day in enumerate(days):
        yield Exposure(
            id=_id(variant, i, 0),
            at=Milliseconds(midnight + day * _DAY + 9 * _HOUR),
            visitor=VisitorId(f"{key}{i}"),
            experiment=experiment.key,
            variant=key,
            trusted=True,
        )
    for kind, one in enumerate((drawn.first, drawn.refund, drawn.second), 1):
        for i in np.flatnonzero(one.lag >= 0).tolist():
            day = int(drawn.day[i] + one.lag[i])
            at = Milliseconds(midnight + day * _DAY + (9 + one.ordinal) * _HOUR)
            if one.is_refund:
                yield Refund(
                    id=_id(variant, i, kind),
                    at=at,
                    order=f"{key}{i}-1",
                    value=-int(one.amount[i]),
                    currency=experiment.currency,
                    trusted=True,
                )
                continue
            is_lost = one.ordinal == 2 and bool(drawn.lost[i])
            yield Conversion(
                id=_id(variant, i, kind),
                at=at,
                visitor=VisitorId(f"{'unknown' if is_lost else key}{i}"),
                step=experiment.goal.first,
                value=int(one.amount[i]),
                currency=experiment.currency,
                order=f"{key}{i}-{one.ordinal}",
                trusted=True,
            )


def _id(variant: int, visitor: int, kind: int) -> EventId:
    return EventId(bytes([variant, kind]) + visitor.to_bytes(14, "big"))
