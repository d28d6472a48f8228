"""Cross-checks: mature visitors alone, the exact posterior, another calculator."""

from dataclasses import dataclass

from markupsafe import Markup, escape

from abtest.services.report import ExperimentReport
from abtest.stats.results import BayesianResult, FrequentistResult, NotEstimable
from abtest.web.pages.views.figures import Figure, ends, rich
from abtest.web.render.quantities import (
    Quantity,
    chance,
    conversions,
    luck,
    value_of,
)
from abtest.web.render.reader import Reader
from abtest.web.render.words import control_name, reason_sentence, variant_name


@dataclass(frozen=True, slots=True, kw_only=True)
class RawCounts:
    """What to type into another calculator."""

    name: str
    visitors: Figure
    first: Figure
    second: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCheck:
    """The checks of one comparison.

    Attributes:
        variance_reduced: empty unless a covariate is declared; `covariate` is its name.
        exact: the posterior without the normal approximation; empty where that is
            not possible.
    """

    title: str
    mature_only: Markup
    covariate: str
    variance_reduced: Markup
    exact: Markup
    counts: tuple[RawCounts, RawCounts]
    calculator: Markup


def cross_check(reader: Reader, report: ExperimentReport, index: int) -> CrossCheck:
    """Describe the checks of comparison number `index`."""
    comparison = report.comparisons[index]
    path = f"comparisons.{index}"
    return CrossCheck(
        title=reader.gettext(
            "{variant} against {control}",
            variant=variant_name(reader, report, comparison.variant),
            control=control_name(reader, report),
        ),
        mature_only=_value_differs(
            reader,
            comparison.mature_only,
            value_of(reader, report),
            path=f"{path}.mature_only",
        ),
        covariate=report.plan.covariate or "",
        variance_reduced=(
            _value_differs(
                reader,
                comparison.variance_reduced,
                value_of(reader, report),
                path=f"{path}.variance_reduced",
            )
            if report.plan.covariate
            else Markup("")
        ),
        exact=_exact(
            reader,
            comparison.exact_posterior,
            value_of(reader, report),
            path=f"{path}.exact_posterior",
        ),
        counts=(_counts(reader, report, 0), _counts(reader, report, index + 1)),
        calculator=_calculator(
            reader, comparison.calculator_check, f"{path}.calculator_check"
        ),
    )


def _value_differs(
    reader: Reader,
    result: FrequentistResult | NotEstimable,
    quantity: Quantity,
    *,
    path: str,
) -> Markup:
    if isinstance(result, NotEstimable):
        return escape(reason_sentence(result, reader.tag))
    interval = result.confidence_interval
    digits = quantity.digits(result.effect, interval.lower, interval.upper)
    return rich(
        reader,
        "The value differs by {effect} ({range}) {per}.",
        effect=Figure(
            quantity.amount(result.effect, digits=digits, signed=True),
            f"{path}.effect",
            result.effect,
        ),
        range=Figure(
            quantity.span(interval, digits=digits),
            f"{path}.confidence_interval",
            ends(interval),
        ),
        per=quantity.per,
    )


def _exact(
    reader: Reader,
    result: BayesianResult | NotEstimable,
    quantity: Quantity,
    *,
    path: str,
) -> Markup:
    if isinstance(result, NotEstimable):
        return Markup("")
    interval = result.credible_interval
    return rich(
        reader,
        "Calculated exactly, the probability of being better is {chance}, and the"
        " difference lies within {range} {per}. This should hardly differ from the"
        " figures above.",
        chance=Figure(
            chance(reader, result.probability_to_beat_control),
            f"{path}.probability_to_beat_control",
            result.probability_to_beat_control,
        ),
        range=Figure(
            quantity.span(interval), f"{path}.credible_interval", ends(interval)
        ),
        per=" ".join(word for word in (quantity.unit, quantity.per) if word),
    )


def _counts(reader: Reader, report: ExperimentReport, index: int) -> RawCounts:
    variant = report.variants[index]

    def count(number: int, end: str) -> Figure:
        return Figure(reader.format.integer(number), f"variants.{index}.{end}", number)

    return RawCounts(
        name=variant.name or str(variant.key),
        visitors=count(variant.visitors, "visitors"),
        first=count(variant.first.observed, "first.observed"),
        second=count(variant.second.observed, "second.observed"),
    )


def _calculator(
    reader: Reader, result: FrequentistResult | NotEstimable, path: str
) -> Markup:
    if isinstance(result, NotEstimable):
        return escape(reason_sentence(result, reader.tag))
    quantity = conversions(reader)
    return rich(
        reader,
        "Two-proportion z-test of the first conversions counted so far, pooled"
        " variance, two-sided, no continuity correction: z = {z}, {luck}; difference"
        " {effect} per 1,000 visitors.",
        z=Figure(
            reader.format.number(result.statistic, digits=3),
            f"{path}.statistic",
            result.statistic,
        ),
        luck=Figure(luck(reader, result.p_value), f"{path}.p_value", result.p_value),
        effect=Figure(
            quantity.text(
                result.effect, digits=quantity.digits(result.effect), signed=True
            ),
            f"{path}.effect",
            result.effect,
        ),
    )
