"""Who wins at which worth of the second conversion, and by how much."""

from dataclasses import dataclass

from markupsafe import Markup

from abtest.services.comparison_report import CurvePoint
from abtest.stats.results import Band, BreakEvenKind, BreakEvenWeight, Winner
from abtest.web.render.charts.axis import Axis, Tick, axis_around
from abtest.web.render.charts.svg import chart, element, percent, text

_PLOT, _STRIP, _HEIGHT = 200, 14, 252
_GRID = 1000
"""Side of the square in which lines are drawn before it is stretched to the plot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCurve:
    """What the chart shows.

    Attributes:
        chosen: the worth that is set.
        chosen_words: label at the line of the chosen worth.
        series: colour of the variant.
    """

    points: tuple[CurvePoint, ...]
    bands: tuple[Band, ...]
    break_even: BreakEvenWeight | None
    chosen: float
    chosen_words: str
    worth_ticks: tuple[Tick, ...]
    value_ticks: tuple[Tick, ...]
    series: int


def draw_value_curve(
    key: str, curve: ValueCurve, *, title: str, description: str
) -> Markup:
    """Draw the difference in value over the worth, with its band, and who wins."""
    worth, value = curve_axes(curve.points)
    drawing = [
        *_gridlines(value, curve.value_ticks),
        _plot(curve, worth, value),
        *_break_even(curve.break_even, worth, value),
        *_chosen(curve, worth),
        *_strip(key, curve, worth),
        *_worth_labels(worth, curve.worth_ticks),
    ]
    return chart(
        key, title=title, description=description, height=_HEIGHT, drawing=drawing
    )


def curve_axes(points: tuple[CurvePoint, ...]) -> tuple[Axis, Axis]:
    """Return the axis of the worth and the axis of the difference."""
    weights = [p.weight for p in points]
    values = [v for p in points for v in (p.lower, p.upper)]
    return Axis(low=weights[0], high=weights[-1]), axis_around(values)


def _y(value: Axis, number: float) -> float:
    return _PLOT * (1 - value.place(number))


def _gridlines(value: Axis, ticks: tuple[Tick, ...]) -> list[Markup]:
    drawn = []
    for tick in ticks:
        y = _y(value, tick.value)
        kind = "zero" if tick.value == 0 else "grid"
        drawn.append(element("line", x1=0, x2="100%", y1=y, y2=y, class_=kind))
        # At the upper edge there is room below the line alone.
        drawn.append(text(tick.words, x=0, y=y - 4 if y > 15 else y + 14))
    return drawn


def _plot(curve: ValueCurve, worth: Axis, value: Axis) -> Markup:
    def path(numbers: list[tuple[float, float]]) -> str:
        return " ".join(
            f"{_GRID * worth.place(w):.1f},{_GRID * (1 - value.place(v)):.1f}"
            for w, v in numbers
        )

    points = curve.points
    upper = [(p.weight, p.upper) for p in points]
    lower = [(p.weight, p.lower) for p in reversed(points)]
    middle = [(p.weight, p.effect) for p in points]
    return element(
        "svg",
        [
            element(
                "polygon",
                points=path(upper + lower),
                class_=f"band series-{curve.series}",
            ),
            element(
                "polyline", points=path(middle), class_=f"curve line-{curve.series}"
            ),
        ],
        viewBox=f"0 0 {_GRID} {_GRID}",
        preserveAspectRatio="none",
        width="100%",
        height=_PLOT,
    )


def _break_even(
    found: BreakEvenWeight | None, worth: Axis, value: Axis
) -> list[Markup]:
    """Mark the tie on the zero line, with its range where that is one piece."""
    if found is None:
        return []
    y, drawn = _y(value, 0.0), []
    if (
        found.kind is BreakEvenKind.INTERVAL
        and found.lower is not None
        and found.upper is not None
        and found.upper > worth.low
        and found.lower < worth.high
    ):
        low, high = worth.place(found.lower), worth.place(found.upper)
        drawn.append(
            element(
                "line",
                x1=percent(low),
                x2=percent(high),
                y1=y,
                y2=y,
                class_="range line-0",
            )
        )
    if found.estimate is not None and worth.low <= found.estimate <= worth.high:
        x = percent(worth.place(found.estimate))
        drawn.append(element("circle", cx=x, cy=y, r=5, class_="dot"))
    return drawn


def _chosen(curve: ValueCurve, worth: Axis) -> list[Markup]:
    place = worth.place(curve.chosen)
    anchor = "end" if place > 0.5 else "start"
    gap = -0.01 if place > 0.5 else 0.01
    x = percent(place)
    bottom = _PLOT + _STRIP + 6
    line = element("line", x1=x, x2=x, y1=0, y2=bottom, class_="chosen")
    label = text(curve.chosen_words, x=place + gap, y=12, anchor=anchor)
    return [line, element("g", [label], class_="chosen-words")]


def _strip(key: str, curve: ValueCurve, worth: Axis) -> list[Markup]:
    fills = {
        Winner.CONTROL: "series-0",
        Winner.UNDECIDED: "undecided",
        Winner.TREATMENT: f"series-{curve.series}",
    }
    drawn = []
    for band in curve.bands:
        left, right = worth.place(band.lower), worth.place(band.upper)
        shape: dict[str, str | float] = {
            "x": percent(left),
            "y": _PLOT + 6,
            "width": percent(right - left),
            "height": _STRIP,
        }
        drawn.append(element("rect", class_=fills[band.winner], **shape))
        if band.winner is Winner.TREATMENT:
            drawn.append(element("rect", fill=f"url(#{key}-pattern-1)", **shape))
    return drawn


def _worth_labels(worth: Axis, ticks: tuple[Tick, ...]) -> list[Markup]:
    drawn = []
    for tick in ticks:
        place = worth.place(tick.value)
        anchor = "start" if place < 0.05 else "end" if place > 0.95 else "middle"
        drawn.append(text(tick.words, x=place, y=_PLOT + _STRIP + 26, anchor=anchor))
    return drawn
