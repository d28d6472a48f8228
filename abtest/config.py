"""Settings: one table of names, defaults and help; read from file and environment."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from abtest.errors import AbtestError, ErrorCode

PREFIX = "ABTEST_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One line of the table of settings."""

    name: str
    default: str
    help: str
    choices: tuple[str, ...] = ()


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
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator can set; the table `SETTINGS` says what each means."""

    database: str
    durability: str
    base_url: str
    language: str


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read `ABTEST_*` variables over the TOML file named by `ABTEST_CONFIG`.

    Raises:
        AbtestError: `invalid` for an unknown name or a value that is no choice.
    """
    given: dict[str, str] = {}
    if path := environment.get(f"{PREFIX}CONFIG"):
        given |= _read_file(Path(path))
    given |= {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and name != f"{PREFIX}CONFIG"
    }
    known = {setting.name: setting for setting in SETTINGS}
    for name, value in given.items():
        if name not in known:
            raise _bad(f"{name} is not a setting; known are {', '.join(known)}")
        choices = known[name].choices
        if choices and value not in choices:
            raise _bad(f"{name} is {value!r}; choose one of {', '.join(choices)}")
    values = {s.name: given.get(s.name, s.default) for s in SETTINGS}
    return Settings(**values)


def _read_file(path: Path) -> dict[str, str]:
    try:
        return {k: str(v) for k, v in tomllib.loads(path.read_text()).items()}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise _bad(f"{PREFIX}CONFIG names {path}, which cannot be read: {error}") from (
            error
        )


def _bad(detail: str) -> AbtestError:
    return AbtestError(ErrorCode.INVALID, detail)
