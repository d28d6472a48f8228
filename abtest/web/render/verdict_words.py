"""The parts of a verdict, and the turns of phrase that several verdicts share."""

from dataclasses import dataclass

from abtest.domain.funnel import CountWeights, MoneyWeights
from abtest.services.comparison_report import Comparison
from abtest.services.report import ExperimentReport
from abtest.stats.results import FrequentistResult, Interval
from abtest.web.render.quantities import conversions, level, value_of
from abtest.web.render.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictWords:
    """A verdict in four parts, each one or two sentences.

    Attributes:
        headline: what happened, in one breath.
        happened: the same in natural numbers; may be empty.
        certainty: how sure that is.
        advice: what to do.
    """

    headline: str
    happened: str
    certainty: str
    advice: str

    @property
    def sentence(self) -> str:
        """All parts in a row."""
        parts = (self.headline, self.happened, self.certainty, self.advice)
        return " ".join(part for part in parts if part)


def gain(reader: Reader, report: ExperimentReport, comparison: Comparison) -> str:
    """Say by how much the value differs, without a sign: 18 points."""
    result = comparison.value.frequentist
    if not isinstance(result, FrequentistResult):
        return reader.gettext("an unknown amount")
    decided = comparison.decision_effect
    effect = result.effect if decided is None else decided
    quantity = value_of(reader, report)
    return quantity.amount(abs(effect), digits=quantity.digits(effect))


def both_changes(
    reader: Reader, report: ExperimentReport, comparison: Comparison
) -> str:
    """Say how both conversions changed per 1,000 visitors; empty when unknown."""
    first, second = comparison.first.frequentist, comparison.second.frequentist
    if not (
        isinstance(first, FrequentistResult) and isinstance(second, FrequentistResult)
    ):
        return ""
    says = {
        "first": _change_of_first(reader, first.effect),
        "second": _change_of_second(reader, second.effect),
    }
    match report.weights:
        case CountWeights():
            return reader.gettext("That is {first} and {second}.", **says)
        case MoneyWeights():
            return reader.gettext(
                "Per 1,000 visitors that is {first} and {second}.", **says
            )


def _change_of_first(reader: Reader, effect: float) -> str:
    number = _per_thousand(reader, effect)
    if effect > 0:
        return reader.gettext("{n} more first conversions", n=number)
    return reader.gettext("{n} fewer first conversions", n=number)


def _change_of_second(reader: Reader, effect: float) -> str:
    number = _per_thousand(reader, effect)
    if effect > 0:
        return reader.gettext("{n} more second conversions", n=number)
    return reader.gettext("{n} fewer second conversions", n=number)


def _per_thousand(reader: Reader, effect: float) -> str:
    quantity = conversions(reader)
    return quantity.text(abs(effect), digits=quantity.digits(effect))


def value_range(
    reader: Reader, report: ExperimentReport, interval: Interval | None
) -> str:
    """Write the range of the value's difference: +4 to +14 points per 1,000 visitors.

    Empty without an interval.
    """
    if interval is None:
        return ""
    quantity = value_of(reader, report)
    words = (quantity.span(interval), quantity.unit, quantity.per)
    return " ".join(word for word in words if word)


def range_sentence(reader: Reader, report: ExperimentReport, words: str) -> str:
    """Say where the true difference lies."""
    return reader.gettext(
        "{level}% range of the true difference: {range}.",
        range=words,
        level=level(reader, report),
    )
