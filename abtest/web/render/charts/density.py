"""How probable which difference is: a bell, the side below zero told apart."""

import math
from dataclasses import dataclass

from markupsafe import Markup

from abtest.web.render.charts.axis import Axis, Tick
from abtest.web.render.charts.svg import chart, element, percent, text

_HEAD, _PLOT, _FOOT = 22, 130, 24
_WIDTH, _STEPS = 1000, 120
_REACH = 3.6
"""Standard deviations on either side of the mean; beyond is next to nothing."""

_ROOM = 0.4
"""Share of the width that the word for a side needs on a telephone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bell:
    """A normal distribution of a difference.

    Attributes:
        below_words, above_words: who is better on either side of zero.
        series: colour of the side above zero.
    """

    mean: float
    deviation: float
    ticks: tuple[Tick, ...]
    below_words: str
    above_words: str
    series: int


def draw_bell(key: str, bell: Bell, *, title: str, description: str) -> Markup:
    """Draw the density; the side below zero is the control's and hatched."""
    axis = bell_axis(bell.mean, bell.deviation)
    zero = axis.place(0.0)
    below, above = _side(bell, axis, above=False), _side(bell, axis, above=True)
    bottom = _HEAD + _PLOT
    drawing = [
        element(
            "svg",
            [
                element("path", d=below, class_="series-0"),
                element("path", d=below, fill=f"url(#{key}-pattern-1)"),
                element("path", d=above, class_=f"series-{bell.series} bell"),
            ],
            y=_HEAD,
            viewBox=f"0 0 {_WIDTH} {_PLOT}",
            preserveAspectRatio="none",
            width="100%",
            height=_PLOT,
        ),
        element("line", x1=0, x2="100%", y1=bottom, y2=bottom, class_="grid"),
        element(
            "line", x1=percent(zero), x2=percent(zero), y1=6, y2=bottom, class_="zero"
        ),
        *_sides(bell, zero),
        *(
            text(tick.words, x=axis.place(tick.value), y=bottom + 17, anchor="middle")
            for tick in bell.ticks
            if 0.06 < axis.place(tick.value) < 0.94
        ),
    ]
    return chart(
        key,
        title=title,
        description=description,
        height=bottom + _FOOT,
        drawing=drawing,
    )


def bell_axis(mean: float, deviation: float) -> Axis:
    """Return an axis that holds the bell, and zero with room for a word beside it."""
    low, high = mean - _REACH * deviation, mean + _REACH * deviation
    room = 0.12 * (max(high, 0.0) - min(low, 0.0))
    return Axis(low=min(low, -room), high=max(high, room))


def _side(bell: Bell, axis: Axis, *, above: bool) -> str:
    """Return the outline of the bell on one side of zero."""
    low, high = (0.0, axis.high) if above else (axis.low, 0.0)
    points = []
    for step in range(_STEPS + 1):
        value = low + (high - low) * step / _STEPS
        height = math.exp(-0.5 * ((value - bell.mean) / bell.deviation) ** 2)
        points.append(
            f"{_WIDTH * axis.place(value):.1f} {_PLOT * (1 - 0.97 * height):.1f}"
        )
    left, right = _WIDTH * axis.place(low), _WIDTH * axis.place(high)
    return f"M{left:.1f} {_PLOT}L{'L'.join(points)}L{right:.1f} {_PLOT}z"


def _sides(bell: Bell, zero: float) -> list[Markup]:
    """Say what the sides mean, each where there is room for it."""
    drawn = []
    if zero >= _ROOM:
        drawn.append(text(bell.below_words, x=zero - 0.015, y=14, anchor="end"))
    if zero <= 1 - _ROOM:
        drawn.append(text(bell.above_words, x=zero + 0.015, y=14))
    return drawn
