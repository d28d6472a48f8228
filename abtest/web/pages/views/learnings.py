"""Everything the page of what was learned shows: finished experiments, compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from abtest.domain.experiment import Action, Experiment, LogEntry, Status
from abtest.domain.visitor import day_to_date, last_complete_day
from abtest.services.comparison_report import Comparison
from abtest.services.report import ExperimentReport
from abtest.stats.results import FrequentistResult
from abtest.web.pages.views.measures import Compared, compared, ranges_today
from abtest.web.pages.views.times import day_in_zone
from abtest.web.render.charts.axis import Tick
from abtest.web.render.charts.forest import ForestRow, draw_forest, forest_axis
from abtest.web.render.reader import Reader
from abtest.web.render.words import (
    STATUSES,
    control_name,
    leading_comparison,
    variant_name,
)

FINISHED = (Status.STOPPED, Status.DECIDED, Status.ARCHIVED)
ON_A_PAGE = 20
"""Experiments on a page: each may need a report of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One measure, variant against control, as it was known when it was decided."""

    name: str
    effect: str
    span: str
    per: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """One finished experiment.

    Attributes:
        against: who is compared; empty while nothing can be said.
        gap: why there is no effect; empty where there is one.
    """

    key: str
    name: str
    status: str
    status_word: str
    period: str
    hypothesis: str
    decision: str
    note: str
    against: str
    effects: tuple[Effect, ...]
    gap: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRow:
    """One experiment in the table of comparisons."""

    key: str
    name: str
    against: str
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonView:
    """Two experiments or more beside each other."""

    columns: tuple[str, ...]
    rows: tuple[ComparedRow, ...]
    charts: tuple[tuple[str, Markup], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A finished experiment with the report of the day it was decided.

    Attributes:
        report: None when it cannot be written.
    """

    experiment: Experiment
    report: ExperimentReport | None


def finished(experiments: Sequence[Experiment], words: str) -> tuple[Experiment, ...]:
    """Return the finished experiments with all the words, newest first."""
    wanted = words.casefold().split()

    def has_all(experiment: Experiment) -> bool:
        told = (
            experiment.name,
            str(experiment.key),
            experiment.hypothesis,
            *(entry.detail for entry in experiment.log),
            *(variant.name for variant in experiment.variants),
        )
        text = "\n".join(told).casefold()
        return all(word in text for word in wanted)

    found = [e for e in experiments if e.status in FINISHED and e.phases and has_all(e)]
    return tuple(sorted(found, key=lambda e: _end(e).at, reverse=True))


def decided_day(experiment: Experiment) -> date:
    """Return the last day that was complete when it was decided, or stopped."""
    return day_to_date(last_complete_day(_end(experiment).at, experiment.time_zone))


def learned_view(reader: Reader, one: Finished, *, is_chosen: bool) -> Learned:
    """Describe a finished experiment."""
    experiment, report = one.experiment, one.report
    started = experiment.started_at
    comparison = _comparison(experiment, report)
    effects = _effects(reader, report, comparison)
    end = _end(experiment)
    return Learned(
        key=str(experiment.key),
        name=experiment.name or str(experiment.key),
        status=experiment.status.value,
        status_word=reader.gettext(STATUSES[experiment.status]),
        period=""
        if started is None
        else reader.gettext(
            "{lower} to {upper}",
            lower=day_in_zone(reader, started, experiment.time_zone),
            upper=day_in_zone(reader, end.at, experiment.time_zone),
        ),
        hypothesis=experiment.hypothesis,
        decision=_decision(reader, experiment, end),
        note=_note(experiment, end),
        against=_against(reader, report, comparison),
        effects=effects,
        gap=""
        if effects
        else reader.gettext("On that day there was nothing to compare yet."),
        is_chosen=is_chosen,
    )


def comparison_view(reader: Reader, chosen: Sequence[Finished]) -> ComparisonView:
    """Put experiments beside each other.

    Conversions per 1,000 visitors can be compared between experiments and stand in
    one chart each; values may be in points or several currencies, so they do not.
    """
    rows, found = [], dict[int, list[tuple[str, Compared]]]()
    for one in chosen:
        report = one.report
        comparison = _comparison(one.experiment, report)
        if report is None or comparison is None:
            continue
        name = one.experiment.name or str(one.experiment.key)
        index = report.comparisons.index(comparison)
        for place, measure in enumerate(compared(reader, report, index)[:2]):
            found.setdefault(place, []).append((name, measure))
        rows.append(
            ComparedRow(
                key=str(one.experiment.key),
                name=name,
                against=_against(reader, report, comparison),
                effects=_effects(reader, report, comparison),
            )
        )
    reports = {str(one.experiment.key): one.report for one in chosen}
    titles = (
        reader.gettext("First conversions per 1,000 visitors"),
        reader.gettext("Second conversions per 1,000 visitors"),
    )
    return ComparisonView(
        columns=(
            reader.gettext("First conversion"),
            reader.gettext("Second conversion"),
            reader.gettext("Value of both together"),
        ),
        rows=tuple(rows),
        charts=tuple(
            (title, _chart(reader, place, title, rows, found, reports))
            for place, title in enumerate(titles)
            if place in found
        ),
    )


def _chart(
    reader: Reader,
    place: int,
    title: str,
    rows: Sequence[ComparedRow],
    found: Mapping[int, Sequence[tuple[str, Compared]]],
    reports: Mapping[str, ExperimentReport | None],
) -> Markup:
    drawn = tuple(
        _forest_row(row, measure, reports[row.key], place)
        for row, (_, measure) in zip(rows, found[place], strict=True)
    )
    return draw_forest(
        f"compared-{place}",
        drawn,
        tuple(
            Tick(value=v, words=reader.format.number(1000 * v, digits=0, signed=True))
            for v in forest_axis(drawn).ticks(6)
        ),
        series=1,
        title=title,
        description="; ".join(f"{row.label}: {row.words}" for row in drawn),
    )


def _forest_row(
    row: ComparedRow, measure: Compared, report: ExperimentReport | None, place: int
) -> ForestRow:
    ranges = None if report is None else ranges_today(report, measure)
    result = measure.test.frequentist
    effect = result.effect if isinstance(result, FrequentistResult) else None
    words = next(
        (f"{e.effect} ({e.span})" for e in row.effects[place : place + 1]),
        "",
    )
    return ForestRow(
        label=row.name,
        words=words,
        effect=None if ranges is None else effect,
        interval=None if ranges is None else ranges.interval,
        is_decisive=True,
    )


def _comparison(
    experiment: Experiment, report: ExperimentReport | None
) -> Comparison | None:
    """Return the comparison of the variant decided for, else the leading one."""
    if report is None:
        return None
    for comparison in report.comparisons:
        if comparison.variant == experiment.decided_variant:
            return comparison
    return leading_comparison(report)


def _effects(
    reader: Reader, report: ExperimentReport | None, comparison: Comparison | None
) -> tuple[Effect, ...]:
    """Return the effects on all measures; none unless all are known."""
    if report is None or comparison is None:
        return ()
    effects = []
    for one in compared(reader, report, report.comparisons.index(comparison)):
        ranges, result = ranges_today(report, one), one.test.frequentist
        if ranges is None or not isinstance(result, FrequentistResult):
            return ()
        low, high = ranges.interval.lower, ranges.interval.upper
        digits = one.quantity.digits(result.effect, low, high)
        effects.append(
            Effect(
                name=one.name,
                effect=one.quantity.amount(result.effect, digits=digits, signed=True),
                span=one.quantity.span(ranges.interval, digits=digits),
                per=one.quantity.per,
            )
        )
    return tuple(effects)


def _against(
    reader: Reader, report: ExperimentReport | None, comparison: Comparison | None
) -> str:
    if report is None or comparison is None:
        return ""
    return reader.gettext(
        "{variant} against {control}",
        variant=variant_name(reader, report, comparison.variant),
        control=control_name(reader, report),
    )


def _end(experiment: Experiment) -> LogEntry:
    """Return the entry of the decision, else of the stop, else the last one."""
    for action in (Action.DECIDE, Action.STOP):
        for entry in reversed(experiment.log):
            if entry.action == action:
                return entry
    return experiment.log[-1]


def _decision(reader: Reader, experiment: Experiment, end: LogEntry) -> str:
    day = day_in_zone(reader, end.at, experiment.time_zone)
    for variant in experiment.variants:
        if variant.key == experiment.decided_variant:
            name = reader.gettext("“{name}”", name=variant.name or str(variant.key))
            if variant is experiment.control:
                return reader.gettext(
                    "{variant} was kept on {day}.", variant=name, day=day
                )
            return reader.gettext(
                "{variant} was chosen on {day}.", variant=name, day=day
            )
    return reader.gettext("Stopped on {day} without a decision.", day=day)


def _note(experiment: Experiment, end: LogEntry) -> str:
    """Return what was written about the end, without the variant before it."""
    if end.action == Action.DECIDE:
        return end.detail.removeprefix(experiment.decided_variant or "").lstrip("; ")
    return end.detail if end.action == Action.STOP else ""
