"""The funnel of all traffic: who reached each step, and who was lost before it."""

from dataclasses import dataclass
from textwrap import wrap

from markupsafe import Markup

from abtest.web.render.charts.svg import bar, chart, element, text

_ROW, _BAR, _GAP = 42, 16, 14
_LINE = 36
"""Letters that fit on a telephone in a line."""

_THINNEST = 0.004
"""Share of the width that a step keeps which somebody reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficStep:
    """One step.

    Attributes:
        words: count and shares, as they are printed.
        share: of all visitors, 0 to 1; `before` is that of the step before.
    """

    name: str
    words: str
    share: float
    before: float


def draw_steps(
    key: str, steps: tuple[TrafficStep, ...], *, title: str, description: str
) -> Markup:
    """Draw the steps from top to bottom; behind each bar pale the one before it."""
    drawing: list[Markup] = []
    y = 0
    for step in steps:
        for line in wrap(step.name, _LINE):
            y += 18
            drawing.append(element("g", [text(line, x=0, y=y)], class_="stage"))
        drawing.append(text(step.words, x=0, y=y + 18))
        lost = bar(key, 0, y=y + 26, width=step.before, height=_BAR)
        width = max(step.share, _THINNEST) if step.share else 0.0
        drawing += [
            element("g", [lost], class_="lost"),
            bar(key, 1, y=y + 26, width=width, height=_BAR),
        ]
        y += _ROW + _GAP
    return chart(key, title=title, description=description, height=y, drawing=drawing)
