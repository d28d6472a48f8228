"""How the report was calculated, line by line."""

from dataclasses import dataclass

from abtest.services.report import ExperimentReport
from abtest.stats.results import FrequentistResult, SequentialResult
from abtest.web.pages.views.figures import Figure, Shown
from abtest.web.pages.views.times import moment_in_zone
from abtest.web.render.quantities import NOTHING
from abtest.web.render.reader import Reader
from abtest.web.render.words import METHODS


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodLine:
    """One fact."""

    name: str
    value: Shown


def method_lines(reader: Reader, report: ExperimentReport) -> tuple[MethodLine, ...]:
    """Describe how the numbers came about."""
    say, plan = reader.gettext, report.plan
    stratified = (
        say("day by day, because the traffic split changed")
        if plan.stratified
        else say("over all days together")
    )
    return (
        MethodLine(
            name=say("Last complete day"),
            value=Figure(
                reader.format.day(report.as_of), "as_of", report.as_of.isoformat()
            ),
        ),
        MethodLine(name=say("Data until"), value=_data_through(reader, report)),
        MethodLine(name=say("Method"), value=say(METHODS[plan.method])),
        MethodLine(
            name=say("Window"),
            value=Figure(
                reader.ngettext("{n} day", "{n} days", report.window_days),
                "window_days",
                report.window_days,
            ),
        ),
        MethodLine(
            name=say("Estimate"),
            value=say(
                "Every visitor counts, corrected for the days still missing"
                " (conversions by day since the first visit, added up), {how}.",
                how=stratified,
            ),
        ),
        MethodLine(
            name=say("Chance of a false alarm"),
            value=_percent(reader, plan.alpha, "plan.alpha"),
        ),
        MethodLine(name=say("Power"), value=_percent(reader, plan.power, "plan.power")),
        MethodLine(
            name=say("Smallest difference that matters"),
            value=_percent(
                reader,
                plan.minimum_detectable_effect,
                "plan.minimum_detectable_effect",
            ),
        ),
        MethodLine(
            name=say("Allowed loss of first conversions"),
            value=_percent(
                reader, plan.first_conversion_margin, "plan.first_conversion_margin"
            ),
        ),
        *_order_cap(reader, report),
        MethodLine(
            name=say("Share of the planned information"),
            value=(
                NOTHING
                if plan.information_fraction is None
                else _percent(
                    reader, plan.information_fraction, "plan.information_fraction"
                )
            ),
        ),
        MethodLine(
            name=say("Bound on the test statistic"),
            value=Figure(
                reader.format.number(plan.critical_value, digits=3),
                "plan.critical_value",
                plan.critical_value,
            ),
        ),
        MethodLine(name=say("Tests"), value=_tests(report)),
        MethodLine(
            name=say("Version"),
            value=Figure(report.code_version, "code_version", report.code_version),
        ),
        MethodLine(
            name=say("Fingerprint of the events"),
            value=Figure(report.event_digest, "event_digest", report.event_digest),
        ),
    )


def _percent(reader: Reader, share: float, path: str) -> Figure:
    text = reader.format.percent(share, digits=0)
    precise = reader.format.percent(share, digits=1)
    is_round = abs(share * 100 - round(share * 100)) < 1e-9
    return Figure(text if is_round else precise, path, share)


def _data_through(reader: Reader, report: ExperimentReport) -> str:
    if report.data_through is None:
        return NOTHING
    return moment_in_zone(reader, report.data_through, report.time_zone)


def _order_cap(reader: Reader, report: ExperimentReport) -> tuple[MethodLine, ...]:
    cap, currency = report.plan.order_cap, report.currency
    if cap is None or currency is None:
        return ()
    shown = Figure(reader.format.money(cap, currency), "plan.order_cap", cap)
    return (MethodLine(name=reader.gettext("An order counts up to"), value=shown),)


def _tests(report: ExperimentReport) -> str:
    """Name the tests as the statistics name them, each once."""
    names = [
        result.method
        for comparison in report.comparisons
        for result in (comparison.value.frequentist, comparison.value.sequential)
        if isinstance(result, FrequentistResult | SequentialResult)
    ]
    return ", ".join(dict.fromkeys(names)) or NOTHING
