"""A key figure of several variants with its ranges, on one axis."""

from dataclasses import dataclass

from markupsafe import Markup

from abtest.stats.results import Interval
from abtest.web.render.charts.axis import Axis, Tick
from abtest.web.render.charts.ranges import (
    FOOT,
    ROW,
    draw_range,
    draw_rule,
    name_ticks,
)
from abtest.web.render.charts.svg import SERIES, chart, element, text

_HEAD = 22
_AIR = 0.12
_EDGE = 0.12


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalRow:
    """One variant.

    Attributes:
        words: estimate and range as they are printed.
        estimate: None when there is no number to draw.
        interval: an end without a limit runs out of the picture.
    """

    label: str
    words: str
    estimate: float | None = None
    interval: Interval | None = None


def draw_intervals(
    key: str,
    rows: tuple[IntervalRow, ...],
    ticks: tuple[Tick, ...],
    *,
    marker: Tick | None = None,
    title: str,
    description: str,
) -> Markup:
    """Draw one row for each variant, control first.

    Args:
        key: unique on the page.
        rows: control first.
        ticks: of `interval_axis`.
        marker: a known number to compare with, drawn across all rows.
        title: of the chart.
        description: the same in words.
    """
    axis = interval_axis(rows, marker)
    top = _HEAD if marker is not None else 0
    height = top + ROW * len(rows) + FOOT
    drawing = name_ticks(axis, ticks, height=height, edge=_EDGE)
    for number, row in enumerate(rows):
        y = top + number * ROW
        drawing += [draw_rule(axis.place(tick.value), y=y) for tick in ticks]
        drawing += draw_range(
            row.label,
            row.words,
            value=row.estimate,
            interval=row.interval,
            axis=axis,
            y=y,
            line=f"line-{number % SERIES}",
        )
    if marker is not None:
        drawing += _marker(marker, axis, top=top, rows=len(rows))
    return chart(
        key, title=title, description=description, height=height, drawing=drawing
    )


def interval_axis(rows: tuple[IntervalRow, ...], marker: Tick | None = None) -> Axis:
    """Return the axis that all rows share: as tight as the ranges allow."""
    values = [] if marker is None else [marker.value]
    for row in rows:
        if row.estimate is not None:
            values.append(row.estimate)
            if row.interval is not None:
                ends = (row.interval.lower, row.interval.upper)
                values += [end for end in ends if end is not None]
    low, high = min(values, default=0.0), max(values, default=0.0)
    air = (high - low) * _AIR or abs(high) * _AIR or 1.0
    return Axis(low=low - air, high=high + air)


def _marker(marker: Tick, axis: Axis, *, top: int, rows: int) -> list[Markup]:
    """Draw the pieces of the marker's line that belong to the rows."""
    place = axis.place(marker.value)
    anchor = "end" if place > 0.5 else "start"
    words = text(marker.words, x=place, y=13, anchor=anchor)
    return [
        element("g", [words], class_="chosen-words"),
        *(
            draw_rule(place, y=top + number * ROW, kind="chosen")
            for number in range(rows)
        ),
    ]
