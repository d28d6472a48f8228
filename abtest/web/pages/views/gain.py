"""Where the gain comes from: customers, purchases per customer, order value."""

from dataclasses import dataclass

from abtest.services.report import ExperimentReport
from abtest.stats.results import Factor, Interval, NotEstimable
from abtest.web.pages.views.figures import Figure, ends
from abtest.web.render.quantities import percent_span, relative
from abtest.web.render.reader import Reader
from abtest.web.render.words import control_name, reason_sentence, variant_name


@dataclass(frozen=True, slots=True, kw_only=True)
class GainRow:
    """One factor: its change and the range of it."""

    name: str
    note: str
    change: Figure
    change_range: Figure
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GainView:
    """The factors of one comparison, or why there are none."""

    title: str
    rows: tuple[GainRow, ...]
    gap: str


def gain_view(reader: Reader, report: ExperimentReport, index: int) -> GainView:
    """Describe where the change of revenue comes from in comparison `index`."""
    comparison = report.comparisons[index]
    title = reader.gettext(
        "{variant} against {control}",
        variant=variant_name(reader, report, comparison.variant),
        control=control_name(reader, report),
    )
    found, say = comparison.decomposition, reader.gettext
    if isinstance(found, NotEstimable):
        return GainView(title=title, rows=(), gap=reason_sentence(found, reader.tag))
    path = f"comparisons.{index}.decomposition"
    named = (
        (
            "customers",
            found.customers,
            say("Customers"),
            say("first conversions per visitor"),
        ),
        (
            "purchases",
            found.purchases,
            say("Purchases per customer"),
            say("first and second conversions of a customer"),
        ),
        (
            "order_value",
            found.order_value,
            say("Order value"),
            say("revenue per purchase"),
        ),
        (
            "revenue",
            found.revenue,
            say("Revenue per visitor"),
            say("the three multiplied"),
        ),
    )
    return GainView(
        title=title,
        rows=tuple(
            _row(reader, factor, (path, key), (name, note))
            for key, factor, name, note in named
        ),
        gap="",
    )


def _row(
    reader: Reader, factor: Factor, place: tuple[str, str], names: tuple[str, str]
) -> GainRow:
    path, key = place
    lower, upper = factor.interval.lower, factor.interval.upper
    change = Interval(
        lower=None if lower is None else lower - 1,
        upper=None if upper is None else upper - 1,
    )
    name, note = names
    return GainRow(
        name=name,
        note=note,
        change=Figure(
            relative(reader, factor.ratio - 1), f"{path}.{key}", factor.ratio
        ),
        change_range=Figure(
            percent_span(reader, change),
            f"{path}.intervals.{key}",
            ends(factor.interval),
        ),
        is_whole=key == "revenue",
    )
