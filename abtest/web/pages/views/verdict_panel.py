"""The panel at the top of a result: verdict, what to do, when it can change."""

from dataclasses import dataclass

from abtest.domain.experiment import Method, Status
from abtest.services.report import ExperimentReport, VerdictCode, VerdictReason
from abtest.web.pages.views.tones import VERDICT_TONES
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark
from abtest.web.render.verdict_sentence import verdict_words

_WAITING_IS_VAIN = mark("This does not change by waiting.")
_AT_END = mark("The plan is at its end; waiting does not change this.")
_TODAY = mark("The method allows a decision today; there is no need to wait.")
_FIXED = {
    VerdictCode.UNHEALTHY: _WAITING_IS_VAIN,
    VerdictCode.STOPPED_EARLY: _WAITING_IS_VAIN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictPanel:
    """The verdict in its parts."""

    code: str
    tone: str
    headline: str
    happened: str
    certainty: str
    advice: str
    change: str


def verdict_panel(reader: Reader, report: ExperimentReport) -> VerdictPanel:
    """Describe the panel of a report."""
    words = verdict_words(report, reader.tag)
    return VerdictPanel(
        code=report.verdict.code.value,
        tone=VERDICT_TONES[report.verdict.code],
        headline=words.headline,
        happened=words.happened,
        certainty=words.certainty,
        advice=words.advice,
        change=_change(reader, report),
    )


def _change(reader: Reader, report: ExperimentReport) -> str:
    """Say when the verdict can become another one."""
    say = reader.gettext
    match report.verdict.code:
        case VerdictCode.NO_DATA if report.status is Status.DRAFT:
            return say("This changes once the experiment is started.")
        case VerdictCode.NO_DATA if report.today.exposures:
            return say("This changes as soon as the day is over.")
        case VerdictCode.NO_DATA:
            return say("This changes with the first visitor.")
        case VerdictCode.TOO_EARLY:
            return _change_of_early(reader, report)
        case VerdictCode.RUNNING:
            return _change_while_running(reader, report)
        case code:
            return say(_FIXED.get(code, _AT_END if report.plan.is_at_end else _TODAY))


def _change_of_early(reader: Reader, report: ExperimentReport) -> str:
    day = report.verdict.decide_from
    is_window = VerdictReason.WINDOW_NOT_REACHED in report.verdict.reasons
    if is_window and day is not None:
        return reader.gettext(
            "This can change from {date} at the earliest, when the first visitors have"
            " been followed for the whole window.",
            date=reader.format.day(day),
        )
    return reader.gettext("This can change as soon as more conversions are in.")


def _change_while_running(reader: Reader, report: ExperimentReport) -> str:
    end = report.plan.expected_end
    if report.plan.method is Method.SEQUENTIAL:
        return reader.gettext(
            "This can change with every complete day; you may look as often as you"
            " like."
        )
    if end is None:
        return reader.gettext("This changes at the planned end, not before.")
    return reader.gettext(
        "This changes at the planned end, about {date}, not before.",
        date=reader.format.day(end),
    )
