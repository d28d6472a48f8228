"""Everything the overview shows: each experiment with its verdict in a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from markupsafe import Markup

from abtest.domain.experiment import Status
from abtest.domain.visitor import last_complete_day
from abtest.services.report import ExperimentReport, VerdictCode
from abtest.services.reporting import Days, Standing
from abtest.web.pages.views.tones import HEALTH_TONES, VERDICT_TONES
from abtest.web.render.charts.sparkline import draw_sparkline
from abtest.web.render.health_sentence import health_word
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark
from abtest.web.render.verdict_sentence import verdict_words
from abtest.web.render.words import STATUSES

SPARK_DAYS = 30

_WAITING = {VerdictCode.TOO_EARLY, VerdictCode.RUNNING, VerdictCode.GUARDRAIL_OPEN}
_GROUPS: Mapping[str, tuple[str, tuple[Status, ...]]] = {
    "running": (mark("Running"), (Status.RUNNING, Status.PAUSED, Status.CLOSED)),
    "drafts": (mark("Drafts"), (Status.DRAFT,)),
    "finished": (mark("Finished"), (Status.STOPPED, Status.DECIDED, Status.ARCHIVED)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The verdict in words, and how good or bad it is."""

    tone: str
    headline: str
    happened: str
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One experiment in a few lines; texts are empty where nothing is known.

    Attributes:
        is_pending: the verdict is being computed.
        recent: visitors of the last days; empty where nobody is expected or came.
        spark: the same by day, as a drawing.
        days_left: until the planned end at the present pace, where one must wait.
        decide_from: first day of a decision, and how far away that is.
    """

    key: str
    name: str
    status: str
    status_word: str
    is_pending: bool
    said: Said
    visitors: str
    recent: str
    spark: Markup
    days_left: str
    decide_from: str
    health_tone: str
    health_word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Experiments in the same stage of their life."""

    title: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A choice of what is listed."""

    address: str
    words: str
    count: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The page.

    Attributes:
        filters: empty when there is no experiment.
        pending: how many verdicts are still to come; empty when none is.
    """

    filters: tuple[Filter, ...]
    groups: tuple[Group, ...]
    pending: str


def overview(
    reader: Reader, standings: Sequence[Standing], *, chosen: str, now: datetime
) -> Overview:
    """Group the experiments, newest first; empty groups are left out.

    Args:
        reader: whom it is written for.
        standings: all experiments, oldest first.
        chosen: which group to show; all of them for any other text.
        now: decides which days are the last ones.
    """
    names = [chosen] if chosen in _GROUPS else list(_GROUPS)
    groups = tuple(
        Group(
            title=reader.gettext(_GROUPS[name][0]),
            cards=tuple(_card(reader, s, now) for s in reversed(_of(name, standings))),
        )
        for name in names
    )
    cards = [card for group in groups for card in group.cards]
    return Overview(
        filters=tuple(_filters(reader, standings, chosen)),
        groups=tuple(group for group in groups if group.cards),
        pending=_pending(reader, sum(card.is_pending for card in cards), len(cards)),
    )


def _of(name: str, standings: Sequence[Standing]) -> list[Standing]:
    return [s for s in standings if s.experiment.status in _GROUPS[name][1]]


def _filters(
    reader: Reader, standings: Sequence[Standing], chosen: str
) -> list[Filter]:
    if not standings:
        return []
    everything = Filter(
        address="/",
        words=reader.gettext("All"),
        count=reader.format.integer(len(standings)),
        is_chosen=chosen not in _GROUPS,
    )
    return [
        everything,
        *(
            Filter(
                address=f"/?status={name}",
                words=reader.gettext(title),
                count=reader.format.integer(len(_of(name, standings))),
                is_chosen=name == chosen,
            )
            for name, (title, _) in _GROUPS.items()
        ),
    ]


def _pending(reader: Reader, pending: int, shown: int) -> str:
    if not pending:
        return ""
    return reader.gettext(
        "{n} of {shown} verdicts are being computed.",
        n=reader.format.integer(pending),
        shown=reader.format.integer(shown),
    )


def _card(reader: Reader, standing: Standing, now: datetime) -> Card:
    experiment, report = standing.experiment, standing.report
    last = last_complete_day(now, experiment.time_zone)
    recent = _recent(standing.days, last)
    visitors = (
        sum(day.exposures for day in standing.days if day.day <= last)
        if report is None
        else report.maturity.visitors
    )
    is_enrolling = experiment.status is Status.RUNNING
    return Card(
        key=str(experiment.key),
        name=experiment.name,
        status=experiment.status.value,
        status_word=reader.gettext(STATUSES[experiment.status]),
        is_pending=report is None and not standing.has_failed,
        said=_said(reader, standing),
        visitors=reader.format.integer(visitors),
        recent=reader.format.integer(sum(recent))
        if is_enrolling or any(recent)
        else "",
        spark=draw_sparkline(recent),
        days_left=_days_left(reader, report),
        decide_from=_decide_from(reader, report),
        health_tone="" if report is None else HEALTH_TONES[report.health.status],
        health_word=(
            ""
            if report is None or not visitors
            else health_word(report.health.status, reader)
        ),
    )


def _said(reader: Reader, standing: Standing) -> Said:
    report = standing.report
    if report is not None:
        words = verdict_words(report, reader.tag)
        return Said(
            tone=VERDICT_TONES[report.verdict.code],
            headline=words.headline,
            happened=words.happened,
            advice=words.advice,
        )
    if standing.has_failed:
        return Said(
            tone="bad",
            headline=reader.gettext("The verdict could not be computed."),
            happened=reader.gettext(
                "The log of the service says why. It is tried again in a minute."
            ),
        )
    return Said(
        tone="wait",
        headline=reader.gettext("The verdict is being computed."),
        happened=reader.gettext("It appears here in a moment."),
    )


def _recent(days: Days, last: int) -> list[int]:
    """Return the visitors of each of the days up to the last one."""
    exposures = {day.day: day.exposures for day in days}
    return [exposures.get(d, 0) for d in range(last - SPARK_DAYS + 1, last + 1)]


def _days_left(reader: Reader, report: ExperimentReport | None) -> str:
    """Say how long the plan still takes, where the advice is to wait for that."""
    if report is None or report.verdict.code not in _WAITING:
        return ""
    end = report.plan.expected_end
    if end is None:
        return ""
    return reader.ngettext("{n} day", "{n} days", max(0, _days_until(end, report)))


def _decide_from(reader: Reader, report: ExperimentReport | None) -> str:
    if report is None or report.verdict.decide_from is None:
        return ""
    day = report.verdict.decide_from
    written, left = reader.format.day(day), _days_until(day, report)
    if left <= 0:
        return written
    distance = reader.ngettext("in {n} day", "in {n} days", left)
    return f"{written} ({distance})"


def _days_until(day: date, report: ExperimentReport) -> int:
    """Count from today, the day after the last complete one."""
    return (day - report.as_of).days - 1
