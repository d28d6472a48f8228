"""The health box: each check with what was found, why it matters, what to do."""

from dataclasses import dataclass

from abtest.services.report import ExperimentReport, HealthCheck, HealthStatus
from abtest.web.pages.views.figures import Figure
from abtest.web.pages.views.tones import HEALTH_TONES
from abtest.web.render.health_sentence import (
    health_remedy,
    health_sentence,
    health_title,
    health_why,
    health_word,
)
from abtest.web.render.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthLine:
    """One check."""

    title: str
    tone: str
    word: str
    found: Figure
    why: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthBox:
    """All checks; those that are not well stand first, and alone in `worries`."""

    tone: str
    word: str
    lines: tuple[HealthLine, ...]
    worries: tuple[HealthLine, ...]


def health_box(reader: Reader, report: ExperimentReport) -> HealthBox:
    """Describe the health of an experiment."""
    order = tuple(HealthStatus)
    numbered = sorted(
        enumerate(report.health.checks), key=lambda pair: -order.index(pair[1].status)
    )
    lines = tuple(_line(reader, report, i, check) for i, check in numbered)
    worries = sum(check.status is not HealthStatus.OK for _, check in numbered)
    return HealthBox(
        tone=HEALTH_TONES[report.health.status],
        word=health_word(report.health.status, reader),
        lines=lines,
        worries=lines[:worries],
    )


def _line(
    reader: Reader, report: ExperimentReport, index: int, check: HealthCheck
) -> HealthLine:
    found = health_sentence(check, report, reader.tag)
    return HealthLine(
        title=health_title(check, reader),
        tone=HEALTH_TONES[check.status],
        word=health_word(check.status, reader),
        found=Figure(found, f"health.checks.{index}.detail", found),
        why=health_why(check, reader),
        remedy=health_remedy(check, reader),
    )
