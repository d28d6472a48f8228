"""Which day a report ends with, what came in after it, and moments in it."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from abtest.domain.events import Milliseconds
from abtest.domain.experiment import Experiment
from abtest.domain.visitor import date_to_day, day_to_date, last_complete_day
from abtest.errors import invalid_field
from abtest.services.report import Today
from abtest.store.protocol import DayActivity

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def as_of_day(experiment: Experiment, now: datetime, as_of: date | None) -> int:
    """Return the last day that counts: complete, and followed up.

    Args:
        experiment: its time zone says when a day is over.
        now: decides which day was the last complete one.
        as_of: the day that is wanted; None for the latest.

    Raises:
        AbtestError: `invalid` when `as_of` is not complete yet.
    """
    latest = last_complete_day(now, experiment.time_zone)
    if experiment.followed_until is not None:
        latest = min(latest, date_to_day(date.fromisoformat(experiment.followed_until)))
    if as_of is None:
        return latest
    if date_to_day(as_of) > latest:
        raise invalid_field(
            "/as_of",
            "not_complete",
            f"as_of is {as_of}; it must be a complete day for which data are known, "
            f"the latest is {day_to_date(latest)}",
        )
    return date_to_day(as_of)


def today_of(
    experiment: Experiment, days: Iterable[DayActivity], now: datetime
) -> Today:
    """Return what came in on the day that is not complete yet."""
    today = last_complete_day(now, experiment.time_zone) + 1
    for day in days:
        if day.day == today:
            return Today(exposures=day.exposures, conversions=day.conversions)
    return Today(exposures=0, conversions=0)


def moment_of(at: Milliseconds | None) -> datetime | None:
    """Return the moment of a stored time."""
    return None if at is None else _EPOCH + timedelta(milliseconds=at)
