"""Settings: one table of names, defaults and help; read from file and environment."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from abtest.errors import AbtestError, ErrorCode

PREFIX = "ABTEST_"
_DIGITS = 9
"""Longest whole number that is taken."""
_RATE = r"off|(?!0+(\.0+)?/)[0-9]{1,6}(\.[0-9]{1,3})?/[1-9][0-9]{0,6}"
"""Calls a second and calls at once, for example 50/200, 0.5/30 or off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One line of the table of settings.

    Attributes:
        least: of a whole number; None for a text.
        form: what a text must look like as a whole (regular expression).
    """

    name: str
    default: str
    help: str
    choices: tuple[str, ...] = ()
    least: int | None = None
    form: str = ""


class Origin(StrEnum):
    """Where the value of a setting comes from."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"


SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="database",
        default="data/abtest.db",
        help="path of the SQLite file; its folder is made when it is missing",
    ),
    Setting(
        name="durability",
        default="full",
        choices=("full", "normal"),
        help="full: an acknowledged event survives a power cut; normal: a crash only",
    ),
    Setting(
        name="base_url",
        default="",
        help="address under which browsers reach the service, for links and snippets;"
        " empty: taken from the request",
    ),
    Setting(
        name="language",
        default="en",
        choices=("de", "en"),
        help="language of pages and reports when a reader asks for none",
    ),
    Setting(
        name="backup_dir",
        default="",
        help="folder of the backups; while it is set, the service takes them itself",
    ),
    Setting(
        name="backup_hours",
        default="24",
        least=1,
        help="hours between two backups that the service takes",
    ),
    Setting(
        name="backup_keep_daily",
        default="7",
        least=1,
        help="days of which the newest backup is kept",
    ),
    Setting(
        name="backup_keep_weekly",
        default="4",
        least=0,
        help="weeks of which the newest backup is kept",
    ),
    Setting(
        name="backup_keep_monthly",
        default="12",
        least=0,
        help="months of which the newest backup is kept",
    ),
    Setting(
        name="start_check_mb",
        default="1024",
        least=0,
        help="the service looks for damage when it starts if the database has at most"
        " so many megabytes; 0: never",
    ),
    Setting(
        name="keep_events_days",
        default="0",
        least=0,
        help="days for which events are kept whose experiments are over, then the"
        " service deletes them; 0: for ever",
    ),
    Setting(
        name="log",
        default="off",
        choices=("json", "text", "off"),
        help="how each request is logged; errors are always logged, as text when off",
    ),
    Setting(
        name="trusted_proxies",
        default="0",
        least=0,
        help="how many proxies in a row stand before the service and add to"
        " X-Forwarded-For; 0: the header is ignored",
    ),
    Setting(
        name="allowed_hosts",
        default="",
        help="names, with commas, under which pages are served beside that of base_url;"
        " counts while base_url is set",
    ),
    Setting(
        name="rate_assign",
        default="50/200",
        form=_RATE,
        help="assign calls of one network (/24, /56) with a browser key: per second /"
        " at once, or off",
    ),
    Setting(
        name="rate_events",
        default="20/100",
        form=_RATE,
        help="events calls of one network with a browser key",
    ),
    Setting(
        name="rate_server",
        default="1000/5000",
        form=_RATE,
        help="assign and events calls of one server key",
    ),
    Setting(
        name="rate_read",
        default="1/60",
        form=_RATE,
        help="calls of one key that read or manage experiments",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator can set; the table `SETTINGS` says what each means."""

    database: str
    durability: str
    base_url: str
    language: str
    backup_dir: str = ""
    backup_hours: int = 24
    backup_keep_daily: int = 7
    backup_keep_weekly: int = 4
    backup_keep_monthly: int = 12
    start_check_mb: int = 1024
    keep_events_days: int = 0
    log: str = "off"
    trusted_proxies: int = 0
    allowed_hosts: str = ""
    rate_assign: str = "50/200"
    rate_events: str = "20/100"
    rate_server: str = "1000/5000"
    rate_read: str = "1/60"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read `ABTEST_*` variables over the TOML file named by `ABTEST_CONFIG`.

    Raises:
        AbtestError: `invalid` for an unknown name or a value that is no choice.
    """
    given = {name: value for name, (value, _) in _given(environment).items()}
    known = {setting.name: setting for setting in SETTINGS}
    for name, value in given.items():
        if name not in known:
            raise _bad(f"{name} is not a setting; known are {', '.join(known)}")
        _check(known[name], value)
    values = {s.name: given.get(s.name, s.default) for s in SETTINGS}
    # Not strict: the digits of a whole number become one.
    return msgspec.convert(values, Settings, strict=False)


def read_origins(environment: Mapping[str, str]) -> Mapping[str, Origin]:
    """Tell of every setting where `read_settings` finds its value."""
    given = _given(environment)
    return {
        s.name: given[s.name][1] if s.name in given else Origin.DEFAULT
        for s in SETTINGS
    }


def _given(environment: Mapping[str, str]) -> dict[str, tuple[str, Origin]]:
    given: dict[str, tuple[str, Origin]] = {}
    if path := environment.get(f"{PREFIX}CONFIG"):
        given |= {k: (v, Origin.FILE) for k, v in _read_file(Path(path)).items()}
    return given | {
        name.removeprefix(PREFIX).lower(): (value, Origin.ENVIRONMENT)
        for name, value in environment.items()
        if name.startswith(PREFIX) and name != f"{PREFIX}CONFIG"
    }


def _check(setting: Setting, value: str) -> None:
    if setting.choices and value not in setting.choices:
        choices = ", ".join(setting.choices)
        raise _bad(f"{setting.name} is {value!r}; choose one of {choices}")
    if setting.form and not re.fullmatch(setting.form, value):
        raise _bad(f"{setting.name} is {value!r}; write it like {setting.default}")
    if setting.least is None:
        return
    is_number = value.isascii() and value.isdecimal() and len(value) <= _DIGITS
    if not is_number or int(value) < setting.least:
        raise _bad(
            f"{setting.name} is {value!r}; give a whole number from {setting.least} up"
        )


def _read_file(path: Path) -> dict[str, str]:
    try:
        return {k: str(v) for k, v in tomllib.loads(path.read_text()).items()}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise _bad(f"{PREFIX}CONFIG names {path}, which cannot be read: {error}") from (
            error
        )


def _bad(detail: str) -> AbtestError:
    return AbtestError(ErrorCode.INVALID, detail)
