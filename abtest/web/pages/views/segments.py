"""Groups of visitors: the effect within each, as an exploration."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from markupsafe import Markup

from abtest.domain.experiment import Experiment, ExperimentKey
from abtest.stats.results import FrequentistResult, NotEstimable
from abtest.store.protocol import Store
from abtest.web.pages.views.heading import Heading, heading
from abtest.web.render.charts.axis import Tick
from abtest.web.render.charts.forest import ForestRow, draw_forest, forest_axis
from abtest.web.render.charts.svg import SERIES
from abtest.web.render.quantities import (
    NOTHING,
    Quantity,
    percent_span,
    relative,
    value_of,
)
from abtest.web.render.reader import Reader, reader_of
from abtest.web.render.translate import mark
from abtest.web.render.words import quoted_alike, reason_sentence

if TYPE_CHECKING:
    from abtest.services.segments import Segment, SegmentEffect, SegmentReport

TICKS = 4

FIND = 0.05
"""Corrected p-values below are worth a closer look."""

_ATTRIBUTES: Mapping[str, str] = {
    "browser": mark("Browser"),
    "country": mark("Country"),
    "device": mark("Device"),
    "language": mark("Language of the visitor"),
    "new": mark("New or returning"),
    "source": mark("Source"),
}
_VALUES: Mapping[str, str] = {
    "desktop": mark("Computer"),
    "mobile": mark("Phone"),
    "tablet": mark("Tablet"),
    "direct": mark("Typed in or bookmarked"),
    "search": mark("Search engine"),
    "social": mark("Social network"),
    "email": mark("E-mail"),
    "campaign": mark("Campaign"),
    "referral": mark("Link on another site"),
    "internal": mark("Link on the own site"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    """One group in the table; `gap` says why there is no difference."""

    name: str
    visitors: tuple[str, str]
    values: tuple[str, str]
    adjusted: str
    is_find: bool
    effect: str = ""
    span: str = ""
    gap: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentTable:
    """A variant against the control."""

    title: str
    control: str
    variant: str
    chart: Markup
    rows: tuple[SegmentRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An attribute that can be chosen."""

    name: str
    words: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentsView:
    """The page.

    Attributes:
        choices: attributes by which the visitors can be grouped; none if there are
            none.
        unit: of values and differences.
        tests: how many effects were tested together, in words; empty for none.
        finds: how many of them are worth a closer look.
    """

    head: Heading
    choices: tuple[Choice, ...]
    attribute: str
    unit: str
    tests: str
    finds: str
    level: str
    tables: tuple[SegmentTable, ...]


def attribute_names(
    reader: Reader, attributes: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Return attributes with the words for them."""
    return tuple((name, _attribute(reader, name)) for name in attributes)


def segments_view(
    store: Store,
    *,
    key: ExperimentKey,
    attribute: str,
    tag: str,
    now: datetime,
) -> SegmentsView:
    """Write the page; a task for a calculator.

    Args:
        store: what is read.
        key: of the experiment.
        attribute: that is chosen; the first one when there is none of this name.
        tag: language of the reader.
        now: decides which day was the last complete one.
    """
    # scipy takes seconds to load and 100 MB: only who calculates loads it.
    from abtest.services.segments import segments  # noqa: PLC0415

    reader = reader_of(tag)
    experiment = store.get_experiment(key)
    known = store.segment_attributes(key)
    chosen = attribute if attribute in known else next(iter(known), "")
    quantity = value_of(reader, experiment)
    found = segments(store, key, chosen, now=now) if chosen else None
    return SegmentsView(
        head=heading(reader, experiment, None if found is None else found.as_of),
        choices=tuple(
            Choice(name=name, words=words, is_chosen=name == chosen)
            for name, words in attribute_names(reader, tuple(known))
        ),
        attribute=_attribute(reader, chosen) if chosen else "",
        unit=" ".join(word for word in (quantity.unit, quantity.per) if word),
        tests=_tests(reader, found),
        finds=_finds(reader, found),
        level=reader.format.plain(100 * (1 - experiment.alpha)),
        tables=(
            ()
            if found is None
            else tuple(
                _table(reader, experiment, found, quantity, treatment=i)
                for i in range(1, len(experiment.variants))
            )
        ),
    )


def _attribute(reader: Reader, name: str) -> str:
    words = _ATTRIBUTES.get(name)
    return name if words is None else reader.gettext(words)


def _value(reader: Reader, segment: "Segment") -> str:
    if segment.is_other:
        return reader.gettext("All others")
    if not segment.name:
        return reader.gettext("Not known")
    words = _VALUES.get(segment.name)
    return segment.name if words is None else reader.gettext(words)


def _tests(reader: Reader, found: "SegmentReport | None") -> str:
    if found is None or not found.tests:
        return ""
    return reader.ngettext(
        "{n} comparison was made", "{n} comparisons were made", found.tests
    )


def _finds(reader: Reader, found: "SegmentReport | None") -> str:
    """Say how many groups are worth a closer look."""
    if found is None or not found.tests:
        return ""
    finds = sum(
        _is_find(effect) for segment in found.segments for effect in segment.effects
    )
    if not finds:
        return reader.gettext("None of them stands out by more than chance explains.")
    return reader.ngettext(
        "{n} of them stands out and is worth an experiment of its own.",
        "{n} of them stand out and are worth an experiment of their own.",
        finds,
    )


def _is_find(effect: "SegmentEffect") -> bool:
    return effect.q_value is not None and effect.q_value < FIND


def _table(
    reader: Reader,
    experiment: Experiment,
    found: "SegmentReport",
    quantity: Quantity,
    *,
    treatment: int,
) -> SegmentTable:
    control, variant = experiment.control, experiment.variants[treatment]
    names = quoted_alike(reader, (v.name or str(v.key) for v in experiment.variants))
    title = reader.gettext(
        "{variant} against {control}",
        variant=names[treatment],
        control=names[0],
    )
    rows = tuple(_forest_row(reader, s, treatment) for s in found.segments)
    return SegmentTable(
        title=title,
        control=control.name or str(control.key),
        variant=variant.name or str(variant.key),
        chart=draw_forest(
            f"segments-{treatment}",
            rows,
            tuple(
                Tick(value=v, words=reader.format.percent(v, digits=0, signed=True))
                for v in forest_axis(rows).ticks(TICKS)
            ),
            series=treatment % SERIES,
            title=title,
            description="; ".join(f"{row.label}: {row.words}" for row in rows),
        ),
        rows=tuple(_row(reader, s, quantity, treatment) for s in found.segments),
    )


def _forest_row(reader: Reader, segment: "Segment", treatment: int) -> ForestRow:
    effect, name = segment.effects[treatment - 1], _value(reader, segment)
    match effect.test:
        case FrequentistResult(relative_effect=float(change)) as test:
            span = percent_span(reader, test.relative_confidence_interval)
            return ForestRow(
                label=name,
                words=f"{relative(reader, change)} ({span})",
                effect=change,
                interval=test.relative_confidence_interval,
                is_decisive=_is_find(effect),
            )
        case _:
            return ForestRow(
                label=name,
                words=reader.gettext("too few conversions to say"),
                effect=None,
                interval=None,
                is_decisive=False,
            )


def _row(
    reader: Reader, segment: "Segment", quantity: Quantity, treatment: int
) -> SegmentRow:
    effect = segment.effects[treatment - 1]
    test = effect.test
    arms = (0, treatment)
    means = [
        None if isinstance(v, NotEstimable) else v.mean
        for v in (segment.values[arm] for arm in arms)
    ]
    digits = max(1, quantity.digits(*means))
    control, variant = (
        NOTHING if mean is None else quantity.text(mean, digits=digits)
        for mean in means
    )
    before, after = (reader.format.integer(segment.visitors[arm]) for arm in arms)
    row = SegmentRow(
        name=_value(reader, segment),
        visitors=(before, after),
        values=(control, variant),
        adjusted=_adjusted(reader, effect),
        is_find=_is_find(effect),
    )
    if isinstance(test, NotEstimable):
        return replace(row, gap=reason_sentence(test, reader.tag))
    interval = test.confidence_interval
    places = quantity.digits(test.effect, interval.lower, interval.upper)
    return replace(
        row,
        effect=quantity.text(test.effect, digits=places, signed=True),
        span=quantity.span(interval, digits=places),
    )


def _adjusted(reader: Reader, effect: "SegmentEffect") -> str:
    if effect.q_value is None:
        return NOTHING
    if effect.q_value < 0.001:
        return f"< {reader.format.number(0.001, digits=3)}"
    return reader.format.number(effect.q_value, digits=3)
