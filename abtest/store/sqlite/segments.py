"""Sums by an attribute of the visitors' first exposure, made when asked for."""

import heapq
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

import msgspec

from abtest.domain.experiment import VariantKey, VisitorId
from abtest.stats.moments import (
    Cell,
    CellKey,
    CovariateCell,
    CovariateCohort,
    Moments,
    Pair,
    PairKey,
    StepKey,
)
from abtest.store.insight_protocol import MAX_SEGMENTS, OTHER_SEGMENT
from abtest.store.sqlite.connection import query
from abtest.store.sqlite.outcome_rows import from_row
from abtest.store.sqlite.rollup import Sums

K = TypeVar("K")
V = TypeVar("V")

RECENT_VISITORS = 1000
"""Whose attributes are named."""

_Cohorts = dict[tuple[VariantKey, int], int]


def read_segment_moments(
    connection: sqlite3.Connection, experiment: int, attribute: str
) -> Mapping[str, Mapping[VariantKey, Moments]]:
    """Return the sums by value; the caller opens a transaction, so that they agree."""
    asked = (experiment, f'$."{attribute}"')
    cohorts = _largest(connection, asked)
    sums: dict[str, Sums] = defaultdict(Sums)
    for told, visitor, *row in connection.execute(query("segment_outcomes"), asked):
        segment = _name(told)
        outcome = from_row(VisitorId(str(visitor)), tuple(row))
        sums[segment if segment in cohorts else OTHER_SEGMENT].add(0, outcome)
    return {
        segment: _moments(found, sums[segment])
        for segment, found in sorted(cohorts.items())
    }


def read_segment_attributes(
    connection: sqlite3.Connection, experiment: int
) -> tuple[str, ...]:
    """Return names of attributes among the newest visitors."""
    rows = connection.execute(
        query("segment_attributes"), (experiment, RECENT_VISITORS)
    )
    # What the path of `read_segment_moments` cannot name cannot be asked for.
    return tuple(name for (name,) in rows if '"' not in name and "\\" not in name)


def _largest(
    connection: sqlite3.Connection, asked: tuple[int, str]
) -> dict[str, _Cohorts]:
    """Count visitors by value, variant and day; small values are put together."""
    kept: list[tuple[int, int, str, _Cohorts]] = []
    missing: _Cohorts = {}
    others: _Cohorts = {}
    rows = connection.execute(query("segment_cohorts"), asked)
    # Sorted by what JSON writes, so the values come one after the other.
    for place, (told, group) in enumerate(groupby(rows, itemgetter(0))):
        cohorts: _Cohorts = {(v, day): visitors for _, v, day, visitors in group}
        segment = _name(told)
        entry = (sum(cohorts.values()), place, segment, cohorts)
        if not segment:
            _add(missing, cohorts)
        elif len(kept) < MAX_SEGMENTS:
            heapq.heappush(kept, entry)
        else:
            *_, smallest = heapq.heappushpop(kept, entry)
            _add(others, smallest)
    found: dict[str, _Cohorts] = {}
    for *_, segment, cohorts in (
        *kept,
        (0, 0, "", missing),
        (0, 0, OTHER_SEGMENT, others),
    ):
        if cohorts:
            # The text "1" and the number 1 have the same name.
            _add(found.setdefault(segment, {}), cohorts)
    return found


def _add(total: _Cohorts, more: _Cohorts) -> None:
    for key, visitors in more.items():
        total[key] = total.get(key, 0) + visitors


def _name(told: str | None) -> str:
    """Return a text as it is, and other values as JSON writes them."""
    if told is None or told == "null":
        return ""
    return msgspec.json.decode(told, type=str) if told.startswith('"') else told


def _moments(cohorts: _Cohorts, sums: Sums) -> dict[VariantKey, Moments]:
    return {
        variant: Moments(
            cohorts={day: n for (v, day), n in cohorts.items() if v == variant},
            cells=_of(variant, sums.cells, CellKey, Cell),
            pairs=_of(variant, sums.pairs, PairKey, Pair),
            steps={
                StepKey(day, lag, step): n
                for (_, v, day, lag, step), (n,) in sums.steps.items()
                if v == variant
            },
            covariate_cohorts={
                day: CovariateCohort(*values)
                for (_, v, day), values in sums.covariate_cohorts.items()
                if v == variant
            },
            covariate_cells=_of(variant, sums.covariate_cells, CellKey, CovariateCell),
        )
        for variant in dict.fromkeys(v for v, _ in cohorts)
    }


def _of(
    variant: VariantKey,
    sums: Mapping[Any, tuple[int, ...]],
    key: Callable[..., K],
    values: Callable[..., V],
) -> dict[K, V]:
    """Return the sums of a variant; what adds up to nothing is left out."""
    return {
        key(*rest): values(*found)
        for (_, v, *rest), found in sums.items()
        if v == variant and any(found)
    }
