"""Verdicts on which something can be done: a winner, a loser, a conflict of aims."""

from abtest.domain.funnel import CountWeights
from abtest.services.comparison_report import Comparison
from abtest.services.report import ExperimentReport
from abtest.stats.results import BreakEvenWeight, FrequentistResult
from abtest.web.render.quantities import level, percent_span, value_of
from abtest.web.render.reader import Reader
from abtest.web.render.verdict_words import (
    VerdictWords,
    both_changes,
    gain,
    value_range,
)
from abtest.web.render.words import (
    control_name,
    leading_comparison,
    variant_name,
)


def winner(reader: Reader, report: ExperimentReport) -> VerdictWords:
    """A variant is better over both conversions and loses few first ones."""
    comparison = _leading(report)
    say, names = reader.gettext, _names(reader, report, comparison)
    return VerdictWords(
        headline=say("{variant} is better than {control}.", **names),
        happened=_gain_sentences(reader, report, comparison),
        certainty=" ".join(
            (
                _above_or_below_zero(reader, report, comparison),
                say(
                    "First conversions stay within the loss you allowed"
                    " (at most {margin}).",
                    margin=_margin(reader, report),
                ),
            )
        ),
        advice=say("You can switch to {variant}.", **names),
    )


def tradeoff(reader: Reader, report: ExperimentReport) -> VerdictWords:
    """A variant is better over both conversions and loses too many first ones."""
    comparison = _leading(report)
    say, names = reader.gettext, _names(reader, report, comparison)
    return VerdictWords(
        headline=say(
            "{variant} brings more value than {control}, but costs more first"
            " conversions than you allowed.",
            **names,
        ),
        happened=_gain_sentences(reader, report, comparison),
        certainty=" ".join(
            (
                _above_or_below_zero(reader, report, comparison),
                _first_sentence(reader, report, comparison),
            )
        ),
        advice=_pays_off(reader, report, comparison),
    )


def keep_control(reader: Reader, report: ExperimentReport) -> VerdictWords:
    """Every other variant is worse over both conversions."""
    comparison = _leading(report)
    say, names = reader.gettext, _names(reader, report, comparison)
    per = value_of(reader, report).per
    less = gain(reader, report, comparison)
    if len(report.comparisons) == 1:
        headline = say("{variant} is worse than {control}.", **names)
        happened = say(
            "It brings about {amount} less {per} over both conversions.",
            amount=less,
            per=per,
        )
    else:
        headline = say("All other variants are worse than {control}.", **names)
        happened = say(
            "The closest, {variant}, brings about {amount} less {per} over both"
            " conversions.",
            amount=less,
            per=per,
            **names,
        )
    changes = both_changes(reader, report, comparison)
    return VerdictWords(
        headline=headline,
        happened=f"{happened} {changes}".strip(),
        certainty=_above_or_below_zero(reader, report, comparison),
        advice=say("Keep {control}.", **names),
    )


def guardrail_open(reader: Reader, report: ExperimentReport) -> VerdictWords:
    """The plan is at its end; the loss of first conversions could not be bounded."""
    comparison = _leading(report)
    say, names = reader.gettext, _names(reader, report, comparison)
    return VerdictWords(
        headline=say(
            "{variant} brings more value than {control}, but it may cost more first"
            " conversions than you allowed.",
            **names,
        ),
        happened=_gain_sentences(reader, report, comparison),
        certainty=_first_sentence(reader, report, comparison),
        advice=say(
            "Keep {control}, or test {variant} again with more visitors.", **names
        ),
    )


def _leading(report: ExperimentReport) -> Comparison:
    comparison = leading_comparison(report)
    if comparison is None:
        raise ValueError(f"{report.verdict.code} without a comparison")
    return comparison


def _names(
    reader: Reader, report: ExperimentReport, comparison: Comparison
) -> dict[str, str]:
    return {
        "variant": variant_name(reader, report, comparison.variant),
        "control": control_name(reader, report),
    }


def _gain_sentences(
    reader: Reader, report: ExperimentReport, comparison: Comparison
) -> str:
    more = reader.gettext(
        "It brings about {amount} more {per} over both conversions.",
        amount=gain(reader, report, comparison),
        per=value_of(reader, report).per,
    )
    return f"{more} {both_changes(reader, report, comparison)}".strip()


def _above_or_below_zero(
    reader: Reader, report: ExperimentReport, comparison: Comparison
) -> str:
    interval = comparison.decision_interval
    words = value_range(reader, report, interval)
    if interval is None:
        return reader.gettext("How far it differs cannot be bounded.")
    says = {"range": words, "level": level(reader, report)}
    if interval.lower is not None and interval.lower > 0:
        return reader.gettext(
            "The {level}% range, {range}, lies above zero throughout.", **says
        )
    return reader.gettext(
        "The {level}% range, {range}, lies below zero throughout.", **says
    )


def _first_sentence(
    reader: Reader, report: ExperimentReport, comparison: Comparison
) -> str:
    return reader.gettext(
        "First conversions change by {range} ({level}% range); you allowed a loss of"
        " at most {margin}.",
        range=percent_span(reader, comparison.guardrail.interval),
        level=level(reader, report),
        margin=_margin(reader, report),
    )


def _margin(reader: Reader, report: ExperimentReport) -> str:
    return reader.format.percent(report.plan.first_conversion_margin, digits=0)


def _pays_off(reader: Reader, report: ExperimentReport, comparison: Comparison) -> str:
    """Say at which worth of the second conversion the variant pays off."""
    worth, second = comparison.break_even_weight, comparison.second.frequentist
    says = _names(reader, report, comparison)
    match report.weights, worth, second:
        case (
            CountWeights(second=chosen),
            BreakEvenWeight(estimate=float(estimate)),
            FrequentistResult(effect=effect),
        ):
            says["worth"] = reader.format.number(estimate, digits=1)
            says["chosen"] = reader.format.plain(chosen)
            if effect > 0:
                return reader.gettext(
                    "You decide: {variant} pays off only if a second conversion is"
                    " worth more than {worth} points. You set {chosen}.",
                    **says,
                )
            return reader.gettext(
                "You decide: {variant} pays off only if a second conversion is worth"
                " less than {worth} points. You set {chosen}.",
                **says,
            )
        case _:
            return reader.gettext(
                "You decide whether the later revenue is worth the customers lost at"
                " first."
            )
