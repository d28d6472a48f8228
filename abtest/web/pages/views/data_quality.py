"""Everything the page of an experiment's data quality shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from abtest.domain.experiment import Experiment, Status
from abtest.domain.visitor import date_to_day, day_to_date
from abtest.services.quality import Quality, QualityDay
from abtest.services.report import (
    ExperimentReport,
    HealthCheck,
    HealthCode,
    HealthStatus,
)
from abtest.store.protocol import DayActivity
from abtest.web.pages.views.arrivals import Line, arrival_lines
from abtest.web.pages.views.decision_log import LogLine, decision_log
from abtest.web.pages.views.heading import Heading, heading
from abtest.web.pages.views.tones import HEALTH_TONES
from abtest.web.render.charts.days import DayBars, draw_days
from abtest.web.render.health_sentence import (
    health_remedy,
    health_sentence,
    health_title,
    health_why,
    health_word,
)
from abtest.web.render.reader import Reader

MOST_EVIDENCE = 1000
"""More than that means the same to everybody."""

MOST_GAPS = 10
"""Days without visitors that are named; more are only counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRow:
    """Visitors of one variant against the plan."""

    name: str
    planned: str
    visitors: str
    share: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsRow:
    """What came in on one UTC day."""

    day: str
    counts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQualityView:
    """The page.

    Attributes:
        tone, summary: how well everything is, in a sentence.
        checks: of the experiment itself; `arrivals`: of what came in.
        chart: visitors by day; empty while nobody came.
        columns, days: counts by UTC day, newest first.
        changes: what people changed, newest first.
    """

    head: Heading
    tone: str
    summary: str
    checks: tuple[Line, ...]
    split: tuple[SplitRow, ...]
    arrivals: tuple[Line, ...]
    since: str
    chart: Markup
    gap: Line | None
    columns: tuple[str, ...]
    days: tuple[CountsRow, ...]
    changes: tuple[LogLine, ...]


def data_quality_view(
    reader: Reader,
    experiment: Experiment,
    report: ExperimentReport,
    *,
    quality: Quality,
    activity: Sequence[DayActivity],
) -> DataQualityView:
    """Write the page."""
    checks = _checks(reader, report)
    arrivals = arrival_lines(reader, quality.total)
    days = _visitors_by_day(experiment, report, activity)
    gap = _gap(reader, days) if days else None
    lines = [*checks, *arrivals, *([gap] if gap else [])]
    tone, summary = _summary(reader, lines)
    if not report.maturity.visitors:
        tone, summary = (
            "wait",
            reader.gettext(
                "Most checks begin with the first visitor; nobody has come yet."
            ),
        )
    return DataQualityView(
        head=heading(reader, experiment, report.as_of),
        tone=tone,
        summary=summary,
        checks=checks,
        split=_split(reader, report),
        arrivals=arrivals,
        since=reader.format.day(quality.since),
        chart=_chart(reader, days),
        gap=gap,
        columns=(
            reader.gettext("Events"),
            reader.gettext("Sent twice"),
            reader.gettext("Refused"),
            reader.gettext("Late"),
            reader.gettext("Wrong clock"),
        ),
        days=tuple(_counts(reader, day) for day in reversed(quality.days)),
        changes=decision_log(reader, experiment),
    )


def _checks(reader: Reader, report: ExperimentReport) -> tuple[Line, ...]:
    order = tuple(HealthStatus)
    checks = sorted(report.health.checks, key=lambda c: -order.index(c.status))
    return tuple(
        Line(
            key=check.code.value.replace("_", "-"),
            title=health_title(check, reader),
            tone=HEALTH_TONES[check.status],
            word=health_word(check.status, reader),
            found=health_sentence(check, report, reader.tag),
            value=_value(reader, check),
            threshold=_threshold(reader, check),
            why=health_why(check, reader),
            remedy=health_remedy(check, reader),
        )
        for check in checks
    )


def _value(reader: Reader, check: HealthCheck) -> str:
    match check:
        case HealthCheck(code=HealthCode.SAMPLE_RATIO, value=float(value)):
            digits = 0 if value >= MOST_EVIDENCE else 2
            evidence = reader.format.number(min(value, MOST_EVIDENCE), digits=digits)
            if value > MOST_EVIDENCE:
                evidence = reader.gettext("more than {amount}", amount=evidence)
            return reader.gettext("evidence against the plan {n}", n=evidence)
        case HealthCheck(code=HealthCode.MULTIPLE_EXPOSURE, value=float(value)):
            return reader.format.percent(value, digits=2)
        case HealthCheck(
            code=HealthCode.MINIMUM_COUNTS | HealthCode.UNEQUAL_SPLIT,
            value=float(value),
        ):
            return reader.format.integer(value)
        case HealthCheck(code=HealthCode.MATURITY, value=float(value)):
            return reader.format.percent(value, digits=0)
        case _:
            return ""


def _threshold(reader: Reader, check: HealthCheck) -> str:
    match check:
        case HealthCheck(code=HealthCode.SAMPLE_RATIO, threshold=float(limit)):
            return reader.gettext("below {n}", n=reader.format.integer(limit))
        case HealthCheck(code=HealthCode.MULTIPLE_EXPOSURE, threshold=float(limit)):
            share = reader.format.percent(limit, digits=0)
            return reader.gettext("at most {amount}", amount=share)
        case HealthCheck(
            code=HealthCode.MINIMUM_COUNTS | HealthCode.UNEQUAL_SPLIT,
            threshold=float(limit),
        ):
            count = reader.format.integer(limit)
            return reader.gettext("at least {lower}", lower=count)
        case _:
            return ""


def _split(reader: Reader, report: ExperimentReport) -> tuple[SplitRow, ...]:
    everybody = sum(v.visitors for v in report.variants)
    if not everybody:
        return ()
    return tuple(
        SplitRow(
            name=v.name or str(v.key),
            planned=reader.format.percent(v.planned_share),
            visitors=reader.format.integer(v.visitors),
            share=reader.format.percent(v.visitors / everybody, digits=2),
        )
        for v in report.variants
    )


def _visitors_by_day(
    experiment: Experiment, report: ExperimentReport, activity: Sequence[DayActivity]
) -> dict[int, int]:
    """Return the visitors of each day on which some were expected."""
    exposures = {day.day: day.exposures for day in activity if day.exposures}
    if not exposures:
        return {}
    is_open = experiment.status is Status.RUNNING
    last = date_to_day(report.as_of) if is_open else max(exposures)
    return {day: exposures.get(day, 0) for day in range(min(exposures), last + 1)}


def _gap(reader: Reader, days: dict[int, int]) -> Line:
    empty = [day for day, visitors in days.items() if not visitors]
    named = ", ".join(reader.format.day(day_to_date(day)) for day in empty[:MOST_GAPS])
    if len(empty) > MOST_GAPS:
        named = f"{named}, …"
    found = (
        reader.ngettext(
            "On {n} day nobody came: {days}.",
            "On {n} days nobody came: {days}.",
            len(empty),
            days=named,
        )
        if empty
        else reader.gettext("Visitors came on every day.")
    )
    status = HealthStatus.WARNING if empty else HealthStatus.OK
    return Line(
        key="gaps",
        title=reader.gettext("Gaps"),
        tone=HEALTH_TONES[status],
        word=health_word(status, reader),
        found=found,
        value=reader.ngettext("{n} day", "{n} days", len(empty)),
        threshold=reader.ngettext("{n} day", "{n} days", 0),
        why=reader.gettext(
            "A day without visitors while an experiment runs often means that the"
            " service or the snippet was down."
        ),
        remedy=reader.gettext(
            "If the experiment was paused then, all is well. Else look at the service's"
            " log and at changes of the page on that day."
        )
        if empty
        else "",
    )


def _summary(reader: Reader, lines: Sequence[Line]) -> tuple[str, str]:
    bad = sum(line.tone == HEALTH_TONES[HealthStatus.BLOCKED] for line in lines)
    odd = sum(line.tone == HEALTH_TONES[HealthStatus.WARNING] for line in lines)
    if bad:
        return "bad", reader.gettext(
            "The numbers of this experiment must not be used: a check is blocked."
        )
    if odd:
        return "choice", reader.ngettext(
            "{n} point deserves a closer look; the others are in order.",
            "{n} points deserve a closer look; the others are in order.",
            odd,
        )
    return "good", reader.gettext("Everything that was checked is in order.")


def _chart(reader: Reader, days: dict[int, int]) -> Markup:
    if not days:
        return Markup("")
    counts = tuple(days.values())
    first, last = (reader.format.day(day_to_date(d)) for d in (min(days), max(days)))
    most = reader.gettext(
        "at most {n} visitors a day", n=reader.format.integer(max(counts))
    )
    return draw_days(
        "visitors-by-day",
        DayBars(counts=counts, first=first, last=last, most=most),
        title=reader.gettext("New visitors by day"),
        description=reader.gettext(
            "{first} to {last}: {most}.", first=first, last=last, most=most
        ),
    )


def _counts(reader: Reader, day: QualityDay) -> CountsRow:
    counts = day.counts
    numbers = (
        counts.received,
        counts.duplicates,
        sum(n for _, n in counts.rejected),
        counts.late,
        counts.clock_skewed,
    )
    return CountsRow(
        day=reader.format.day(day.day),
        counts=tuple(reader.format.integer(n) for n in numbers),
    )
