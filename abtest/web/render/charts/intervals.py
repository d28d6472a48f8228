"""A key figure of several variants with its ranges, on one axis."""

from dataclasses import dataclass

from markupsafe import Markup

from abtest.stats.results import Interval
from abtest.web.render.charts.axis import Axis, Tick
from abtest.web.render.charts.svg import SERIES, chart, element, percent, text

_ROW, _LINE, _FOOT, _HEAD = 60, 44, 22, 22
_AIR = 0.12
_EDGE = 0.12
"""Share of the width in which no tick is named: its words would be cut."""


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
    height = top + _ROW * len(rows) + _FOOT
    drawing = [
        text(tick.words, x=axis.place(tick.value), y=height - 4, anchor="middle")
        for tick in ticks
        if _EDGE < axis.place(tick.value) < 1 - _EDGE
    ]
    for number, row in enumerate(rows):
        drawing += _row(row, axis, ticks, y=top + number * _ROW, series=number)
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


def _row(
    row: IntervalRow, axis: Axis, ticks: tuple[Tick, ...], *, y: int, series: int
) -> list[Markup]:
    drawn = [
        element("g", [text(row.label, x=0, y=y + 14)], class_="stage"),
        text(row.words, x=0, y=y + 30),
        *(_rule(axis.place(tick.value), y=y + _LINE) for tick in ticks),
    ]
    if row.estimate is None:
        return drawn
    low = high = axis.place(row.estimate)
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
            class_=f"range line-{series % SERIES}",
        )
    )
    dot = percent(axis.place(row.estimate))
    drawn.append(element("circle", cx=dot, cy=y + _LINE, r=5, class_="dot"))
    return drawn


def _rule(place: float, *, y: int) -> Markup:
    x = percent(place)
    return element("line", x1=x, x2=x, y1=y - 8, y2=y + 8, class_="grid")


def _marker(marker: Tick, axis: Axis, *, top: int, rows: int) -> list[Markup]:
    """Draw the pieces of the marker's line that belong to the rows."""
    place = axis.place(marker.value)
    anchor = "end" if place > 0.5 else "start"
    words = text(marker.words, x=place, y=13, anchor=anchor)
    return [
        element("g", [words], class_="chosen-words"),
        *(
            element(
                "line",
                x1=percent(place),
                x2=percent(place),
                y1=top + number * _ROW + _LINE - 10,
                y2=top + number * _ROW + _LINE + 10,
                class_="chosen",
            )
            for number in range(rows)
        ),
    ]
