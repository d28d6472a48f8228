"""How the difference grew: day by day, with its range, its looks and its changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from markupsafe import Markup

from abtest.domain.experiment import Experiment, Method, SequentialDesign
from abtest.stats.results import FrequentistResult, Interval
from abtest.web.render.charts.axis import Tick
from abtest.web.render.charts.over_time import (
    DayMark,
    DayPoint,
    OverTime,
    draw_over_time,
    value_axis,
)
from abtest.web.render.charts.svg import SERIES
from abtest.web.render.quantities import Quantity, value_of
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark
from abtest.web.render.words import quoted_alike

if TYPE_CHECKING:
    from abtest.services.timeline import EffectLine, EffectPoint, Mark, Timeline

MOST_ROWS = 14
"""Days in the table; the chart has them all."""

_DAY_TICKS = 4

# The start needs no mark: the chart begins there.
_MARKS: Mapping[str, str] = {
    "split_changed": mark("the split between the variants was changed"),
    "coverage_changed": mark("the share of visitors who take part was changed"),
    "weights_changed": mark("the worth of the conversions was changed"),
    "paused": mark("paused"),
    "resumed": mark("resumed"),
    "closed": mark("closed to new visitors"),
    "stopped": mark("stopped"),
    "decided": mark("decided"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkLine:
    """A change of settings; `label` stands at its line in the chart."""

    label: str
    day: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRow:
    """A day of the table."""

    day: str
    visitors: str
    effect: str
    span: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectOverTime:
    """One variant against the control; `gap` stands where nothing is known yet."""

    title: str
    chart: Markup
    rows: tuple[DayRow, ...]
    gap: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTimeView:
    """The section.

    Attributes:
        reading: how the band is to be read.
        plan: when the end is expected, or was reached.
        unit: of the differences.
    """

    effects: tuple[EffectOverTime, ...]
    marks: tuple[MarkLine, ...]
    reading: str
    plan: str
    unit: str


def over_time_view(
    reader: Reader, experiment: Experiment, found: "Timeline"
) -> OverTimeView | None:
    """Describe the days of an experiment; None before its first visitor."""
    if not found.exposures:
        return None
    quantity = value_of(reader, experiment)
    changes = tuple(m for m in found.marks if m.kind.value in _MARKS)
    return OverTimeView(
        effects=tuple(
            _effect(reader, experiment, found, changes, series=i + 1)
            for i in range(len(found.effects))
        ),
        marks=tuple(
            MarkLine(
                label=str(number),
                day=reader.format.day(one.day),
                words=reader.gettext(_MARKS[one.kind.value]),
            )
            for number, one in enumerate(changes, 1)
        ),
        reading=_reading(reader, experiment),
        plan=_plan(reader, found),
        unit=" ".join(word for word in (quantity.unit, quantity.per) if word),
    )


def _effect(
    reader: Reader,
    experiment: Experiment,
    found: "Timeline",
    changes: Sequence["Mark"],
    *,
    series: int,
) -> EffectOverTime:
    quantity = value_of(reader, experiment)
    line = found.effects[series - 1]
    names = quoted_alike(reader, (v.name or str(v.key) for v in experiment.variants))
    title = reader.gettext(
        "{variant} against {control}",
        variant=names[series],
        control=names[0],
    )
    points = _points(line, is_sequential=experiment.method is Method.SEQUENTIAL)
    rows = _rows(reader, found, points, quantity)
    ticks = value_axis(points).ticks() if points else ()
    digits = max(0, quantity.digits(*ticks) - 1)
    early = reader.gettext("Too early to say")
    return EffectOverTime(
        title=title,
        chart=draw_over_time(
            f"over-time-{series}",
            OverTime(
                days=(found.exposures[0].day, found.as_of),
                points=points,
                visitors=tuple((e.day, sum(e.visitors)) for e in found.exposures),
                marks=tuple(
                    DayMark(day=one.day, label=str(number))
                    for number, one in enumerate(changes, 1)
                ),
                value_ticks=tuple(
                    Tick(value=v, words=quantity.text(v, digits=digits, signed=True))
                    for v in ticks
                ),
                day_ticks=_day_ticks(reader, found.exposures[0].day, found.as_of),
                early_words=early,
                series=series % SERIES,
            ),
            title=reader.gettext("Difference in value by day, {title}", title=title),
            description=(
                f"{rows[-1].day}: {rows[-1].effect} ({rows[-1].span})"
                if rows
                else early
            ),
        ),
        rows=rows,
        gap="" if points else _gap(reader, found),
    )


def _points(line: "EffectLine", *, is_sequential: bool) -> tuple[DayPoint, ...]:
    """Return the days on which there is something to read."""
    points = []
    for one in line.points:
        interval = _interval(one, is_sequential=is_sequential)
        if isinstance(one.test, FrequentistResult) and interval is not None:
            points.append(
                DayPoint(
                    day=one.day,
                    effect=one.test.effect,
                    lower=interval.lower,
                    upper=interval.upper,
                )
            )
    return tuple(points)


def _interval(one: "EffectPoint", *, is_sequential: bool) -> Interval | None:
    """Choose the range that may be read on that day."""
    if is_sequential:
        return one.looked
    test = one.test
    return test.confidence_interval if isinstance(test, FrequentistResult) else None


def _rows(
    reader: Reader,
    found: "Timeline",
    points: Sequence[DayPoint],
    quantity: Quantity,
) -> tuple[DayRow, ...]:
    step = -(-len(points) // MOST_ROWS) or 1
    chosen = points[::-1][::step][::-1]
    known = [e for p in chosen for e in (p.effect, p.lower, p.upper)]
    digits = quantity.digits(*known)
    return tuple(
        DayRow(
            day=reader.format.day(p.day),
            visitors=reader.format.integer(_visitors_until(found, p.day)),
            effect=quantity.text(p.effect, digits=digits, signed=True),
            span=quantity.span(Interval(lower=p.lower, upper=p.upper), digits=digits),
        )
        for p in chosen
    )


def _visitors_until(found: "Timeline", day: date) -> int:
    return sum(sum(e.visitors) for e in found.exposures if e.day <= day)


def _day_ticks(reader: Reader, first: date, last: date) -> tuple[tuple[date, str], ...]:
    step = max(1, (last - first).days // (_DAY_TICKS - 1))
    days = [first + timedelta(days=step * i) for i in range(_DAY_TICKS)]
    if days[-1] > last or (last - days[-1]).days < step // 2:
        days[-1] = last
    return tuple(
        (day, reader.format.short_day(day))
        for day in dict.fromkeys(days)
        if day <= last
    )


def _reading(reader: Reader, experiment: Experiment) -> str:
    say = reader.gettext
    if experiment.method is not Method.SEQUENTIAL:
        return say(
            "The band is the range as if that day were the only look. Only the planned"
            " end decides; until then the band may cross zero and come back."
        )
    if experiment.sequential_design is SequentialDesign.ALWAYS_VALID:
        return say(
            "The band is the range that allows for a look every day. Once it leaves"
            " zero, there is more than chance."
        )
    return say(
        "The band is the range that allows for all looks so far. It moves at planned"
        " looks only and is wide at first; once it leaves zero, there is more than"
        " chance."
    )


def _plan(reader: Reader, found: "Timeline") -> str:
    say, day = reader.gettext, reader.format.day
    if found.decided_on is not None:
        return say("The planned end was reached on {date}.", date=day(found.decided_on))
    if found.planned_end is not None:
        return say(
            "At the present pace the planned end is on {date}.",
            date=day(found.planned_end),
        )
    return ""


def _gap(reader: Reader, found: "Timeline") -> str:
    """Say from when on there is something to see."""
    if found.first_look is not None and found.first_look > found.as_of:
        return reader.gettext(
            "The first difference can be shown from {date}, when the first visitors"
            " have been followed for the whole window. Until then: visitors by day.",
            date=reader.format.day(found.first_look),
        )
    return reader.gettext("No difference can be shown yet, only visitors by day.")
