"""A difference day by day with its range, what changed meanwhile, and the visitors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from abtest.web.render.charts.axis import Axis, Tick, axis_around
from abtest.web.render.charts.svg import chart, element, percent, text

_HEAD, _PLOT, _GAP, _BARS, _FOOT = 20, 200, 8, 36, 24
_GRID = 1000
"""Side of the square in which lines are drawn before it is stretched to the plot."""
_SATURDAY = 5
_SETTLED = 0.7
"""The first ranges are huge: this share of the days, the last, sets the height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPoint:
    """The difference as it was known at the end of a day; an open end is None."""

    day: date
    effect: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayMark:
    """A day on which something happened, and the short label at its line."""

    day: date
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTime:
    """What the chart shows.

    Attributes:
        days: of the x axis, the first and the last.
        points: in order; none while nothing is known.
        visitors: new ones of each day, all variants together.
        early_words: stands where nothing is known yet.
    """

    days: tuple[date, date]
    points: tuple[DayPoint, ...]
    visitors: tuple[tuple[date, int], ...]
    marks: tuple[DayMark, ...]
    value_ticks: tuple[Tick, ...]
    day_ticks: tuple[tuple[date, str], ...]
    early_words: str
    series: int


def draw_over_time(
    key: str, shown: OverTime, *, title: str, description: str
) -> Markup:
    """Draw the difference over the days, above bars of new visitors."""
    days, value = _day_axis(shown), value_axis(shown.points)
    bottom = _HEAD + _PLOT + _GAP + _BARS
    drawing = [
        _weekends(shown.days),
        *_gridlines(value, shown.value_ticks),
        _plot(shown, days, value),
        *_early(shown, days),
        *_marks(shown.marks, days),
        _visitors(shown, days),
        *_day_labels(shown.day_ticks, days, y=bottom + 17),
    ]
    return chart(
        key,
        title=title,
        description=description,
        height=bottom + _FOOT,
        drawing=drawing,
    )


def value_axis(points: Sequence[DayPoint]) -> Axis:
    """Return the axis of the difference; early ranges may run out of it."""
    settled = points[-max(1, round(_SETTLED * len(points))) :] if points else ()
    ends = [e for p in settled for e in (p.lower, p.effect, p.upper) if e is not None]
    return axis_around(ends or [0.0])


def _day_axis(shown: OverTime) -> Axis:
    first, last = shown.days
    return Axis(low=first.toordinal(), high=last.toordinal() + 1)


def _x(days: Axis, day: date) -> float:
    """Return the place of the end of a day."""
    return days.place(day.toordinal() + 1)


def _y(value: Axis, number: float) -> float:
    return _HEAD + _PLOT * (1 - value.place(number))


def _weekends(days: tuple[date, date]) -> Markup:
    """Shade Saturdays and Sundays."""
    first, last = (day.toordinal() for day in days)
    width = _GRID / (last + 1 - first)
    shapes = "".join(
        f"M{width * (day - first):.1f} 0h{width:.1f}v{_GRID}h-{width:.1f}z"
        for day in range(first, last + 1)
        if date.fromordinal(day).weekday() >= _SATURDAY
    )
    return _stretched(
        [element("path", d=shapes, class_="weekend")], y=_HEAD, height=_PLOT
    )


def _gridlines(value: Axis, ticks: tuple[Tick, ...]) -> list[Markup]:
    drawn = []
    for tick in ticks:
        y = _y(value, tick.value)
        kind = "zero" if tick.value == 0 else "grid"
        drawn.append(element("line", x1=0, x2="100%", y1=y, y2=y, class_=kind))
        drawn.append(text(tick.words, x=0, y=y - 4))
    return drawn


def _plot(shown: OverTime, days: Axis, value: Axis) -> Markup:
    """Draw the band and the line in it."""
    points = shown.points

    def path(numbers: Iterable[tuple[date, float]]) -> str:
        return " ".join(
            f"{_GRID * _x(days, day):.1f},{_GRID * (1 - value.place(number)):.1f}"
            for day, number in numbers
        )

    upper = [(p.day, value.high if p.upper is None else p.upper) for p in points]
    lower = [(p.day, value.low if p.lower is None else p.lower) for p in points]
    band = path([*upper, *reversed(lower)])
    return _stretched(
        [
            element("polygon", points=band, class_=f"band series-{shown.series}"),
            element(
                "polyline",
                points=path((p.day, p.effect) for p in points),
                class_=f"curve line-{shown.series}",
            ),
        ],
        y=_HEAD,
        height=_PLOT,
    )


def _early(shown: OverTime, days: Axis) -> list[Markup]:
    """Say that nothing is known before the first point, where there is room."""
    end = _x(days, shown.points[0].day) if shown.points else 1.0
    if end < 0.3:
        return []
    return [
        text(
            shown.early_words,
            x=end / 2,
            y=_HEAD + _PLOT / 2 - 10,
            anchor="middle",
        )
    ]


def _marks(marks: tuple[DayMark, ...], days: Axis) -> list[Markup]:
    drawn = []
    for mark in marks:
        place = days.place(mark.day.toordinal() + 0.5)
        x = percent(place)
        bottom = _HEAD + _PLOT
        drawn.append(element("line", x1=x, x2=x, y1=_HEAD, y2=bottom, class_="changed"))
        anchor = "start" if place < 0.03 else "end" if place > 0.97 else "middle"
        drawn.append(text(mark.label, x=place, y=13, anchor=anchor))
    return drawn


def _visitors(shown: OverTime, days: Axis) -> Markup:
    largest = max((n for _, n in shown.visitors), default=0) or 1
    width = _GRID / (days.high - days.low)
    bars = "".join(
        f"M{_GRID * days.place(day.toordinal()):.1f} {_GRID}"
        f"v-{_GRID * number / largest:.0f}h{width * 0.8:.1f}"
        f"v{_GRID * number / largest:.0f}z"
        for day, number in shown.visitors
        if number
    )
    return _stretched(
        [element("path", d=bars, class_="visitors")],
        y=_HEAD + _PLOT + _GAP,
        height=_BARS,
    )


def _day_labels(
    ticks: tuple[tuple[date, str], ...], days: Axis, *, y: float
) -> list[Markup]:
    drawn = []
    for day, words in ticks:
        place = days.place(day.toordinal() + 0.5)
        anchor = "start" if place < 0.08 else "end" if place > 0.92 else "middle"
        drawn.append(text(words, x=place, y=y, anchor=anchor))
    return drawn


def _stretched(drawing: Iterable[Markup], *, y: float, height: float) -> Markup:
    return element(
        "svg",
        drawing,
        y=y,
        viewBox=f"0 0 {_GRID} {_GRID}",
        preserveAspectRatio="none",
        width="100%",
        height=height,
    )
