"""How much: conversions per 1,000 visitors, value, money, relative changes, ranges."""

from collections.abc import Callable
from dataclasses import dataclass

from abtest.domain.experiment import Experiment
from abtest.domain.funnel import CountWeights, MoneyWeights
from abtest.services.report import ExperimentReport
from abtest.stats.results import Interval
from abtest.web.render.format import decimals
from abtest.web.render.reader import Reader

NOTHING = "\N{EN DASH}"
"""Stands where there is no number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """Something counted per visitor, and how it is written.

    Attributes:
        scale: what one unit per visitor is multiplied by for a reader: 1,000 for
            counts and points, because nobody pictures 0.009 purchases.
        currency: for money, which is written per visitor.
        unit: word behind the number, empty for money and plain conversions.
    """

    reader: Reader
    scale: float
    currency: str | None
    unit: str

    @property
    def per(self) -> str:
        """Words that say what it is counted per."""
        if self.currency:
            return self.reader.gettext("per visitor")
        return self.reader.gettext("per 1,000 visitors")

    def digits(self, *values: float | None) -> int:
        """Choose the decimals of numbers that stand together."""
        return decimals(None if v is None else v * self.scale for v in values)

    def text(self, value: float, *, digits: int, signed: bool = False) -> str:
        """Write the number without its unit."""
        scaled = value * self.scale
        if self.currency:
            return self.reader.format.money(
                scaled, self.currency, digits=digits, signed=signed
            )
        return self.reader.format.number(scaled, digits=digits, signed=signed)

    def amount(self, value: float, *, digits: int, signed: bool = False) -> str:
        """Write the number with its unit."""
        text = self.text(value, digits=digits, signed=signed)
        return f"{text} {self.unit}" if self.unit else text

    def span(self, interval: Interval | None, *, digits: int | None = None) -> str:
        """Write a range of changes, signed, without the unit."""
        if interval is None:
            return self.reader.gettext("not bounded")
        places = digits
        if places is None:
            places = self.digits(interval.lower, interval.upper)
        return span(
            self.reader, interval, lambda v: self.text(v, digits=places, signed=True)
        )


def conversions(reader: Reader) -> Quantity:
    """Return conversions per 1,000 visitors."""
    return Quantity(reader=reader, scale=1000, currency=None, unit="")


def value_of(reader: Reader, report: ExperimentReport | Experiment) -> Quantity:
    """Return the value per visitor: money, or points per 1,000 visitors."""
    match report.weights:
        case MoneyWeights(currency=currency):
            return Quantity(reader=reader, scale=1, currency=currency, unit="")
        case CountWeights():
            unit = reader.gettext("points")
            return Quantity(reader=reader, scale=1000, currency=None, unit=unit)


def span(reader: Reader, interval: Interval, write: Callable[[float], str]) -> str:
    """Write a range whose ends may be open."""
    lower, upper = interval.lower, interval.upper
    if lower is not None and upper is not None:
        return reader.gettext(
            "{lower} to {upper}", lower=write(lower), upper=write(upper)
        )
    if lower is not None:
        return reader.gettext("at least {lower}", lower=write(lower))
    if upper is not None:
        return reader.gettext("at most {upper}", upper=write(upper))
    return reader.gettext("not bounded")


def percent_span(reader: Reader, interval: Interval | None) -> str:
    """Write a range of relative changes in percent."""
    if interval is None:
        return reader.gettext("not bounded")
    return span(reader, interval, lambda v: relative(reader, v))


def relative(reader: Reader, change: float) -> str:
    """Write a relative change: +7.8 %."""
    digits = 0 if abs(change) >= 1 else 1
    return reader.format.percent(change, digits=digits, signed=True)


def level(reader: Reader, report: ExperimentReport) -> str:
    """Write how sure an interval is, as the number before the percent sign: 95."""
    return reader.format.plain(100 * (1 - report.plan.alpha))


def chance(reader: Reader, probability: float) -> str:
    """Write a probability in percent, never as a certainty."""
    if probability > 0.999:
        most = reader.format.percent(0.999, digits=1)
        return reader.gettext("more than {amount}", amount=most)
    if probability < 0.001:
        least = reader.format.percent(0.001, digits=1)
        return reader.gettext("less than {amount}", amount=least)
    return reader.format.percent(probability, digits=1)


def luck(reader: Reader, p_value: float | None) -> str:
    """Write a p-value as a natural frequency: 3 of 1,000 (p = 0.003)."""
    if p_value is None:
        return NOTHING
    p = _p_value(reader, p_value)
    if p_value < 0.001:
        return reader.gettext("fewer than 1 of 1,000 ({p})", p=p)
    if p_value < 0.1:
        thousand = reader.format.integer(round(1000 * p_value))
        return reader.gettext("{n} of 1,000 ({p})", n=thousand, p=p)
    hundred = reader.format.integer(round(100 * p_value))
    return reader.gettext("{n} of 100 ({p})", n=hundred, p=p)


def _p_value(reader: Reader, p_value: float) -> str:
    """Write a p-value in one piece that no line breaks."""
    sign = "<" if p_value < 0.001 else "="
    number = reader.format.number(max(p_value, 0.001), digits=3)
    return f"p {sign} {number}".replace(" ", "\N{NO-BREAK SPACE}")
