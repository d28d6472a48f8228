"""Money becomes whole minor units or is refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abtest.domain.money import (
    MAX_MINOR,
    is_currency,
    minor_digits,
    to_major,
    to_minor,
)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        (49.9, "EUR", 4990),
        ("49.90", "EUR", 4990),
        (Decimal("49.9"), "EUR", 4990),
        (0.1 + 0.2, "EUR", 30),
        (1.005, "EUR", 100),
        ("1.005", "EUR", 100),
        (1.015, "EUR", 102),
        ("1.015", "EUR", 102),
        (-12.34, "CHF", -1234),
        (0, "EUR", 0),
        ("-0.001", "EUR", 0),
        (1980, "JPY", 1980),
        ("1980.5", "JPY", 1980),
        ("1981.5", "JPY", 1982),
        (1.2345, "KWD", 1234),
        ("1.2355", "KWD", 1236),
        (7, "TND", 7000),
        (7, None, 700),
        (7, "XYZ", 700),
        ("1e3", "EUR", 100_000),
        (10**9, "EUR", MAX_MINOR),
        (-(10**9), "EUR", -MAX_MINOR),
        ("1e-999999", "EUR", 0),
    ],
)
def test_to_minor(
    amount: float | str | Decimal, currency: str | None, minor: int
) -> None:
    assert to_minor(amount, currency) == minor


@pytest.mark.parametrize(
    ("amount", "complaint"),
    [
        (float("nan"), "not a finite number"),
        (float("inf"), "not a finite number"),
        ("-Infinity", "not a finite number"),
        ("sNaN", "not a number of money"),
        ("", "not a number of money"),
        ("49,90", "not a number of money"),
        ("12 EUR", "not a number of money"),
        ("€ 12", "not a number of money"),
        ("1e999999", "not a number of money"),
        ("1e99999999999999999999", "not a number of money"),
        (10**9 + 0.01, "larger than any single order"),
        (-(10**10), "larger than any single order"),
    ],
)
def test_nonsense_is_refused_by_name(amount: float | str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        to_minor(amount, "EUR")


@given(
    st.integers(min_value=-MAX_MINOR, max_value=MAX_MINOR),
    st.sampled_from(["EUR", "JPY", "KWD", None]),
)
def test_there_and_back(minor: int, currency: str | None) -> None:
    assert to_minor(to_major(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("EUR", 2), ("JPY", 0), ("KWD", 3), ("ISK", 0), ("XYZ", 2), (None, 2), ("", 2)],
)
def test_minor_digits(currency: str | None, digits: int) -> None:
    assert minor_digits(currency) == digits


@pytest.mark.parametrize(
    ("text", "expected"),
    [("EUR", True), ("eur", False), ("EURO", False), ("E1R", False), ("", False)],
)
def test_is_currency(text: str, expected: bool) -> None:  # noqa: FBT001 - a column
    assert is_currency(text) is expected
