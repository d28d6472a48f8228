"""How people in two countries write what a report holds; written anew for the tests.

The rules are those of Unicode's CLDR for en-GB and de-DE, by hand: what the pages
print must come out the same by another way.
"""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum

MINUS, JOINER, NBSP = "\N{MINUS SIGN}", "\N{WORD JOINER}", "\N{NO-BREAK SPACE}"
MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun",
    "Jul", "Aug", "Sept", "Oct", "Nov", "Dec",
)  # fmt: skip
_DIGITS = r"\d(?:[\d.,]*\d)?"
NUMBER = re.compile(
    rf"[+{MINUS}]?{JOINER}?(?:[€£$]{_DIGITS}|{_DIGITS}(?:{NBSP}[%€£$]|%)?)"
)


class Unit(Enum):
    """What stands behind or before a number."""

    PLAIN = ""
    PERCENT = "%"
    EURO = "€"


@dataclass(frozen=True, slots=True)
class Country:
    """Where the reader is at home."""

    tag: str

    @property
    def is_german(self) -> bool:
        return self.tag.startswith("de")

    def write(
        self,
        value: float,
        decimals: int,
        unit: Unit = Unit.PLAIN,
        *,
        signed: bool = False,
    ) -> str:
        """Write a number; shares are given as shares and written in percent."""
        exact = Decimal(str(value)) * (100 if unit is Unit.PERCENT else 1)
        rounded = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
        text = f"{abs(rounded):,.{decimals}f}"
        if self.is_german:
            text = text.translate({ord(","): ".", ord("."): ","})
        match unit, self.is_german:
            case Unit.PLAIN, _:
                pass
            case _, True:
                text = f"{text}{NBSP}{unit.value}"
            case Unit.PERCENT, _:
                text = f"{text}%"
            case _:
                text = f"{unit.value}{text}"
        if not rounded:
            return text
        sign = MINUS if rounded < 0 else "+" if signed else ""
        joiner = JOINER if sign and not text[0].isdigit() else ""
        return f"{sign}{joiner}{text}"

    def plain(self, value: float) -> str:
        """Write a number with the decimals that it has, three at most."""
        text = f"{Decimal(str(value)).quantize(Decimal('0.001'), ROUND_HALF_EVEN):f}"
        return self.write(value, len(text.rstrip("0").partition(".")[2]))

    def day(self, text: str) -> str:
        """Write a day of the report."""
        found = date.fromisoformat(text)
        if self.is_german:
            return f"{found:%d.%m.%Y}"
        return f"{found.day} {MONTHS[found.month - 1]} {found.year}"

    def numbers(self, text: str) -> list[str]:
        """Return the numbers of a text in their order, as they are written."""
        # German joins compounds: "95-%-Bereich" is about 95 %.
        return NUMBER.findall(text.replace("-%-", f"{NBSP}%-"))

    def decimals(self, number: str) -> int:
        """Count the decimals of a written number."""
        separator = "," if self.is_german else "."
        return sum(map(str.isdigit, number.partition(separator)[2]))


GREAT_BRITAIN, GERMANY = Country("en-GB"), Country("de-DE")


def significant(*values: float) -> int:
    """Count the decimals with which the largest number has three digits or more."""
    largest = max(map(abs, values))
    for decimals, threshold in enumerate((100, 1, 0.1, 0.01)):
        if largest >= threshold:
            return decimals
    return 4


def same_numbers(found: list[str], expected: list[str]) -> bool:
    """Compare regardless of the order, which differs between languages."""
    return Counter(found) == Counter(expected)
