"""Everything the overview shows: each experiment with its verdict in a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from abtest.domain.experiment import Status
from abtest.services.report import ExperimentReport
from abtest.web.pages.views.tones import HEALTH_TONES, VERDICT_TONES
from abtest.web.render.health_sentence import health_word
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark
from abtest.web.render.verdict_sentence import verdict_words
from abtest.web.render.words import STATUSES

_GROUPS = (
    (mark("Running"), (Status.RUNNING, Status.PAUSED, Status.CLOSED)),
    (mark("Drafts"), (Status.DRAFT,)),
    (mark("Finished"), (Status.STOPPED, Status.DECIDED, Status.ARCHIVED)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One experiment in a few lines.

    Attributes:
        decide_from: first day of a decision; empty when unknown.
        health_word: empty before the first visitor.
    """

    key: str
    name: str
    status: str
    status_word: str
    tone: str
    headline: str
    happened: str
    advice: str
    visitors: str
    decide_from: str
    health_tone: str
    health_word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Experiments in the same stage of their life."""

    title: str
    cards: tuple[Card, ...]


def overview(reader: Reader, reports: Sequence[ExperimentReport]) -> tuple[Group, ...]:
    """Group the experiments, newest first; empty groups are left out."""
    groups = (
        Group(
            title=reader.gettext(title),
            cards=tuple(
                _card(reader, r) for r in reversed(reports) if r.status in statuses
            ),
        )
        for title, statuses in _GROUPS
    )
    return tuple(group for group in groups if group.cards)


def _card(reader: Reader, report: ExperimentReport) -> Card:
    words = verdict_words(report, reader.tag)
    day = report.verdict.decide_from
    return Card(
        key=str(report.experiment),
        name=report.name,
        status=report.status.value,
        status_word=reader.gettext(STATUSES[report.status]),
        tone=VERDICT_TONES[report.verdict.code],
        headline=words.headline,
        happened=words.happened,
        advice=words.advice,
        visitors=reader.format.integer(report.maturity.visitors),
        decide_from="" if day is None else reader.format.day(day),
        health_tone=HEALTH_TONES[report.health.status],
        health_word=(
            health_word(report.health.status, reader)
            if report.maturity.visitors
            else ""
        ),
    )
