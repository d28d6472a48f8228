"""The difference table: first, second and weighted value, variant against control."""

from dataclasses import dataclass, replace

from markupsafe import Markup

from abtest.domain.experiment import Method
from abtest.services.report import ExperimentReport
from abtest.stats.results import FrequentistResult, NotEstimable, ValueEstimate
from abtest.web.pages.views.figures import Figure, Shown, ends
from abtest.web.pages.views.measures import Compared, Ranges, compared, ranges_today
from abtest.web.render.charts.axis import Tick
from abtest.web.render.charts.forest import ForestRow, draw_forest, forest_axis
from abtest.web.render.charts.svg import SERIES
from abtest.web.render.quantities import NOTHING, level, luck, percent_span, relative
from abtest.web.render.reader import Reader
from abtest.web.render.words import (
    control_name,
    plain_name,
    reason_sentence,
    variant_name,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceRow:
    """One quantity compared.

    Attributes:
        note: what it is, or counted per what.
        gap: why there is no difference to show; empty where there is one.
    """

    name: str
    note: str
    per: str
    control: Shown
    variant: Shown
    effect: Shown = ""
    effect_range: Shown = ""
    relative: Shown = ""
    relative_range: Shown = ""
    luck: Shown = ""
    gap: str = ""
    is_decisive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceView:
    """A variant against the control.

    Attributes:
        level: how sure the ranges are, as the number before the percent sign.
        ranges: what kind of ranges they are.
    """

    title: str
    control: str
    variant: str
    level: str
    rows: tuple[DifferenceRow, ...]
    chart: Markup
    ranges: str


def difference_view(
    reader: Reader, report: ExperimentReport, index: int
) -> DifferenceView:
    """Describe comparison number `index` of the report."""
    comparison = report.comparisons[index]
    found = [
        (one, ranges_today(report, one)) for one in compared(reader, report, index)
    ]
    title = reader.gettext(
        "{variant} against {control}",
        variant=variant_name(reader, report, comparison.variant),
        control=control_name(reader, report),
    )
    return DifferenceView(
        title=title,
        control=plain_name(report, comparison.control),
        variant=plain_name(report, comparison.variant),
        level=level(reader, report),
        rows=tuple(_row(reader, one, ranges) for one, ranges in found),
        chart=_chart(reader, found, index=index, title=title),
        ranges=_ranges_sentence(reader, report),
    )


def _row(reader: Reader, one: Compared, ranges: Ranges | None) -> DifferenceRow:
    control, variant = _rates(reader, one)
    row = DifferenceRow(
        name=one.name,
        note=one.note,
        per=one.quantity.per,
        control=control,
        variant=variant,
        is_decisive=one.is_decisive,
    )
    result = one.test.frequentist
    if isinstance(result, NotEstimable):
        return replace(row, gap=reason_sentence(result, reader.tag))
    if ranges is None:
        return row
    interval, change = ranges.interval, result.relative_effect
    digits = one.quantity.digits(result.effect, interval.lower, interval.upper)
    path = f"{one.path}.frequentist"
    return replace(
        row,
        effect=Figure(
            one.quantity.text(result.effect, digits=digits, signed=True),
            f"{path}.effect",
            result.effect,
        ),
        effect_range=Figure(
            one.quantity.span(interval, digits=digits),
            f"{ranges.path}.confidence_interval",
            ends(interval),
        ),
        relative=Figure(
            NOTHING if change is None else relative(reader, change),
            f"{path}.relative_effect",
            change,
        ),
        relative_range=Figure(
            percent_span(reader, ranges.relative),
            f"{ranges.path}.relative_confidence_interval",
            ends(ranges.relative),
        ),
        luck=Figure(luck(reader, ranges.p_value), ranges.p_path, ranges.p_value),
    )


def _rates(reader: Reader, one: Compared) -> tuple[Shown, Shown]:
    """Write both estimates with the same decimals."""
    digits = one.quantity.digits(
        *(e.mean for e in one.estimates if isinstance(e, ValueEstimate))
    )

    def shown(estimate: ValueEstimate | NotEstimable, path: str) -> Shown:
        if isinstance(estimate, NotEstimable):
            return reason_sentence(estimate, reader.tag)
        text = one.quantity.text(estimate.mean, digits=max(1, digits))
        return Figure(text, path, estimate.mean)

    control, variant = zip(one.estimates, one.estimate_paths, strict=True)
    return shown(*control), shown(*variant)


def _chart(
    reader: Reader,
    found: list[tuple[Compared, Ranges | None]],
    *,
    index: int,
    title: str,
) -> Markup:
    rows = tuple(_forest_row(reader, one, ranges) for one, ranges in found)
    return draw_forest(
        f"difference-{index}",
        rows,
        tuple(
            Tick(value=v, words=reader.format.percent(v, digits=0, signed=True))
            for v in forest_axis(rows).ticks(6)
        ),
        series=(index + 1) % SERIES,
        title=title,
        description="; ".join(f"{row.label}: {row.words}" for row in rows),
    )


def _forest_row(reader: Reader, one: Compared, ranges: Ranges | None) -> ForestRow:
    result = one.test.frequentist
    row = ForestRow(
        label=one.name,
        words=reader.gettext("not known yet"),
        effect=None,
        interval=None,
        is_decisive=one.is_decisive,
    )
    match result:
        case FrequentistResult(relative_effect=float(change)) if ranges is not None:
            words = (
                f"{relative(reader, change)} ({percent_span(reader, ranges.relative)})"
            )
            return replace(row, words=words, effect=change, interval=ranges.relative)
        case _:
            return row


def _ranges_sentence(reader: Reader, report: ExperimentReport) -> str:
    """Say what the ranges allow for."""
    say = reader.gettext
    if report.weights_are_exploratory or report.weights_changed_at is not None:
        return say("The ranges allow for the worth having been chosen late.")
    if report.plan.method is Method.SEQUENTIAL:
        return say("The ranges of first conversion and value allow for daily looks.")
    return say("The ranges hold for one look at the planned end.")
