"""The verdict in words: what happened, how sure that is, what to do."""

from dataclasses import replace

from abtest.services.report import ExperimentReport, VerdictCode, VerdictReason
from abtest.web.render.reader import Reader, reader_of
from abtest.web.render.verdict_decided import (
    guardrail_open,
    keep_control,
    tradeoff,
    winner,
)
from abtest.web.render.verdict_waiting import (
    equivalent,
    inconclusive,
    no_data,
    running,
    stopped_early,
    too_early,
    unhealthy,
)
from abtest.web.render.verdict_words import VerdictWords

_TELLERS = {
    VerdictCode.NO_DATA: no_data,
    VerdictCode.UNHEALTHY: unhealthy,
    VerdictCode.TOO_EARLY: too_early,
    VerdictCode.WINNER: winner,
    VerdictCode.TRADEOFF: tradeoff,
    VerdictCode.KEEP_CONTROL: keep_control,
    VerdictCode.RUNNING: running,
    VerdictCode.GUARDRAIL_OPEN: guardrail_open,
    VerdictCode.EQUIVALENT: equivalent,
    VerdictCode.INCONCLUSIVE: inconclusive,
    VerdictCode.STOPPED_EARLY: stopped_early,
}


def verdict_sentence(report: ExperimentReport, language: str) -> str:
    """Say the verdict in a few plain sentences.

    Args:
        language: a language tag: `de`, `en`, or with a country such as `de-AT`.
    """
    return verdict_words(report, language).sentence


def verdict_words(report: ExperimentReport, language: str) -> VerdictWords:
    """Say the verdict in its parts, for readers that set them apart."""
    reader = reader_of(language)
    told = _TELLERS[report.verdict.code](reader, report)
    return replace(told, certainty=_with_notes(reader, report, told.certainty))


def _with_notes(reader: Reader, report: ExperimentReport, certainty: str) -> str:
    """Add what a reader must know of late weights and of a decision of long ago."""
    notes = [certainty]
    if VerdictReason.EXPLORATORY_WEIGHTS in report.verdict.reasons:
        notes.append(
            reader.gettext(
                "This tries out a worth that was not declared before the start, so it"
                " is an exploration; the range is widened for that."
            )
        )
    elif VerdictReason.WEIGHTS_CHANGED in report.verdict.reasons:
        notes.append(
            reader.gettext(
                "The worth of the conversions was changed after the start; the range"
                " is widened for that."
            )
        )
    if report.segment is not None:
        notes.append(
            reader.gettext(
                "It looks at a part of the visitors alone, so it is an exploration:"
                " among many parts some stand out by chance."
            )
        )
    decided_on = report.plan.decided_on
    if VerdictReason.DECIDED_AT_END in report.verdict.reasons and decided_on:
        notes.append(
            reader.gettext(
                "The plan was at its end on {day}: the decision and its range are of"
                " that day, and what came later does not change them.",
                day=reader.format.day(decided_on),
            )
        )
    return " ".join(notes)
