"""Everything the page of the system shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from abtest import __version__
from abtest.config import Origin
from abtest.services.backups import BackupInfo
from abtest.services.examining import Finding, ShownSetting, State
from abtest.store.condition import StoreCondition
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

_TONES: Mapping[State, str] = {
    State.OK: "good",
    State.WARNING: "choice",
    State.ERROR: "bad",
}
_WORDS: Mapping[State, str] = {
    State.OK: mark("in order"),
    State.WARNING: mark("please look at it"),
    State.ERROR: mark("needs to be mended"),
}
_CHECKS: Mapping[str, tuple[str, str, str]] = {
    "writing": (
        mark("Writing"),
        mark("The database takes what comes in."),
        mark("Nothing can be written. Landing pages show their control."),
    ),
    "size": (
        mark("Write-ahead log"),
        mark("What was written last is merged into the database in time."),
        mark("What was written last waits too long to be merged into the database."),
    ),
    "disk": (
        mark("Disk"),
        mark("There is room."),
        mark("The disk is nearly full. When it is, nothing can be counted."),
    ),
    "clock": (
        mark("Clock"),
        mark("The clock of the server agrees with the events."),
        mark("The clock of the server is behind the events."),
    ),
    "backups": (
        mark("Backups"),
        mark("The newest backup is fresh."),
        mark("There is no fresh backup. If the disk breaks, the data are lost."),
    ),
    "users": (
        mark("People"),
        mark("Somebody is an admin."),
        mark("Nobody is an admin who could manage keys and people."),
    ),
    "keys": (
        mark("Keys"),
        mark("Every valid key is in use."),
        mark("Some keys were never used. Put them where they belong, or revoke them."),
    ),
    "time zones": (
        mark("Time zones"),
        mark("The days of all experiments can be told."),
        mark("The time zone of an experiment is not known on this server."),
    ),
}
_ORIGINS: Mapping[Origin, str] = {
    Origin.DEFAULT: mark("usual value"),
    Origin.FILE: mark("settings file"),
    Origin.ENVIRONMENT: mark("environment"),
}
_UNITS = ("kB", "MB", "GB", "TB")
_STEP = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A name and what is so."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check in words; `detail` and `remedy` are those of `abtest doctor`."""

    name: str
    state: str
    tone: str
    word: str
    text: str
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """A setting; `value` is empty where nothing is set."""

    variable: str
    value: str
    origin: str
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemView:
    """The page; what is broken stands first among the checks."""

    tone: str
    summary: str
    facts: tuple[Fact, ...]
    checks: tuple[Check, ...]
    settings: tuple[SettingRow, ...]


def view_system(
    reader: Reader,
    *,
    condition: StoreCondition,
    backup: BackupInfo | None,
    received: Mapping[timedelta, int],
    findings: Sequence[Finding],
    settings: Sequence[ShownSetting],
    now: datetime,
) -> SystemView:
    """Write the page.

    Args:
        reader: whom it is written for.
        condition: of the store.
        backup: the newest one, if there is any.
        received: events of the last `MINUTE` and `HOUR`.
        findings: of `examine_store`.
        settings: all of them, masked.
        now: what ages are reckoned from.
    """
    order = (State.ERROR, State.WARNING, State.OK)
    worst = next(s for s in order if s is State.OK or s in {f.state for f in findings})
    return SystemView(
        tone=_TONES[worst],
        summary=_summary(reader, findings),
        facts=tuple(_facts(reader, condition, backup, received, now)),
        checks=tuple(
            _check(reader, f)
            for f in sorted(findings, key=lambda found: order.index(found.state))
        ),
        settings=tuple(
            SettingRow(
                variable=one.variable,
                value=one.value,
                origin=reader.gettext(_ORIGINS[one.origin]),
                help=one.help,
            )
            for one in settings
        ),
    )


def say_size(reader: Reader, size: float) -> str:
    """Write a number of bytes with a unit that fits, in powers of 1,000."""
    amount, unit = size / _STEP, _UNITS[0]
    for larger in _UNITS[1:]:
        if amount < _STEP:
            break
        amount, unit = amount / _STEP, larger
    digits = 0 if unit == _UNITS[0] else 1
    return f"{reader.format.number(amount, digits=digits)}\N{NO-BREAK SPACE}{unit}"


def say_age(reader: Reader, age: timedelta) -> str:
    """Write how long ago something was, to the hour or the day."""
    if age < HOUR:
        return reader.gettext("less than an hour ago")
    if age < timedelta(days=2):
        return reader.ngettext("{n} hour ago", "{n} hours ago", age // HOUR)
    return reader.ngettext("{n} day ago", "{n} days ago", age.days)


def _summary(reader: Reader, findings: Sequence[Finding]) -> str:
    broken = sum(f.state is State.ERROR for f in findings)
    doubtful = sum(f.state is State.WARNING for f in findings)
    if broken:
        return reader.ngettext(
            "{n} thing needs to be mended.", "{n} things need to be mended.", broken
        )
    if doubtful:
        return reader.ngettext(
            "Everything works. {n} thing wants a look.",
            "Everything works. {n} things want a look.",
            doubtful,
        )
    return reader.gettext("Everything is in order.")


def _facts(
    reader: Reader,
    condition: StoreCondition,
    backup: BackupInfo | None,
    received: Mapping[timedelta, int],
    now: datetime,
) -> list[Fact]:
    say, count = reader.gettext, reader.format.integer
    newest = (
        say("none yet")
        if condition.last_received is None
        else reader.format.moment(
            datetime.fromtimestamp(condition.last_received / 1000, UTC), UTC
        )
    )
    return [
        Fact(name=say("Version"), value=__version__),
        Fact(
            name=say("Events of the last minute / hour"),
            value=f"{count(received[MINUTE])} / {count(received[HOUR])}",
        ),
        Fact(name=say("Newest event (UTC)"), value=newest),
        Fact(
            name=say("Size of the database"),
            value=say_size(reader, condition.size),
            note=say(
                "and {size} in the write-ahead log",
                size=say_size(reader, condition.log_size),
            ),
        ),
        Fact(
            name=say("Free on the disk"),
            value=say_size(reader, condition.disk_free),
            note=say("of {size}", size=say_size(reader, condition.disk_size)),
        ),
        _backup_fact(reader, backup, now),
        Fact(
            name=say("Migrations"),
            value=", ".join(condition.pending) or say("none waits"),
        ),
        Fact(name=say("Clock (UTC)"), value=reader.format.moment(now, UTC)),
    ]


def _backup_fact(reader: Reader, backup: BackupInfo | None, now: datetime) -> Fact:
    name = reader.gettext("Newest backup")
    if backup is None:
        return Fact(name=name, value=reader.gettext("none known"))
    return Fact(
        name=name,
        value=say_age(reader, now - backup.at),
        note=f"{reader.format.moment(backup.at, UTC)}, {say_size(reader, backup.size)}",
    )


def _check(reader: Reader, finding: Finding) -> Check:
    name, well, ill = _CHECKS.get(finding.check, (finding.check, "", ""))
    text = well if finding.state is State.OK else ill
    return Check(
        name=reader.gettext(name),
        state=finding.state.value,
        tone=_TONES[finding.state],
        word=reader.gettext(_WORDS[finding.state]),
        text=reader.gettext(text) if text else "",
        detail=finding.detail,
        remedy=finding.remedy,
    )
