"""What `abtest doctor` finds in a store, its backups and its clock."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from abtest.config import PREFIX, SETTINGS, Origin, Settings
from abtest.domain.access import Role
from abtest.errors import AbtestError
from abtest.services.backups import check_backup, last_backup, last_failure
from abtest.services.key_use import was_used
from abtest.services.readiness import judge_condition
from abtest.store.condition import StoreCondition
from abtest.store.protocol import Store

_TOO_OLD = 2
"""Intervals between backups after which the last is too old."""


_USUAL = "see the message; the disk, its rights and other processes are usual"

_SECRET_NAME = re.compile("secret|password|token|credential")
_SECRET_PART = re.compile("(://)[^/@]*@")
_MASK = "•••"


class State(StrEnum):
    """How a check came out; a warning does not keep the service from working."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check: what was found and, unless it is well, what to do."""

    check: str
    state: State
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSetting:
    """A setting as it may be shown: its variable, value, origin and meaning."""

    variable: str
    value: str
    origin: Origin
    help: str


def found_well(check: str, detail: str) -> Finding:
    """Return a finding that asks for nothing."""
    return Finding(check=check, state=State.OK, detail=detail)


def found_doubtful(check: str, detail: str, remedy: str) -> Finding:
    """Return a finding that does not keep the service from working."""
    return Finding(check=check, state=State.WARNING, detail=detail, remedy=remedy)


def found_broken(check: str, detail: str, remedy: str) -> Finding:
    """Return a finding that does."""
    return Finding(check=check, state=State.ERROR, detail=detail, remedy=remedy)


def examine_condition(condition: StoreCondition, now: datetime) -> Iterator[Finding]:
    """Look at sizes, the disk and the clock, by the rules of `/readyz`."""
    troubles = {o.code: o.detail for o in judge_condition(condition, now)}
    told = {
        "log_large": (
            "size",
            (
                f"data {condition.size / 1e6:,.1f} MB, write-ahead log"
                f" {condition.log_size / 1e6:,.1f} MB"
            ),
            "end long reads of other programs, then restart the service",
        ),
        "disk_low": (
            "disk",
            (
                f"{condition.disk_free / 1e9:,.1f} GB of"
                f" {condition.disk_size / 1e9:,.1f} are free"
            ),
            "make room, or move the database to a larger disk",
        ),
        "clock_behind": (
            "clock",
            (
                f"{now:%Y-%m-%d %H:%M:%S} UTC; time zone of this machine:"
                f" {now.astimezone().tzname()}"
            ),
            "set the clock of this machine, best by NTP",
        ),
    }
    for code, (check, detail, remedy) in told.items():
        if code in troubles:
            yield found_broken(check, troubles[code], remedy)
        else:
            yield found_well(check, detail)


def examine_backups(
    settings: Settings, store: Store | None, now: datetime, *, reads: bool = True
) -> Iterator[Finding]:
    """Look at the newest backup, and at what became of the service's last try.

    Args:
        store: None when it cannot be opened; that is when backups matter most.
        reads: compare the whole newest backup with its checksum.

    Raises:
        AbtestError: `unavailable` when the folder or the store cannot be read.
    """
    if not settings.backup_dir:
        yield found_doubtful(
            "backups",
            "the service takes none: ABTEST_BACKUP_DIR is not set",
            "set it to a folder on another disk, or run `abtest backup DIR` daily",
        )
        return
    if store is not None and (failure := last_failure(store)) is not None:
        yield found_broken(
            "backups",
            f"the last try, {failure.at:%Y-%m-%d %H:%M} UTC, failed: {failure.detail}",
            "mend that, then run `abtest backup`; the service goes on trying",
        )
    last = last_backup(settings)
    if last is None:
        yield found_doubtful(
            "backups", f"there is none in {settings.backup_dir}", "run `abtest backup`"
        )
        return
    age = now - last.at
    told = f"{last.path}, {last.size / 1e6:,.1f} MB, {_hours(age)} old"
    if age > _TOO_OLD * timedelta(hours=settings.backup_hours):
        remedy = "run `abtest backup`, and see the service's log for why there is none"
        yield found_broken("backups", f"the newest is {told}", remedy)
        return
    try:
        if reads:
            check_backup(last.path)
    except AbtestError as error:
        yield found_broken("backups", error.detail, "run `abtest backup`")
        return
    yield found_well("backups", told)


def examine_store(
    settings: Settings, store: Store, now: datetime, *, reads_backup: bool = True
) -> Iterator[Finding]:
    """Look at everything that a running service can tell of its store.

    `abtest doctor` and the system page show the same list; the page alone does not
    read the newest backup, which takes seconds when it is large.
    """
    yield from attempt("writing", lambda: [_examine_writing(store)])
    yield from attempt("disk", lambda: examine_condition(store.condition(), now))
    yield from attempt(
        "backups", lambda: examine_backups(settings, store, now, reads=reads_backup)
    )
    yield from attempt("users", lambda: [examine_people(store)])
    yield from attempt("keys", lambda: [examine_keys(store)])
    yield from attempt("time zones", lambda: [examine_zones(store)])


def attempt(check: str, examine: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Let a check that fails itself be a finding."""
    try:
        yield from examine()
    except AbtestError as error:
        yield found_broken(check, error.detail, _USUAL)


def shown_settings(
    settings: Settings, origins: Mapping[str, Origin]
) -> Iterator[ShownSetting]:
    """Give all settings; what is secret is masked."""
    for setting in SETTINGS:
        yield ShownSetting(
            variable=f"{PREFIX}{setting.name.upper()}",
            value=masked(setting.name, str(getattr(settings, setting.name))),
            origin=origins[setting.name],
            help=setting.help,
        )


def masked(name: str, value: str) -> str:
    """Hide a value that is secret by its name, and passwords within addresses."""
    if value and _SECRET_NAME.search(name):
        return _MASK
    return _SECRET_PART.sub(rf"\1{_MASK}@", value)


def _examine_writing(store: Store) -> Finding:
    store.check_writable()
    return found_well("writing", "the database takes a write")


def examine_people(store: Store) -> Finding:
    """Look for somebody who may do everything on the pages."""
    users = store.list_users()
    if not users:
        return found_doubtful(
            "users",
            "there is none",
            "start the service and open the set-up link, or run `abtest user add`",
        )
    admins = [user.name for user in users if user.role is Role.ADMIN]
    if not admins:
        return found_doubtful(
            "users",
            f"none of {len(users)} is an admin",
            "run `abtest user add NAME --role admin`",
        )
    return found_well("users", f"{len(users)}, of whom {len(admins)} admin")


def examine_keys(store: Store) -> Finding:
    """Look for keys that nobody has ever used."""
    valid = [key for key in store.list_keys() if key.revoked_at is None]
    unused = [key for key in valid if not was_used(store, key)]
    if unused:
        names = ", ".join(f"{key.id} ({key.kind} {key.name})" for key in unused)
        return found_doubtful(
            "keys",
            f"never used: {names}",
            "put each where it belongs, or run `abtest key revoke ID`",
        )
    return found_well("keys", f"{len(valid)}, all in use")


def examine_zones(store: Store) -> Finding:
    """Look whether the days of each experiment can be told."""
    zones = sorted({experiment.time_zone for experiment in store.list_experiments()})
    unknown = [zone for zone in zones if not _is_known(zone)]
    if unknown:
        return found_broken(
            "time zones",
            f"this machine does not know {', '.join(unknown)}",
            "install the package tzdata again",
        )
    return found_well("time zones", ", ".join(zones) or "no experiment yet")


def examine_folder(path: Path) -> Finding:
    """Look whether others on this machine may look into a folder or file."""
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        right = "700" if path.is_dir() else "600"
        return found_doubtful(
            "permissions",
            f"{path} has mode {mode:o}; other users of this machine can read it",
            f"chmod {right} {path}",
        )
    return found_well("permissions", f"{path} has mode {mode:o}")


def _is_known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


def _hours(age: timedelta) -> str:
    return f"{age / timedelta(hours=1):,.1f} hours"
