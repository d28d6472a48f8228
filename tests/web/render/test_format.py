"""Numbers and days as CLDR prescribes them for five countries."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from abtest.web.render.format import MINUS, WORD_JOINER, Format, decimals

NBSP = "\N{NO-BREAK SPACE}"
APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"


def formats(name: str) -> Format:
    return Format(Locale.parse(name))


# EXPERIENCE 1.6 lists these; they are CLDR's own patterns.
@pytest.mark.parametrize(
    ("name", "percent", "money", "day"),
    [
        ("de_DE", f"3,45{NBSP}%", f"1.234,50{NBSP}€", "22.11.2026"),
        ("de_AT", f"3,45{NBSP}%", f"€{NBSP}1.234,50", "22.11.2026"),
        ("de_CH", "3.45%", f"EUR{NBSP}1{APOSTROPHE}234.50", "22.11.2026"),
        ("en_GB", "3.45%", "€1,234.50", "22 Nov 2026"),
        ("en_US", "3.45%", "€1,234.50", "Nov 22, 2026"),
    ],
)
def test_five_countries(name: str, percent: str, money: str, day: str) -> None:
    found = formats(name)
    assert found.percent(0.0345, digits=2) == percent
    assert found.money(1234.5, "EUR") == money
    assert found.day(date(2026, 11, 22)) == day


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("de_DE", "1.234.567"),
        ("de_CH", f"1{APOSTROPHE}234{APOSTROPHE}567"),
        ("en_GB", "1,234,567"),
    ],
)
def test_integers_are_grouped(name: str, expected: str) -> None:
    assert formats(name).integer(1234567) == expected


def test_signs() -> None:
    english = formats("en_GB")
    assert english.number(-3.04, digits=1) == f"{MINUS}3.0"
    assert english.number(7, digits=1, signed=True) == "+7.0"
    assert english.percent(-0.121, signed=True) == f"{MINUS}12.1%"
    assert english.money(-0.0123, "EUR", digits=4) == f"{MINUS}{WORD_JOINER}€0.0123"
    assert formats("de_DE").money(0.5, "EUR", signed=True) == f"+0,50{NBSP}€"


def test_what_is_rounded_to_zero_has_no_sign() -> None:
    assert formats("en_GB").number(-0.004, digits=2, signed=True) == "0.00"


def test_currencies_keep_their_own_decimals() -> None:
    assert formats("en_US").money(1234, "JPY") == "¥1,234"
    assert formats("en_US").money(1.5, "USD") == "$1.50"


def test_a_chosen_number_keeps_what_was_chosen() -> None:
    assert formats("de_DE").plain(2.5) == "2,5"
    assert formats("en_GB").plain(3) == "3"
    assert formats("en_GB").plain(-1.25) == f"{MINUS}1.25"


def test_moments_are_local() -> None:
    noon = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
    shown = formats("de_DE").moment(noon, ZoneInfo("Europe/Berlin"))
    assert shown == "29.03.2026, 14:00:00"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1234.5, 0.1], 0),
        ([9.3, 4.1], 1),
        ([0.93], 2),
        ([0.05], 3),
        ([0.001], 4),
        ([], 4),
        ([None, 12.0], 1),
    ],
)
def test_decimals_follow_the_largest(values: list[float | None], expected: int) -> None:
    assert decimals(values) == expected


@given(st.floats(-1e9, 1e9), st.integers(0, 4))
def test_a_number_can_be_read_back(value: float, digits: int) -> None:
    shown = formats("de_DE").number(value, digits=digits, signed=True)
    plain = shown.replace(".", "").replace(",", ".").replace(MINUS, "-")
    assert float(plain) == pytest.approx(value, abs=0.5000001 * 10**-digits)
