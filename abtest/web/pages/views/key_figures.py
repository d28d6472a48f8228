"""Key figures in cells and charts: an estimate, its range, or why there is none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from abtest.stats.results import Interval, KeyFigure, NotEstimable
from abtest.web.render.charts.axis import Tick
from abtest.web.render.charts.intervals import (
    IntervalRow,
    draw_intervals,
    interval_axis,
)
from abtest.web.render.quantities import span
from abtest.web.render.reader import Reader
from abtest.web.render.words import reason_sentence

TICKS = 4

Writer = Callable[[float], str]
"""Writes a number with its unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a table; `gap` says why there is no number."""

    text: str = ""
    span: str = ""
    gap: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure, with a cell for each variant."""

    name: str
    cells: tuple[Cell, ...]


def money(reader: Reader, currency: str | None) -> Writer:
    """Return what writes major units of a currency."""
    if currency is None:
        return lambda amount: reader.format.number(amount, digits=2)
    return lambda amount: reader.format.money(amount, currency)


def share(reader: Reader) -> Writer:
    """Return what writes a share in percent."""
    return reader.format.percent


def figure_cell(
    reader: Reader, figure: KeyFigure | NotEstimable, write: Writer
) -> Cell:
    """Write a figure with its range."""
    if isinstance(figure, NotEstimable):
        return Cell(gap=reason_sentence(figure, reader.tag))
    words = span(reader, figure.interval, write)
    return Cell(text=write(figure.estimate), span=words)


def with_range(cell: Cell) -> str:
    """Write a cell in one line."""
    return cell.gap or (f"{cell.text} ({cell.span})" if cell.span else cell.text)


def common_gap(cells: Sequence[Cell]) -> str:
    """Say why no variant has the figure; empty when one has it."""
    return "" if any(not cell.gap for cell in cells) else cells[0].gap


def figure_chart(
    reader: Reader,
    key: str,
    figures: Sequence[tuple[str, KeyFigure | NotEstimable]],
    write: Writer,
    *,
    title: str,
    marker: Tick | None = None,
) -> Markup:
    """Draw the figure of each variant, given by name, with its range."""
    rows = tuple(
        _row(name, figure, with_range(figure_cell(reader, figure, write)))
        for name, figure in figures
    )
    ticks = tuple(
        Tick(value=v, words=write(v)) for v in interval_axis(rows, marker).ticks(TICKS)
    )
    return draw_intervals(
        key,
        rows,
        ticks,
        marker=marker,
        title=title,
        description="; ".join(f"{row.label}: {row.words}" for row in rows),
    )


def as_share(figure: KeyFigure | NotEstimable) -> KeyFigure | NotEstimable:
    """Return a share without the part of its range that no share can have."""
    if isinstance(figure, NotEstimable):
        return figure
    lower, upper = figure.interval.lower, figure.interval.upper
    return KeyFigure(
        estimate=figure.estimate,
        interval=Interval(
            lower=None if lower is None else max(0.0, lower),
            upper=None if upper is None else min(1.0, upper),
        ),
    )


def scaled(figure: KeyFigure | NotEstimable, unit: float) -> KeyFigure | NotEstimable:
    """Return a figure in other units, as minor and major ones of a currency."""
    if isinstance(figure, NotEstimable):
        return figure
    lower, upper = figure.interval.lower, figure.interval.upper
    return KeyFigure(
        estimate=figure.estimate * unit,
        interval=Interval(
            lower=None if lower is None else lower * unit,
            upper=None if upper is None else upper * unit,
        ),
    )


def _row(name: str, figure: KeyFigure | NotEstimable, words: str) -> IntervalRow:
    if isinstance(figure, NotEstimable):
        return IntervalRow(label=name, words=words)
    return IntervalRow(
        label=name, words=words, estimate=figure.estimate, interval=figure.interval
    )
