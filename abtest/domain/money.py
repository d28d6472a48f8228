"""Money as integers in minor units (cents) of an ISO 4217 currency."""

import re
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, Overflow
from functools import lru_cache

# ISO 4217 exponents other than 2, of currencies in circulation.
_EXPONENTS = {
    "BHD": 3, "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3,
    "JPY": 0, "KMF": 0, "KRW": 0, "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0,
    "TND": 3, "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip
_CURRENCY = re.compile(r"[A-Z]{3}")

MAX_MINOR = 10**11
"""Largest amount of one event, in minor units: a thousand million in EUR."""


def is_currency(text: str) -> bool:
    """Tell whether the text has the form of an ISO 4217 code."""
    return _CURRENCY.fullmatch(text) is not None


def minor_digits(currency: str | None) -> int:
    """Return the number of decimal places of the currency; 2 when unknown."""
    return _EXPONENTS.get(currency or "", 2)


@lru_cache(maxsize=4096)  # prices come again and again
def to_minor(amount: float | str | Decimal, currency: str | None) -> int:
    """Turn major units into minor units, half to even.

    Raises:
        ValueError: not a finite number, or larger than `MAX_MINOR`.
    """
    try:
        exact = Decimal(str(amount)).scaleb(minor_digits(currency))
        if not exact.is_finite():
            raise ValueError(f"{amount!r} is not a finite number")
        minor = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
    except (InvalidOperation, Overflow):
        raise ValueError(f"{amount!r} is not a number of money") from None
    if abs(minor) > MAX_MINOR:
        raise ValueError(f"{amount!r} is larger than any single order may be")
    return minor


def to_major(minor: float, currency: str | None) -> float:
    """Turn minor units into major units."""
    return minor / float(10 ** minor_digits(currency))
