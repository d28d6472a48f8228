"""Everything the results page shows, in its order."""

from dataclasses import dataclass

from markupsafe import Markup

from abtest.domain.experiment import Experiment
from abtest.domain.funnel import MoneyWeights
from abtest.services.report import ExperimentReport, VerdictCode
from abtest.web.pages.views.cross_checks import CrossCheck, cross_check
from abtest.web.pages.views.decision_log import LogLine, decision_log
from abtest.web.pages.views.difference import DifferenceView, difference_view
from abtest.web.pages.views.figures import Figure, rich
from abtest.web.pages.views.funnel import FunnelView, funnel_view
from abtest.web.pages.views.gain import GainView, gain_view
from abtest.web.pages.views.health_box import HealthBox, health_box
from abtest.web.pages.views.maturity import MaturityView, maturity_view
from abtest.web.pages.views.method import MethodLine, method_lines
from abtest.web.pages.views.price import PriceRow, price_rows
from abtest.web.pages.views.segments import attribute_names
from abtest.web.pages.views.subject import Subject, subject_view
from abtest.web.pages.views.sure import SureView, sure_view
from abtest.web.pages.views.verdict_panel import VerdictPanel, verdict_panel
from abtest.web.pages.views.worth import WorthForm, WorthView, worth_form, worth_view
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark
from abtest.web.render.words import STATUSES

_CAUTIONS = {
    VerdictCode.UNHEALTHY: mark(
        "A health check is blocked. The numbers below help to find the cause; they are"
        " no ground for a decision."
    ),
    VerdictCode.TOO_EARLY: mark(
        "It is too early: the numbers below will still change a lot."
    ),
    VerdictCode.RUNNING: mark(
        "Nothing is decided yet. Who is ahead below may change until the planned end."
    ),
}

_CONTENTS = (
    ("tested", mark("What is tested")),
    ("health", mark("Trust")),
    ("funnel", mark("Funnel")),
    ("difference", mark("Difference")),
    ("worth", mark("Worth")),
    ("gain", mark("Source of the gain")),
    ("maturity", mark("Still to come")),
    ("over-time", mark("Day by day")),
    ("sure", mark("How sure")),
    ("checks", mark("Cross-checks")),
    ("segments", mark("Groups")),
    ("quality", mark("All checks")),
    ("method", mark("Method")),
    ("log", mark("What was done")),
    ("exports", mark("Files")),
)
FILED = frozenset({"segments", "exports"})
"""Sections that a file has no use for: they lead elsewhere."""

SHARED = FILED | {"log"}
"""Sections that people without a login do not see."""

_NEED_NUMBERS = {
    "funnel",
    "difference",
    "worth",
    "gain",
    "sure",
    "checks",
    "segments",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A section that can be jumped to."""

    key: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsView:
    """The results page of one experiment.

    Attributes:
        attributes: by which visitors can be grouped, with words; None before there
            are any visitors.
        caution: stands before numbers that must not be taken for a decision.
        is_money: revenue decides, not points.
    """

    key: str
    name: str
    status: str
    status_word: str
    as_of: str
    verdict: VerdictPanel
    subject: Subject
    health: HealthBox
    funnel: FunnelView | None
    caution: str
    differences: tuple[DifferenceView, ...]
    worth_form: WorthForm
    worths: tuple[WorthView, ...]
    is_money: bool
    gains: tuple[GainView, ...]
    maturity: MaturityView
    today: Markup
    checks: tuple[CrossCheck, ...]
    method: tuple[MethodLine, ...]
    log: tuple[LogLine, ...]
    prices: tuple[PriceRow, ...]
    sures: tuple[SureView, ...]
    attributes: tuple[tuple[str, str], ...] | None
    contents: tuple[Place, ...]


def results_view(
    reader: Reader,
    report: ExperimentReport,
    experiment: Experiment,
    *,
    attributes: tuple[str, ...] = (),
    has_days: bool = False,
    hidden: frozenset[str] = frozenset(),
) -> ResultsView:
    """Describe the results page.

    Args:
        reader: who reads it.
        report: of the experiment.
        experiment: what the report is of.
        attributes: by which visitors can be grouped.
        has_days: the page shows the days too.
        hidden: sections that are not shown to this reader.
    """
    caution = _CAUTIONS.get(report.verdict.code, "")
    indices = range(len(report.comparisons)) if _has_visitors(report) else range(0)
    return ResultsView(
        key=str(report.experiment),
        name=report.name,
        status=report.status.value,
        status_word=reader.gettext(STATUSES[report.status]),
        as_of=reader.format.day(report.as_of),
        verdict=verdict_panel(reader, report),
        subject=subject_view(reader, report),
        health=health_box(reader, report),
        funnel=funnel_view(reader, report),
        caution=reader.gettext(caution) if caution else "",
        differences=tuple(difference_view(reader, report, i) for i in indices),
        worth_form=worth_form(report),
        worths=tuple(worth_view(reader, report, i) for i in indices),
        is_money=isinstance(report.weights, MoneyWeights),
        gains=tuple(gain_view(reader, report, i) for i in indices),
        maturity=maturity_view(reader, report),
        today=_today(reader, report),
        checks=tuple(cross_check(reader, report, i) for i in indices),
        method=method_lines(reader, report),
        log=decision_log(reader, experiment),
        prices=price_rows(reader, report) if indices else (),
        sures=tuple(sure_view(reader, report, i) for i in indices),
        attributes=attribute_names(reader, attributes) if indices else None,
        contents=_contents(
            reader,
            (set() if has_days else {"over-time"})
            | (set() if indices else _NEED_NUMBERS)
            | hidden,
        ),
    )


def _contents(reader: Reader, hidden: set[str]) -> tuple[Place, ...]:
    """Return the list of the sections that the page has."""
    return tuple(
        Place(key=key, words=reader.gettext(words))
        for key, words in _CONTENTS
        if key not in hidden
    )


def _has_visitors(report: ExperimentReport) -> bool:
    return any(variant.visitors for variant in report.variants)


def _today(reader: Reader, report: ExperimentReport) -> Markup:
    """Say what came in since the last complete day."""
    return rich(
        reader,
        "Today so far: {exposures} visitors, {conversions} conversions. They count"
        " from tomorrow on.",
        exposures=Figure(
            reader.format.integer(report.today.exposures),
            "today.exposures",
            report.today.exposures,
        ),
        conversions=Figure(
            reader.format.integer(report.today.conversions),
            "today.conversions",
            report.today.conversions,
        ),
    )
