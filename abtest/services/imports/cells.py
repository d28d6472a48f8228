"""Turns the text of a cell into a time, a count, a yes or no, or money."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from abtest.domain.events import OLDEST, Milliseconds
from abtest.domain.money import to_minor
from abtest.domain.visitor import to_milliseconds
from abtest.store.privacy_protocol import BEFORE_RETENTION

N = TypeVar("N", bound=int)

UNIX_SECONDS = "unix"
UNIX_MILLISECONDS = "unix_ms"

_EMPTY = frozenset({"", "-", "na", "n/a", "nan", "null", "none", "nat"})
_YES = frozenset({"1", "1.0", "true", "t", "yes", "y", "ja", "j"})
_NO = frozenset({"0", "0.0", "false", "f", "no", "n", "nein"})
_COUNT = re.compile(r"(\d{1,9})(\.0+)?")
_PLAIN_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_SHOWN = 60
_REMEMBERED = 10_000
"""Cells of one kind whose meaning is kept: days and prices repeat."""


class BadCellError(Exception):
    """A cell that cannot be taken: which field, what stood there, what to do."""

    def __init__(self, field: str, value: str, code: str, remedy: str) -> None:
        shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}..."
        self.field = field
        self.value = shown
        self.code = code
        self.detail = f"{shown!r} {remedy}" if field else remedy
        super().__init__(self.detail)


def is_empty(text: str) -> bool:
    """Tell whether a cell says nothing: empty, or a program's word for missing."""
    return not text or text.strip().lower() in _EMPTY


def read_flag(field: str, text: str) -> bool:
    """Read 1/0, true/false, yes/no, ja/nein.

    Raises:
        BadCellError: neither.
    """
    word = text.strip().lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise BadCellError(
        field, text, "invalid_flag", "is neither 1 nor 0; use 1, 0, yes, no"
    )


def read_count(field: str, text: str) -> int:
    """Read a whole number, 0 or more; `134.0` is one too.

    Raises:
        BadCellError: anything else.
    """
    found = _COUNT.fullmatch(text.strip())
    if found is None:
        remedy = "is no count; use a whole number, 0 or more"
        raise BadCellError(field, text, "invalid_count", remedy)
    return int(found[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyReader:
    """Reads amounts in major units of one currency.

    Attributes:
        decimal_comma: `1.234,50` instead of `1234.50`.
    """

    currency: str
    decimal_comma: bool
    _known: dict[str, int] = field(default_factory=dict)

    def read(self, field: str, text: str) -> int:
        """Return minor units.

        Raises:
            BadCellError: no number, negative, or more than an order may be.
        """
        minor = self._known.get(text)
        if minor is None:
            minor = _remember(self._known, text, self._parsed(field, text))
        return minor

    def _parsed(self, field: str, text: str) -> int:
        plain = text.strip()
        if self.decimal_comma:
            plain = plain.replace(".", "").replace(",", ".")
        if _PLAIN_NUMBER.fullmatch(plain) is None:
            remedy = "is no amount; write it like 49.90"
            if "," in plain and not self.decimal_comma:
                remedy += ", or add --decimal-comma"
            raise BadCellError(field, text, "invalid_value", remedy)
        if plain.startswith("-"):
            remedy = "is negative; record money that went back as type refund"
            raise BadCellError(field, text, "negative_value", remedy)
        try:
            return to_minor(plain, self.currency)
        except ValueError:
            remedy = "is more than one order may be; check the column"
            raise BadCellError(field, text, "invalid_value", remedy) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeReader:
    """Reads times and days.

    Attributes:
        pattern: strptime's, or `unix` or `unix_ms`; None for ISO 8601.
        year: for patterns without one.
        zone: of times that name none.
        latest: a time after this is a mistake.
        horizon: events before it were deleted and are taken no more.
    """

    zone: ZoneInfo
    latest: Milliseconds
    pattern: str | None = None
    year: int | None = None
    horizon: Milliseconds = OLDEST
    _known: dict[str, Milliseconds] = field(default_factory=dict)

    def read(self, field: str, text: str) -> Milliseconds:
        """Return the moment; a day alone is its first moment in the zone.

        Raises:
            BadCellError: not in the pattern, in the future, or before 1990.
        """
        at = self._known.get(text)
        if at is None:
            moment = self._parsed(field, text.strip())
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=self.zone)
            at = to_milliseconds(moment)
            self._check(field, text, at)
            _remember(self._known, text, at)
        return at

    def read_day(self, field: str, text: str) -> date:
        """Return the calendar day.

        Raises:
            BadCellError: as `read`.
        """
        return datetime.fromtimestamp(self.read(field, text) / 1000, self.zone).date()

    def noon(self, day: date) -> Milliseconds:
        """Return noon of the day: unlike midnight, it exists on every day."""
        return to_milliseconds(datetime.combine(day, time(12), self.zone))

    def later(self, at: Milliseconds, days: int, *, field: str) -> Milliseconds:
        """Return the same time of day some calendar days later.

        Raises:
            BadCellError: that time is still to come.
        """
        local = datetime.fromtimestamp(at / 1000, self.zone) + timedelta(days=days)
        self._check(field, str(local.date()), to_milliseconds(local))
        return to_milliseconds(local)

    def is_over(self, day: date) -> bool:
        """Tell whether the day has ended."""
        end = datetime.combine(day + timedelta(days=1), time(), self.zone)
        return to_milliseconds(end) <= self.latest

    def _parsed(self, field: str, text: str) -> datetime:
        try:
            match self.pattern:
                case None:
                    return datetime.fromisoformat(text)
                case "unix" | "unix_ms" as unit:
                    seconds = float(text) / (1 if unit == UNIX_SECONDS else 1000)
                    return datetime.fromtimestamp(seconds, UTC)
                case pattern:
                    return self._by_pattern(field, text, pattern)
        except (ValueError, OverflowError, OSError):
            wanted = self.pattern or "ISO 8601 such as 2026-03-01T12:00:00Z"
            remedy = f"is no time of the form {wanted}; see --date-format"
            raise BadCellError(field, text, "invalid_time", remedy) from None

    def _by_pattern(self, field: str, text: str, pattern: str) -> datetime:
        if self.year is None:
            return datetime.strptime(text, pattern)  # noqa: DTZ007 - zone comes later
        moment = datetime.strptime(  # noqa: DTZ007 - zone comes later
            f"{self.year} {text}", f"%Y {pattern}"
        )
        # strptime takes any weekday; a wrong one gives a wrong --year away.
        for code in ("%a", "%A"):
            if code in pattern and moment.strftime(code).lower() not in text.lower():
                remedy = f"is a {moment:%A} in {self.year}; correct --year"
                raise BadCellError(field, text, "wrong_year", remedy)
        return moment

    def _check(self, field: str, text: str, at: Milliseconds) -> None:
        if at > self.latest:
            remedy = "lies in the future; check --date-format, --year and --time-zone"
            raise BadCellError(field, text, "at_in_future", remedy)
        if at < OLDEST:
            remedy = "lies before 1990; check --date-format and --year"
            raise BadCellError(field, text, "at_too_old", remedy)
        if at < self.horizon:
            since = datetime.fromtimestamp(self.horizon / 1000, UTC)
            remedy = (
                f"lies before {since:%Y-%m-%d}: older events were deleted, so that a"
                " repeat could not be recognised; leave the row out"
            )
            raise BadCellError(field, text, BEFORE_RETENTION, remedy)


def _remember(known: dict[str, N], text: str, meaning: N) -> N:
    """Keep what a cell means, and no more cells than memory should hold."""
    if len(known) >= _REMEMBERED:
        known.clear()
    known[text] = meaning
    return meaning
