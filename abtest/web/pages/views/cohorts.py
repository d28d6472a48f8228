"""Second conversions by the week of the first visit: who came back, and how soon."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from abtest.web.render.format import decimals
from abtest.web.render.reader import Reader

if TYPE_CHECKING:
    from abtest.services.cohorts import CohortReport, CohortWeek, VariantCohorts

MOST_WEEKS = 12
"""Rows of a table: the newest weeks."""

MOST_LAGS = 9
"""Columns of a table; more weeks are shown every second, every third."""

_SHADES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class LagCell:
    """The share of a week's visitors; `shade` 0 to 5 is how it is coloured."""

    text: str
    shade: int
    is_growing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekRow:
    """The visitors of one week; missing cells are still to come."""

    monday: str
    visitors: str
    cells: tuple[LagCell | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantTable:
    """One variant."""

    name: str
    rows: tuple[WeekRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortView:
    """All variants; `columns` are weeks since the first visit."""

    columns: tuple[str, ...]
    tables: tuple[VariantTable, ...]
    is_cut: bool


def cohort_view(reader: Reader, found: "CohortReport") -> CohortView | None:
    """Describe the cohorts; None before the first visitor."""
    weeks = [week for variant in found.variants for week in variant.weeks]
    lags = max((len(week.lags) for week in weeks), default=0)
    if not lags:
        return None
    step = -(-lags // MOST_LAGS)
    columns = tuple(range(lags - 1, -1, -step))[::-1]
    shares = [
        week.lags[c].share for week in weeks for c in columns if c < len(week.lags)
    ]
    largest = max(shares, default=0.0) or 1.0
    digits = min(1, max(0, decimals([100 * largest])))
    kept = sorted({week.monday for week in weeks})[-MOST_WEEKS:]
    return CohortView(
        columns=tuple(reader.format.integer(c + 1) for c in columns),
        tables=tuple(
            VariantTable(
                name=_name(variant),
                rows=tuple(
                    _row(reader, week, columns, largest=largest, digits=digits)
                    for week in variant.weeks
                    if week.monday in kept
                ),
            )
            for variant in found.variants
        ),
        is_cut=len({week.monday for week in weeks}) > MOST_WEEKS,
    )


def _name(variant: "VariantCohorts") -> str:
    return variant.name or str(variant.variant)


def _row(
    reader: Reader,
    week: "CohortWeek",
    columns: tuple[int, ...],
    *,
    largest: float,
    digits: int,
) -> WeekRow:
    def cell(column: int) -> LagCell | None:
        if column >= len(week.lags):
            return None
        lag = week.lags[column]
        return LagCell(
            text=reader.format.number(100 * lag.share, digits=digits),
            shade=min(_SHADES - 1, int(_SHADES * lag.share / largest)),
            is_growing=lag.maturity.value == "growing",
        )

    return WeekRow(
        monday=reader.format.short_day(week.monday),
        visitors=reader.format.integer(week.visitors),
        cells=tuple(map(cell, columns)),
    )
