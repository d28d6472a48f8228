"""Relative changes with their ranges on one axis with a bold zero line."""

from dataclasses import dataclass

from markupsafe import Markup

from abtest.stats.results import Interval
from abtest.web.render.charts.axis import Axis, Tick, axis_around
from abtest.web.render.charts.svg import chart, element, percent, text

_ROW, _LINE, _FOOT = 62, 44, 22
_WIDEST = 2.0
"""Changes beyond -200 % and +200 % run out of the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """One change.

    Attributes:
        words: estimate and range as they are printed.
        effect: None when there is no number to draw.
        interval: None when it is not bounded: then it fills the width.
        is_decisive: the row that the verdict rests on.
    """

    label: str
    words: str
    effect: float | None
    interval: Interval | None
    is_decisive: bool


def draw_forest(
    key: str,
    rows: tuple[ForestRow, ...],
    ticks: tuple[Tick, ...],
    *,
    series: int,
    title: str,
    description: str,
) -> Markup:
    """Draw one row for each change; the decisive one in the variant's colour."""
    axis = forest_axis(rows)
    height = _ROW * len(rows) + _FOOT
    drawing = [
        text(tick.words, x=axis.place(tick.value), y=height - 6, anchor="middle")
        for tick in ticks
        if 0.04 < axis.place(tick.value) < 0.96
    ]
    for number, row in enumerate(rows):
        drawing += _row(row, axis, ticks, y=number * _ROW, series=series)
    return chart(
        key, title=title, description=description, height=height, drawing=drawing
    )


def forest_axis(rows: tuple[ForestRow, ...]) -> Axis:
    """Return the axis that all rows share."""
    ends = [
        end
        for row in rows
        if row.effect is not None
        for end in (
            row.effect,
            *((row.interval.lower, row.interval.upper) if row.interval else ()),
        )
        if end is not None
    ]
    return axis_around([min(_WIDEST, max(-_WIDEST, end)) for end in ends] or [0.0])


def _row(
    row: ForestRow, axis: Axis, ticks: tuple[Tick, ...], *, y: int, series: int
) -> list[Markup]:
    drawn = [
        element("g", [text(row.label, x=0, y=y + 14)], class_="stage"),
        text(row.words, x=0, y=y + 30),
        *(_rule(axis, tick, y=y + _LINE) for tick in ticks),
    ]
    if row.effect is None:
        return drawn
    low, high = 0.0, 1.0
    if row.interval is not None:
        lower, upper = row.interval.lower, row.interval.upper
        low = 0.0 if lower is None else axis.place(lower)
        high = 1.0 if upper is None else axis.place(upper)
    drawn.append(
        element(
            "line",
            x1=percent(low),
            x2=percent(high),
            y1=y + _LINE,
            y2=y + _LINE,
            class_=f"range line-{series}" if row.is_decisive else "range line-0",
        )
    )
    dot = percent(axis.place(row.effect))
    drawn.append(element("circle", cx=dot, cy=y + _LINE, r=5, class_="dot"))
    return drawn


def _rule(axis: Axis, tick: Tick, *, y: int) -> Markup:
    """Draw the piece of a tick's line that belongs to one row."""
    x = percent(axis.place(tick.value))
    kind = "zero" if tick.value == 0 else "grid"
    return element("line", x1=x, x2=x, y1=y - 9, y2=y + 9, class_=kind)
