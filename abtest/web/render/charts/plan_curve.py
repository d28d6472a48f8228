"""How small a difference can be found after how many days."""

from dataclasses import dataclass

from markupsafe import Markup

from abtest.web.render.charts.axis import Axis, Tick
from abtest.web.render.charts.svg import chart, element, percent, text

_PLOT, _HEIGHT = 180, 208
_GRID = 1000
"""Side of the square in which the line is drawn before it is stretched to the plot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCurve:
    """What the chart shows.

    Attributes:
        points: (complete days of data, smallest relative change found by then).
        days, effects: the axes; what lies above the upper end is left out.
        target: the change that is looked for.
        target_words: label at its line.
        decide_after: days after which it is found, if it is.
    """

    points: tuple[tuple[int, float], ...]
    days: Axis
    effects: Axis
    day_ticks: tuple[Tick, ...]
    effect_ticks: tuple[Tick, ...]
    target: float
    target_words: str
    decide_after: int | None


def draw_plan_curve(
    key: str, curve: PlanCurve, *, title: str, description: str
) -> Markup:
    """Draw the smallest change found over the days, and where it meets the wish."""
    drawing = [
        *_gridlines(curve),
        _line(curve),
        *_target(curve),
        *_day_labels(curve),
    ]
    return chart(
        key, title=title, description=description, height=_HEIGHT, drawing=drawing
    )


def _y(curve: PlanCurve, effect: float) -> float:
    return _PLOT * (1 - curve.effects.place(effect))


def _gridlines(curve: PlanCurve) -> list[Markup]:
    drawn = []
    for tick in curve.effect_ticks:
        y = _y(curve, tick.value)
        drawn.append(element("line", x1=0, x2="100%", y1=y, y2=y, class_="grid"))
        drawn.append(text(tick.words, x=0, y=y - 4))
    return drawn


def _line(curve: PlanCurve) -> Markup:
    seen = [(d, e) for d, e in curve.points if e <= curve.effects.high]
    path = " ".join(
        f"{_GRID * curve.days.place(day):.1f},"
        f"{_GRID * (1 - curve.effects.place(effect)):.1f}"
        for day, effect in seen
    )
    return element(
        "svg",
        [element("polyline", points=path, class_="curve line-1")],
        viewBox=f"0 0 {_GRID} {_GRID}",
        preserveAspectRatio="none",
        width="100%",
        height=_PLOT,
    )


def _target(curve: PlanCurve) -> list[Markup]:
    y = _y(curve, curve.target)
    words = element(
        "g",
        [text(curve.target_words, x=1, y=y - 6, anchor="end")],
        class_="chosen-words",
    )
    line = element("line", x1=0, x2="100%", y1=y, y2=y, class_="chosen")
    if curve.decide_after is None:
        return [line, words]
    x = percent(curve.days.place(curve.decide_after))
    upright = element("line", x1=x, x2=x, y1=y, y2=_PLOT, class_="chosen")
    return [line, upright, element("circle", cx=x, cy=y, r=5, class_="dot"), words]


def _day_labels(curve: PlanCurve) -> list[Markup]:
    drawn = []
    for tick in curve.day_ticks:
        place = curve.days.place(tick.value)
        anchor = "start" if place < 0.05 else "end" if place > 0.95 else "middle"
        drawn.append(text(tick.words, x=place, y=_PLOT + 20, anchor=anchor))
    return drawn
