"""Visitors one by one, and every estimator computed from them without any sums."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from abtest.stats.moments import (
    Cell,
    CellKey,
    Moments,
    Pair,
    PairKey,
    StepKey,
)

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    ordinal: int
    lag: int
    count: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    day: int
    entries: tuple[Entry, ...] = ()
    steps: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One coordinate of what is estimated."""

    ordinal: int
    money: bool
    window: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    visitors: int
    means: Matrix
    covariance: Matrix


def to_moments(visitors: Sequence[Visitor]) -> Moments:
    cohorts: dict[int, int] = defaultdict(int)
    cells: dict[CellKey, list[int]] = defaultdict(lambda: [0, 0, 0])
    pairs: dict[PairKey, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    steps: dict[StepKey, int] = defaultdict(int)
    for visitor in visitors:
        cohorts[visitor.day] += 1
        entries = sorted(visitor.entries, key=lambda e: (e.ordinal, e.lag))
        for i, a in enumerate(entries):
            cell = cells[CellKey(visitor.day, a.lag, a.ordinal)]
            cell[0] += a.count
            cell[1] += a.amount
            cell[2] += a.amount**2
            for b in entries[i + 1 :]:
                key = PairKey(visitor.day, a.ordinal, a.lag, b.ordinal, b.lag)
                pair = pairs[key]
                pair[0] += a.count * b.count
                pair[1] += a.amount * b.amount
                pair[2] += a.count * b.amount
                pair[3] += a.amount * b.count
        for step, lag in visitor.steps:
            steps[StepKey(visitor.day, lag, step)] += 1
    return Moments(
        cohorts=dict(cohorts),
        cells={k: Cell(*sums) for k, sums in cells.items() if any(sums)},
        pairs={k: Pair(*sums) for k, sums in pairs.items() if any(sums)},
        steps=dict(steps),
    )


def brought(visitors: Sequence[Visitor], wanted: Wanted, as_of: int) -> Matrix:
    """Visitors x lags: what each brought at each lag, as far as it was seen."""
    table = np.zeros((len(visitors), wanted.window + 1))
    for i, visitor in enumerate(visitors):
        for e in visitor.entries:
            seen = visitor.day + e.lag <= as_of and e.lag <= wanted.window
            if e.ordinal == wanted.ordinal and seen:
                table[i, e.lag] += e.amount if wanted.money else e.count
    return table


def reached(visitors: Sequence[Visitor], step: str, window: int, as_of: int) -> Matrix:
    table = np.zeros((len(visitors), window + 1))
    for i, visitor in enumerate(visitors):
        for name, lag in visitor.steps:
            if name == step and lag <= window and visitor.day + lag <= as_of:
                table[i, lag] = 1
    return table


def pooled_from(tables: Sequence[Matrix], days: Sequence[int], as_of: int) -> Reference:
    """Influence functions of the lag sums, visitor by visitor."""
    follow_up = as_of - np.array(days)
    n = len(days)
    means = []
    influence = np.zeros((n, len(tables)))
    for k, table in enumerate(tables):
        mean = 0.0
        for lag in range(table.shape[1]):
            at_risk = follow_up >= lag
            followed = at_risk.sum()
            level = table[at_risk, lag].mean()
            mean += level
            influence[at_risk, k] += n / followed * (table[at_risk, lag] - level)
        means.append(mean)
    covariance = influence.T @ influence / n / (n - 1)
    return Reference(visitors=n, means=np.array(means), covariance=covariance)


def pooled(
    visitors: Sequence[Visitor], wanted: Sequence[Wanted], as_of: int
) -> Reference:
    seen = [v for v in visitors if v.day <= as_of]
    tables = [brought(seen, w, as_of) for w in wanted]
    return pooled_from(tables, [v.day for v in seen], as_of)


def mature(
    visitors: Sequence[Visitor], wanted: Sequence[Wanted], as_of: int
) -> Reference:
    """Plain means and the sample covariance of whoever was followed to the end."""
    last = as_of - max(w.window for w in wanted)
    seen = [v for v in visitors if v.day <= last]
    table = np.column_stack([brought(seen, w, as_of).sum(axis=1) for w in wanted])
    covariance = np.atleast_2d(np.cov(table, rowvar=False, ddof=1)) / len(seen)
    return Reference(
        visitors=len(seen), means=table.mean(axis=0), covariance=covariance
    )


def stratified(
    arms: Sequence[Sequence[Visitor]], wanted: Sequence[Wanted], as_of: int
) -> list[Reference]:
    """Each day weighs what all arms had on it; a day needs two visitors in each arm."""
    days = sorted(set.intersection(*({v.day for v in arm} for arm in arms)))
    days = [day for day in days if day <= as_of]
    everybody = {d: sum(v.day == d for arm in arms for v in arm) for d in days}
    results = []
    for arm in arms:
        means = np.zeros(len(wanted))
        covariance = np.zeros((len(wanted), len(wanted)))
        total = 0
        for day in days:
            here = [v for v in arm if v.day == day]
            z = np.zeros((len(here), len(wanted)))
            for k, w in enumerate(wanted):
                table = brought(here, w, as_of)
                for lag in range(min(as_of - day, w.window) + 1):
                    at_risk = sum(n for d, n in everybody.items() if as_of - d >= lag)
                    share = everybody[day] / at_risk
                    z[:, k] += share / len(here) * table[:, lag]
            means += z.sum(axis=0)
            centred = z - z.mean(axis=0)
            covariance += centred.T @ centred * len(here) / (len(here) - 1)
            total += len(here)
        results.append(Reference(visitors=total, means=means, covariance=covariance))
    return results


def traffic(
    seed: int,
    *,
    visitors: int,
    days: int,
    first_rate: float = 0.3,
    repeat: float = 0.5,
) -> list[Visitor]:
    """Traffic with delays, repeat purchases, refunds and steps."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(visitors):
        entries: list[Entry] = []
        steps: list[tuple[str, int]] = []
        if rng.random() < 2 * first_rate:
            steps.append(("signup", int(rng.integers(0, 4))))
        if rng.random() < first_rate:
            lag = int(rng.geometric(0.5)) - 1
            entries += _order(rng, 1, lag)
            if rng.random() < repeat:
                entries += _order(rng, 2, lag + int(rng.geometric(0.2)) - 1)
        day = int(rng.integers(0, days))
        made.append(Visitor(day=day, entries=tuple(entries), steps=tuple(steps)))
    return made


def _order(rng: np.random.Generator, ordinal: int, lag: int) -> list[Entry]:
    amount = int(np.exp(rng.normal(8, 1)))
    entries = [Entry(ordinal=ordinal, lag=lag, count=1, amount=amount)]
    if rng.random() < 0.2:
        back = -math.ceil(amount * rng.random())
        later = lag + int(rng.integers(1, 6))
        entries.append(Entry(ordinal=ordinal, lag=later, count=0, amount=back))
    return entries


@st.composite
def visitor(draw: st.DrawFn, *, days: int = 6, lags: int = 6) -> Visitor:
    entries: list[Entry] = []
    lag = 0
    for ordinal in range(1, draw(st.integers(0, 2)) + 1):
        lag = draw(st.integers(lag, lags))
        amount = draw(st.integers(0, 10_000))
        entries.append(Entry(ordinal=ordinal, lag=lag, count=1, amount=amount))
        if draw(st.booleans()):
            later = draw(st.integers(lag + 1, lags + 1))
            back = -draw(st.integers(1, amount + 1))
            entries.append(Entry(ordinal=ordinal, lag=later, count=0, amount=back))
    steps = draw(st.lists(st.sampled_from(["a", "b"]), unique=True))
    return Visitor(
        day=draw(st.integers(0, days - 1)),
        entries=tuple(entries),
        steps=tuple((step, draw(st.integers(0, lags))) for step in steps),
    )


crowds = st.lists(visitor(), min_size=2, max_size=25)
