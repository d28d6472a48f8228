"""Numbers, shares, money and days as people in a country write them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import (
    NumberPattern,
    format_decimal,
    get_currency_precision,
    parse_pattern,
)

MINUS = "\N{MINUS SIGN}"
WORD_JOINER = "\N{WORD JOINER}"


@dataclass(frozen=True, slots=True)
class Format:
    """Writes values in the manner of one locale (Unicode's CLDR, through Babel)."""

    locale: Locale

    def integer(self, value: float) -> str:
        """Write a count: 4,211."""
        return self.number(value, digits=0)

    def number(self, value: float, *, digits: int, signed: bool = False) -> str:
        """Write a number with a fixed count of decimals."""
        pattern = parse_pattern(self.locale.decimal_formats[None].pattern)
        return self._applied(pattern, value, (digits, digits), signed=signed)

    def plain(self, value: float) -> str:
        """Write a number that a person chose, with at most three decimals: 2.5."""
        text = format_decimal(value, format="#,##0.###", locale=self.locale)
        return text.replace("-", MINUS)

    def percent(self, share: float, *, digits: int = 1, signed: bool = False) -> str:
        """Write a share between 0 and 1 in percent."""
        pattern = parse_pattern(self.locale.percent_formats[None].pattern)
        return self._applied(pattern, share, (digits, digits), signed=signed)

    def money(
        self, amount: float, currency: str, *, digits: int = 0, signed: bool = False
    ) -> str:
        """Write major units with at least the currency's own decimals."""
        pattern = parse_pattern(self.locale.currency_formats["standard"].pattern)
        least = max(get_currency_precision(currency), digits)
        return self._applied(
            pattern, amount, (least, least), currency=currency, signed=signed
        )

    def day(self, day: date) -> str:
        """Write a day: 22 Nov 2026."""
        return format_date(day, format="medium", locale=self.locale)

    def short_day(self, day: date) -> str:
        """Write a day without its year, for axes and narrow tables: 22 Nov."""
        return format_skeleton("MMMd", day, locale=self.locale)

    def moment(self, moment: datetime, zone: tzinfo) -> str:
        """Write a moment in a time zone, to the minute, naming the zone."""
        local = moment.astimezone(zone)
        return format_datetime(local, format="medium", locale=self.locale)

    def _applied(
        self,
        pattern: NumberPattern,
        value: float,
        decimals: tuple[int, int],
        *,
        signed: bool,
        currency: str | None = None,
    ) -> str:
        pattern.frac_prec = decimals
        text: str = pattern.apply(
            abs(value), self.locale, currency=currency, currency_digits=False
        )
        is_zero = not any(c.isdigit() and c != "0" for c in text)
        return text if is_zero else _signed(text, value, signed=signed)


def _signed(text: str, value: float, *, signed: bool) -> str:
    """Put the sign before the number, and keep it there at the end of a line."""
    sign = MINUS if value < 0 else "+" if signed else ""
    joiner = WORD_JOINER if sign and not text[0].isdigit() else ""
    return f"{sign}{joiner}{text}"


def decimals(values: Iterable[float | None]) -> int:
    """Choose one count of decimals for numbers that are read together.

    The largest of them gets three digits or more, so that a reader sees differences
    and no false precision.
    """
    largest = max((abs(v) for v in values if v is not None), default=0.0)
    for digits, threshold in enumerate((100.0, 1.0, 0.1, 0.01)):
        if largest >= threshold:
            return digits
    return 4
