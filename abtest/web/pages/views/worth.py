"""The worth of the second conversion: where the winner flips."""

from dataclasses import dataclass

from markupsafe import Markup, escape

from abtest.domain.funnel import CountWeights, MoneyWeights
from abtest.services.comparison_report import Comparison
from abtest.services.report import ExperimentReport
from abtest.stats.results import (
    Band,
    BreakEvenKind,
    BreakEvenWeight,
    Interval,
    NotEstimable,
    Winner,
)
from abtest.web.pages.views.figures import Figure, rich
from abtest.web.render.charts.axis import Tick
from abtest.web.render.charts.svg import SERIES
from abtest.web.render.charts.value_curve import (
    ValueCurve,
    curve_axes,
    draw_value_curve,
)
from abtest.web.render.format import decimals
from abtest.web.render.quantities import level, value_of
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark
from abtest.web.render.words import control_name, reason_sentence, variant_name


@dataclass(frozen=True, slots=True, kw_only=True)
class WorthForm:
    """The form that tries out another worth.

    Attributes:
        value: of the number field and the slider, as HTML wants it.
        largest: right end of the slider.
        is_exploratory: the worth shown is not the one declared before the start.
    """

    value: str
    largest: str
    is_exploratory: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BandLine:
    """Who wins over a stretch of worths, and the colour that the chart gives it."""

    words: Markup
    fill: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorthView:
    """One comparison over all worths.

    Attributes:
        tie: at which worth both variants tie, with its range.
        bands: who wins where.
        points: the curve as a table: worth, difference, range.
    """

    title: str
    tie: Markup
    bands: tuple[BandLine, ...]
    chart: Markup | None
    points: tuple[tuple[Figure, Figure, Figure], ...]
    unit: str


_FILLS = {Winner.CONTROL: "series-0", Winner.UNDECIDED: "undecided"}


def second_weight(report: ExperimentReport) -> float:
    """Return the worth of the second conversion that the report was made with."""
    match report.weights:
        case CountWeights(second=second) | MoneyWeights(second_margin=second):
            return second


def worth_form(report: ExperimentReport) -> WorthForm:
    """Describe the form."""
    chosen = second_weight(report)
    ranges = [c.curve[-1].weight for c in report.comparisons if c.curve]
    return WorthForm(
        value=f"{chosen:g}",
        largest=f"{max([chosen, *ranges]):g}",
        is_exploratory=report.weights_are_exploratory,
    )


def worth_view(reader: Reader, report: ExperimentReport, index: int) -> WorthView:
    """Describe the worth of the second conversion in comparison number `index`."""
    comparison = report.comparisons[index]
    quantity, tie = value_of(reader, report), comparison.break_even_weight
    names = {
        "variant": variant_name(reader, report, comparison.variant),
        "control": control_name(reader, report),
    }
    return WorthView(
        title=reader.gettext("{variant} against {control}", **names),
        tie=(
            escape(reason_sentence(tie, reader.tag))
            if isinstance(tie, NotEstimable)
            else _tie(reader, report, tie, f"comparisons.{index}")
        ),
        bands=tuple(
            BandLine(
                words=_band(reader, band, f"comparisons.{index}.bands.{number}", names),
                fill=_FILLS.get(band.winner, f"series-{(index + 1) % SERIES}"),
            )
            for number, band in enumerate(comparison.bands)
        ),
        chart=_chart(reader, report, index),
        points=_points(reader, report, index),
        unit=" ".join(word for word in (quantity.unit, quantity.per) if word),
    )


_TIES = {
    BreakEvenKind.INTERVAL: mark(
        "Both tie at a worth of about {estimate} ({level}% range {lower} to {upper})."
    ),
    BreakEvenKind.RAYS: mark(
        "Both may tie at any worth up to {lower}, and at any from {upper} upwards; only"
        " between the two is the winner clear."
    ),
    BreakEvenKind.ALL: mark(
        "The data do not bound where both tie: at every worth either variant may be"
        " ahead."
    ),
    BreakEvenKind.NONE: mark(
        "There is no worth at which both tie: the same variant is ahead at every worth."
    ),
}
_FROM = mark(
    "Both may tie at any worth from {upper} upwards (best guess {estimate}); the data"
    " set no upper limit."
)
_NEGATIVE = mark(
    "Both would tie at a worth below zero alone, about {estimate} ({level}% range"
    " {lower} to {upper}): at every real worth the same variant is ahead."
)
_UP_TO = mark(
    "Both may tie at any worth up to {lower} (best guess {estimate}); the data set no"
    " lower limit."
)


def _tie(
    reader: Reader, report: ExperimentReport, found: BreakEvenWeight, path: str
) -> Markup:
    """Say where both variants tie; the sentence depends on the shape of the range."""
    digits = 2 if decimals([found.estimate]) > 1 else 1

    def number(value: float | None, name: str) -> Figure:
        text = "" if value is None else reader.format.number(value, digits=digits)
        return Figure(text, f"{path}.break_even_weight.{name}", value)

    message = _TIES[found.kind]
    if found.kind is BreakEvenKind.INTERVAL and (found.upper or 0.0) < 0:
        message = _NEGATIVE
    elif found.kind is BreakEvenKind.RAYS and found.lower is None:
        message = _FROM
    elif found.kind is BreakEvenKind.RAYS and found.upper is None:
        message = _UP_TO
    return rich(
        reader,
        message,
        estimate=number(found.estimate, "estimate"),
        lower=number(found.lower, "lower"),
        upper=number(found.upper, "upper"),
        level=level(reader, report),
    )


def _band(reader: Reader, band: Band, path: str, names: dict[str, str]) -> Markup:
    def number(value: float, name: str) -> Figure:
        return Figure(
            reader.format.plain(round(value, 2)),
            f"{path}.{name}",
            value,
        )

    limits = {
        "lower": number(band.lower, "lower"),
        "upper": number(band.upper, "upper"),
    }
    match band.winner:
        case Winner.CONTROL:
            message = mark("Worth {lower} to {upper}: {control} wins.")
        case Winner.TREATMENT:
            message = mark("Worth {lower} to {upper}: {variant} wins.")
        case Winner.UNDECIDED:
            message = mark("Worth {lower} to {upper}: it is open who wins.")
    return rich(reader, message, **limits, **names)


def _chart(reader: Reader, report: ExperimentReport, index: int) -> Markup | None:
    comparison = report.comparisons[index]
    if not comparison.curve:
        return None
    worth, value = curve_axes(comparison.curve)
    quantity = value_of(reader, report)
    ticks = value.ticks()
    places = max(0, quantity.digits(*ticks) - 1)
    chosen = second_weight(report)
    found = comparison.break_even_weight
    return draw_value_curve(
        f"worth-{index}",
        ValueCurve(
            points=comparison.curve,
            bands=comparison.bands,
            break_even=None if isinstance(found, NotEstimable) else found,
            chosen=chosen,
            chosen_words=reader.gettext(
                "set: {worth}", worth=reader.format.plain(chosen)
            ),
            worth_ticks=tuple(
                Tick(value=w, words=reader.format.plain(w)) for w in worth.ticks(6)
            ),
            value_ticks=tuple(
                Tick(value=v, words=quantity.text(v, digits=places, signed=True))
                for v in ticks
            ),
            series=(index + 1) % SERIES,
        ),
        title=reader.gettext(
            "Difference in value, {variant} against {control}, over the worth of a"
            " second conversion",
            variant=variant_name(reader, report, comparison.variant),
            control=control_name(reader, report),
        ),
        description=_description(reader, report, comparison),
    )


def _description(
    reader: Reader, report: ExperimentReport, comparison: Comparison
) -> str:
    quantity = value_of(reader, report)
    first, last = comparison.curve[0], comparison.curve[-1]
    digits = quantity.digits(first.effect, last.effect)
    return reader.gettext(
        "From {start} at a worth of {low} to {end} at a worth of {high}, {unit}.",
        start=quantity.text(first.effect, digits=digits, signed=True),
        low=reader.format.plain(first.weight),
        end=quantity.text(last.effect, digits=digits, signed=True),
        high=reader.format.plain(last.weight),
        unit=" ".join(word for word in (quantity.unit, quantity.per) if word),
    )


def _points(
    reader: Reader, report: ExperimentReport, index: int
) -> tuple[tuple[Figure, Figure, Figure], ...]:
    """Choose about ten points for the table."""
    curve = report.comparisons[index].curve
    quantity = value_of(reader, report)
    digits = quantity.digits(*(v for p in curve for v in (p.lower, p.upper)))
    step = max(1, (len(curve) - 1) // 10)
    path = f"comparisons.{index}.curve"
    return tuple(
        (
            Figure(
                reader.format.plain(point.weight), f"{path}.{i}.weight", point.weight
            ),
            Figure(
                quantity.text(point.effect, digits=digits, signed=True),
                f"{path}.{i}.effect",
                point.effect,
            ),
            Figure(
                quantity.span(
                    Interval(lower=point.lower, upper=point.upper), digits=digits
                ),
                f"{path}.{i}.interval",
                (point.lower, point.upper),
            ),
        )
        for i, point in enumerate(curve)
        if i % step == 0
    )
