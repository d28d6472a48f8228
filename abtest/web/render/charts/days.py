"""How many came on each day: a bar a day, and the days on which nobody came."""

from dataclasses import dataclass

from markupsafe import Markup

from abtest.web.render.charts.svg import chart, element, percent, text

_HEIGHT, _HEAD, _FOOT = 96, 20, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBars:
    """Counts of successive days.

    Attributes:
        first, last: the first and the last day as they are printed.
        most: the largest count as it is printed.
    """

    counts: tuple[int, ...]
    first: str
    last: str
    most: str


def draw_days(key: str, days: DayBars, *, title: str, description: str) -> Markup:
    """Draw the bars from left to right; a day without anybody gets a mark below."""
    largest = max(days.counts, default=0) or 1
    step = 1 / max(1, len(days.counts))
    floor = _HEAD + _HEIGHT
    drawing = [
        element("g", [text(days.most, x=0, y=12)], class_="soft"),
        text(days.first, x=0, y=floor + _FOOT - 2),
        text(days.last, x=1, y=floor + _FOOT - 2, anchor="end"),
    ]
    for place, count in enumerate(days.counts):
        height = _HEIGHT * count / largest if count else 4.0
        drawing.append(
            element(
                "rect",
                x=percent(place * step),
                y=floor - height,
                width=percent(step * 0.8),
                height=height,
                class_="day-bar" if count else "no-day",
            )
        )
    line = element("line", x1="0%", x2="100%", y1=floor, y2=floor, class_="grid")
    return chart(
        key,
        title=title,
        description=description,
        height=floor + _FOOT + 2,
        drawing=[*drawing, line],
    )
