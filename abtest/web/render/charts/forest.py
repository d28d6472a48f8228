"""Relative changes with their ranges on one axis with a bold zero line."""

from dataclasses import dataclass

from markupsafe import Markup

from abtest.stats.results import Interval
from abtest.web.render.charts.axis import Axis, axis_around
from abtest.web.render.charts.svg import chart, element, percent, text

_ROW, _FOOT = 46, 22
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
    *,
    title: str,
    description: str,
    tick_words: tuple[tuple[float, str], ...],
) -> Markup:
    """Draw one row for each change.

    Args:
        tick_words: numbers on the axis and how they are written; those that do not
            lie on it are left out.
    """
    axis = forest_axis(rows)
    height = _ROW * len(rows) + _FOOT
    drawing: list[Markup] = []
    for value, words in tick_words:
        place = axis.place(value)
        kind = "zero" if value == 0 else "grid"
        drawing.append(_rule(place, height - _FOOT, kind))
        if 0.04 < place < 0.96:
            drawing.append(text(words, x=place, y=height - 6, anchor="middle"))
    for number, row in enumerate(rows):
        drawing += _row(row, axis, y=number * _ROW)
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


def _row(row: ForestRow, axis: Axis, *, y: int) -> list[Markup]:
    drawn = [
        text(row.label, x=0, y=y + 16),
        text(row.words, x=1, y=y + 16, anchor="end"),
    ]
    if row.effect is None:
        return drawn
    low, high = 0.0, 1.0
    if row.interval is not None:
        lower, upper = row.interval.lower, row.interval.upper
        low = 0.0 if lower is None else axis.place(lower)
        high = 1.0 if upper is None else axis.place(upper)
    kind = "range decisive" if row.is_decisive else "range"
    drawn.append(
        element(
            "line",
            x1=percent(low),
            x2=percent(high),
            y1=y + 31,
            y2=y + 31,
            class_=kind,
        )
    )
    dot = percent(axis.place(row.effect))
    drawn.append(element("circle", cx=dot, cy=y + 31, r=5, class_="dot"))
    return drawn


def _rule(place: float, height: float, kind: str) -> Markup:
    x = percent(place)
    return element("line", x1=x, x2=x, y1=0, y2=height, class_=kind)
