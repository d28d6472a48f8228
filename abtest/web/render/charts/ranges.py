"""A number and its range as a row on an axis, with the words for both above it."""

from collections.abc import Iterable

from markupsafe import Markup

from abtest.stats.results import Interval
from abtest.web.render.charts.axis import Axis, Tick
from abtest.web.render.charts.svg import element, percent, text

ROW, LINE, FOOT = 62, 44, 22
"""Pixels: of a row, down to its line, and below the last row for the axis."""

UNBOUNDED = Interval(lower=None, upper=None)


def draw_range(
    label: str,
    words: str,
    *,
    value: float | None,
    interval: Interval | None,
    axis: Axis,
    y: int,
    line: str,
) -> list[Markup]:
    """Draw a row; an end without a limit runs out of the picture.

    Args:
        label: whose number it is.
        words: number and range as they are printed.
        value: None when there is none to draw.
        interval: None for the number alone.
        axis: that all rows share.
        y: the upper edge.
        line: CSS class of the range.
    """
    drawn = [
        element("g", [text(label, x=0, y=y + 14)], class_="stage"),
        text(words, x=0, y=y + 30),
    ]
    if value is None:
        return drawn
    low = high = axis.place(value)
    if interval is not None:
        low = 0.0 if interval.lower is None else axis.place(interval.lower)
        high = 1.0 if interval.upper is None else axis.place(interval.upper)
    return [
        *drawn,
        element(
            "line",
            x1=percent(low),
            x2=percent(high),
            y1=y + LINE,
            y2=y + LINE,
            class_=f"range {line}",
        ),
        element(
            "circle", cx=percent(axis.place(value)), cy=y + LINE, r=5, class_="dot"
        ),
    ]


def draw_rule(place: float, *, y: int, kind: str = "grid") -> Markup:
    """Draw the piece of an upright line that belongs to one row."""
    x, middle = percent(place), y + LINE
    return element("line", x1=x, x2=x, y1=middle - 9, y2=middle + 9, class_=kind)


def name_ticks(
    axis: Axis, ticks: Iterable[Tick], *, height: int, edge: float
) -> list[Markup]:
    """Write the ticks' words under all rows.

    Args:
        axis: that all rows share.
        ticks: all of them.
        height: of the picture.
        edge: share of the width in which no tick is named: its words would be cut.
    """
    return [
        text(tick.words, x=axis.place(tick.value), y=height - 6, anchor="middle")
        for tick in ticks
        if edge < axis.place(tick.value) < 1 - edge
    ]
