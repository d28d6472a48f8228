"""Cells: times, flags, counts and money, and what is said of bad ones."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from abtest.domain.visitor import to_milliseconds
from abtest.services.imports.cells import (
    BadCellError,
    MoneyReader,
    TimeReader,
    is_empty,
    read_count,
    read_flag,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ROUND = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
"""The moment of 1,700,000,000 seconds, as `date --date=@1700000000` prints it."""


def times(pattern: str | None = None, year: int | None = None) -> TimeReader:
    return TimeReader(
        zone=BERLIN, latest=to_milliseconds(NOW), pattern=pattern, year=year
    )


@pytest.mark.parametrize(
    ("text", "reader", "expected"),
    [
        ("2026-03-01T12:00:00Z", times(), datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00+05:00", times(), datetime(2026, 3, 1, 7, tzinfo=UTC)),
        ("2026-03-01 12:00:00", times(), datetime(2026, 3, 1, 11, tzinfo=UTC)),
        (
            " 2026-07-01 ".replace("7", "5"),
            times(),
            datetime(2026, 4, 30, 22, tzinfo=UTC),
        ),
        ("20260301", times(), datetime(2026, 2, 28, 23, tzinfo=UTC)),
        ("01.03.2026", times("%d.%m.%Y"), datetime(2026, 2, 28, 23, tzinfo=UTC)),
        ("1700000000", times("unix"), datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (
            "1700000000000",
            times("unix_ms"),
            datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        ),
        ("29 Feb", times("%d %b", 2024), datetime(2024, 2, 28, 23, tzinfo=UTC)),
        ("Sat-Oct-11", times("%a-%b-%d", 2014), datetime(2014, 10, 10, 22, tzinfo=UTC)),
    ],
)
def test_times(text: str, reader: TimeReader, expected: datetime) -> None:
    assert reader.read("at", text) == to_milliseconds(expected)


@pytest.mark.parametrize(
    ("text", "reader", "code", "remedy"),
    [
        ("yesterday", times(), "invalid_time", "ISO 8601"),
        ("", times(), "invalid_time", "see --date-format"),
        ("2026-03-01", times("%d.%m.%Y"), "invalid_time", "of the form %d.%m.%Y"),
        ("soon", times("unix"), "invalid_time", "unix"),
        ("1e30", times("unix"), "invalid_time", "unix"),
        ("2026-06-02T00:00:00Z", times(), "at_in_future", "--time-zone"),
        ("1989-12-31", times(), "at_too_old", "before 1990"),
        ("Sat-Oct-11", times("%a-%b-%d", 2015), "wrong_year", "is a Sunday in 2015"),
    ],
)
def test_bad_times(text: str, reader: TimeReader, code: str, remedy: str) -> None:
    with pytest.raises(BadCellError, match=remedy) as caught:
        reader.read("at", text)
    assert (caught.value.code, caught.value.value) == (code, text)


def test_noon_and_later_days_keep_the_wall_clock_over_a_clock_change() -> None:
    """Clocks in Berlin went back on 25 October 2025."""
    before = to_milliseconds(datetime(2025, 10, 24, tzinfo=BERLIN))
    later = times().later(before, 2, field="at")
    assert later == to_milliseconds(datetime(2025, 10, 26, tzinfo=BERLIN))
    noon = times().noon(date(2025, 10, 26))
    assert noon == to_milliseconds(datetime(2025, 10, 26, 12, tzinfo=BERLIN))


def test_later_than_now_is_refused() -> None:
    with pytest.raises(BadCellError, match="lies in the future"):
        times().later(to_milliseconds(NOW), 14, field="at")


def test_day_is_over_at_midnight_of_the_zone() -> None:
    assert times().is_over(date(2026, 5, 31))
    assert not times().is_over(date(2026, 6, 1))


@pytest.mark.parametrize("text", ["", " ", "NA", "n/a", "NaN", "null", "None", "-"])
def test_empty_cells(text: str) -> None:
    assert is_empty(text)


@pytest.mark.parametrize("text", ["1", "1.0", "Yes", "ja", "TRUE "])
def test_flags_that_say_yes(text: str) -> None:
    assert read_flag("step:buy", text)


@pytest.mark.parametrize("text", ["0", "0.0", "no", "nein", "f"])
def test_flags_that_say_no(text: str) -> None:
    assert not read_flag("step:buy", text)


@pytest.mark.parametrize("text", ["2", "", "maybe", "-1"])
def test_bad_flags(text: str) -> None:
    with pytest.raises(BadCellError, match="neither 1 nor 0"):
        read_flag("step:buy", text)


def test_counts() -> None:
    assert [read_count("n", text) for text in ("0", "134", " 134.0 ")] == [0, 134, 134]


@pytest.mark.parametrize("text", ["-1", "1.5", "1,000", "many", "9999999999", ""])
def test_bad_counts(text: str) -> None:
    with pytest.raises(BadCellError, match="is no count"):
        read_count("n", text)


@pytest.mark.parametrize(
    ("text", "decimal_comma", "expected"),
    [("49.90", False, 4990), ("0", False, 0), ("1.234,50", True, 123450)],
)
def test_money(text: str, *, decimal_comma: bool, expected: int) -> None:
    reader = MoneyReader(currency="EUR", decimal_comma=decimal_comma)
    assert reader.read("value", text) == expected


def test_money_follows_the_currency() -> None:
    assert MoneyReader(currency="JPY", decimal_comma=False).read("value", "500") == 500


@pytest.mark.parametrize(
    ("text", "code", "remedy"),
    [
        ("-3", "negative_value", "as type refund"),
        ("49,90", "invalid_value", "--decimal-comma"),
        ("€ 5", "invalid_value", "write it like 49.90"),
        ("1e3", "invalid_value", "write it like 49.90"),
        ("99999999999", "invalid_value", "more than one order"),
    ],
)
def test_bad_money(text: str, code: str, remedy: str) -> None:
    with pytest.raises(BadCellError, match=remedy) as caught:
        MoneyReader(currency="EUR", decimal_comma=False).read("value", text)
    assert caught.value.code == code


def test_long_values_are_shortened() -> None:
    with pytest.raises(BadCellError) as caught:
        read_flag("step:buy", "x" * 1_000_000)
    assert len(caught.value.detail) < 150
