"""Relative changes with their ranges on one axis with a bold zero line."""

from dataclasses import dataclass

from markupsafe import Markup

from abtest.stats.results import Interval
from abtest.web.render.charts.axis import Axis, Tick, axis_around
from abtest.web.render.charts.ranges import (
    FOOT,
    ROW,
    UNBOUNDED,
    draw_range,
    draw_rule,
    name_ticks,
)
from abtest.web.render.charts.svg import chart

_EDGE = 0.04
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
    height = ROW * len(rows) + FOOT
    drawing = name_ticks(axis, ticks, height=height, edge=_EDGE)
    for number, row in enumerate(rows):
        y = number * ROW
        drawing += [
            draw_rule(
                axis.place(tick.value), y=y, kind="grid" if tick.value else "zero"
            )
            for tick in ticks
        ]
        drawing += draw_range(
            row.label,
            row.words,
            value=row.effect,
            interval=row.interval or UNBOUNDED,
            axis=axis,
            y=y,
            line=f"line-{series}" if row.is_decisive else "line-0",
        )
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
