"""Verdicts that ask for patience, for a repair, or for a choice on other grounds."""

from abtest.domain.experiment import Status
from abtest.services.report import (
    ExperimentReport,
    HealthCheck,
    HealthCode,
    HealthStatus,
    VerdictReason,
)
from abtest.stats.results import FrequentistResult, Interval, SequentialResult
from abtest.web.render.health_sentence import health_sentence, odds
from abtest.web.render.quantities import level
from abtest.web.render.reader import Reader
from abtest.web.render.verdict_words import VerdictWords, range_sentence, value_range
from abtest.web.render.words import (
    control_name,
    leading_comparison,
    variant_name,
)


def no_data(reader: Reader, report: ExperimentReport) -> VerdictWords:
    """Nobody was exposed."""
    say = reader.gettext
    if report.status is Status.DRAFT:
        return VerdictWords(
            headline=say("This experiment has not been started."),
            happened=say("Nobody has seen it."),
            certainty=say("So there is nothing to judge."),
            advice=say("Start it and put the snippet on the page."),
        )
    if report.today.exposures:
        return VerdictWords(
            headline=say("The first visitors came today."),
            happened="",
            certainty=say("A day counts once it is over: there is nothing to judge."),
            advice=say("Look again tomorrow."),
        )
    return VerdictWords(
        headline=say("Nobody has seen this experiment yet."),
        happened="",
        certainty=say("So there is nothing to judge."),
        advice=say("Check that the snippet is on the page and that its key is right."),
    )


def unhealthy(reader: Reader, report: ExperimentReport) -> VerdictWords:
    """A check forbids a verdict."""
    say = reader.gettext
    check = _blocking(report)
    if check is None or check.code is not HealthCode.SAMPLE_RATIO:
        found = "" if check is None else health_sentence(check, report, reader.tag)
        return VerdictWords(
            headline=say("Do not use these numbers: a health check failed."),
            happened=found,
            certainty=say("What they say of the variants cannot be trusted."),
            advice=say("Mend the cause and start a new experiment."),
        )
    return VerdictWords(
        headline=say("Do not use these numbers."),
        happened=health_sentence(check, report, reader.tag),
        certainty=say(
            "With a working split, chance does this in at most 1 of {n} experiments.",
            n=odds(reader, check),
        ),
        advice=say(
            "Find the cause (a redirect, a cache, bots, an error in one variant), mend"
            " it and start a new experiment."
        ),
    )


def too_early(reader: Reader, report: ExperimentReport) -> VerdictWords:
    """The oldest visitors have not been followed long enough, or counts are small."""
    say = reader.gettext
    if VerdictReason.WINDOW_NOT_REACHED in report.verdict.reasons:
        return VerdictWords(
            headline=say("It is too early to say."),
            happened=reader.ngettext(
                "Nobody has been followed for the whole window of {n} day yet.",
                "Nobody has been followed for the whole window of {n} days yet.",
                report.window_days,
            ),
            certainty=say(
                "Early numbers favour the variant whose customers buy fast; they can"
                " still turn."
            ),
            advice=_wait_from(reader, report),
        )
    return VerdictWords(
        headline=say("It is too early to say."),
        happened=say("There are too few conversions to compare the variants."),
        certainty=_counts_sentence(reader, report),
        advice=say("Wait for more conversions."),
    )


def running(reader: Reader, report: ExperimentReport) -> VerdictWords:
    """Past the floor, before the end, nothing decided."""
    say = reader.gettext
    headline = {
        Status.PAUSED: say("The experiment is paused; nothing is decided yet."),
        Status.CLOSED: say(
            "No new visitors enter, the earlier ones are still followed; nothing is"
            " decided yet."
        ),
    }.get(report.status, say("The experiment runs as planned; nothing is decided yet."))
    end = report.plan.expected_end
    return VerdictWords(
        headline=headline,
        happened="",
        certainty=_so_far(reader, report),
        advice=(
            say("Wait until the planned amount of data is in.")
            if end is None
            else say(
                "Wait; at the present pace the planned amount of data is in on {date}.",
                date=reader.format.day(end),
            )
        ),
    )


def equivalent(reader: Reader, report: ExperimentReport) -> VerdictWords:
    """At the end: no difference that matters."""
    say = reader.gettext
    return VerdictWords(
        headline=say("There is no difference that matters."),
        happened=_both_names(reader, report),
        certainty=_so_far(reader, report),
        advice=say("Choose by taste or cost."),
    )


def inconclusive(reader: Reader, report: ExperimentReport) -> VerdictWords:
    """At the end: the variants cannot be told apart."""
    say = reader.gettext
    return VerdictWords(
        headline=say("We could not tell the variants apart."),
        happened=say("The plan is at its end and the difference is still open."),
        certainty=_so_far(reader, report),
        advice=say(
            "Keep {control}, or test a bolder idea or more visitors.",
            control=control_name(reader, report),
        ),
    )


def stopped_early(reader: Reader, report: ExperimentReport) -> VerdictWords:
    """Somebody ended it before the plan allowed a decision."""
    say = reader.gettext
    return VerdictWords(
        headline=say("It was stopped before the plan allowed a decision."),
        happened=say("Take this as a hint, not as proof."),
        certainty=_so_far(reader, report),
        advice=say(
            "Keep {control}, or run a new experiment to its planned end.",
            control=control_name(reader, report),
        ),
    )


def _blocking(report: ExperimentReport) -> HealthCheck | None:
    blocked = (c for c in report.health.checks if c.status is HealthStatus.BLOCKED)
    return next(blocked, None)


def _wait_from(reader: Reader, report: ExperimentReport) -> str:
    day = report.verdict.decide_from
    if day is None:
        return reader.gettext("Wait.")
    return reader.gettext(
        "Wait; a decision is possible from {date} at the earliest.",
        date=reader.format.day(day),
    )


def _counts_sentence(reader: Reader, report: ExperimentReport) -> str:
    """Say how many conversions there are and how many are needed."""
    check = next(
        (c for c in report.health.checks if c.code is HealthCode.MINIMUM_COUNTS), None
    )
    if check is None:
        return reader.gettext("Small counts change a lot from day to day.")
    return health_sentence(check, report, reader.tag)


def _both_names(reader: Reader, report: ExperimentReport) -> str:
    if len(report.comparisons) != 1:
        return reader.gettext("All variants do about equally well.")
    return reader.gettext(
        "{control} and {variant} do about equally well.",
        control=control_name(reader, report),
        variant=variant_name(reader, report, report.comparisons[0].variant),
    )


def _so_far(reader: Reader, report: ExperimentReport) -> str:
    """Say where the difference of the leading variant lies."""
    comparison = leading_comparison(report)
    words = "" if comparison is None else value_range(reader, report, _known(report))
    if comparison is None or not words:
        return reader.gettext("How far the variants differ cannot be bounded.")
    if len(report.comparisons) == 1:
        return range_sentence(reader, report, words)
    return reader.gettext(
        "{level}% range of the true difference between {variant}, ahead of the others,"
        " and {control}: {range}.",
        variant=variant_name(reader, report, comparison.variant),
        control=control_name(reader, report),
        range=words,
        level=level(reader, report),
    )


def _known(report: ExperimentReport) -> Interval | None:
    """Return the interval the method allows to be read today."""
    comparison = leading_comparison(report)
    if comparison is None:
        return None
    if comparison.decision_interval is not None:
        return comparison.decision_interval
    match comparison.value.sequential, comparison.value.frequentist:
        case (SequentialResult(confidence_interval=interval), _):
            return interval
        case (_, FrequentistResult(confidence_interval=interval)):
            return interval
        case _:
            return None
