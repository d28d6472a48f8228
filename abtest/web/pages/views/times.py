"""Days and moments in an experiment's own time zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from abtest.web.render.reader import Reader


def day_in_zone(reader: Reader, moment: datetime, zone: str) -> str:
    """Write the day that a moment falls on."""
    return reader.format.day(moment.astimezone(ZoneInfo(zone)).date())


def moment_in_zone(reader: Reader, moment: datetime, zone: str) -> str:
    """Write a moment to the minute, with the name of its zone."""
    return f"{reader.format.moment(moment, ZoneInfo(zone))} ({zone})"
