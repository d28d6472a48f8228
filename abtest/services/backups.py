"""The folder of backups: which there are, which are good, which are kept."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from abtest.config import Settings
from abtest.errors import AbtestError, ErrorCode
from abtest.store.file_lock import FileLock
from abtest.store.protocol import ConfigStore

_TIME = "%Y%m%dT%H%M%SZ"
_FAILURE = "backup_failure"

Copy = Callable[[Path], None]
"""Writes a sound copy of the database to a path where nothing is yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupInfo:
    """One backup; `at` is when it was begun, `size` is in bytes."""

    path: Path
    at: datetime
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Of how many days, weeks and months the newest backup is kept."""

    daily: int
    weekly: int
    monthly: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A backup just taken, and the old ones that were removed for it."""

    backup: BackupInfo
    sha256: str
    removed: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The last backup of the service that failed, unless one succeeded since."""

    at: datetime
    detail: str


def keep_of(settings: Settings) -> Keep:
    """Return what the settings say about keeping."""
    return Keep(
        daily=settings.backup_keep_daily,
        weekly=settings.backup_keep_weekly,
        monthly=settings.backup_keep_monthly,
    )


def select_kept(times: Iterable[datetime], keep: Keep) -> frozenset[datetime]:
    """Return the times of the backups that are kept.

    The newest of each of the last days, ISO weeks and months that have one, in UTC;
    and all of the 24 hours before the newest, so that one taken before a risky step
    is not pushed out by the next.
    """
    newest_first = sorted(times, reverse=True)
    if not newest_first:
        return frozenset()
    newest = newest_first[0]
    kept = {at for at in newest_first if newest - at < timedelta(days=1)}
    for count, period in (
        (keep.daily, _day),
        (keep.weekly, _week),
        (keep.monthly, _month),
    ):
        first: dict[tuple[int, ...], datetime] = {}
        for at in newest_first:
            first.setdefault(period(at.astimezone(UTC)), at)
        kept.update(list(first.values())[:count])
    return frozenset(kept)


def list_backups(folder: Path, database: Path) -> tuple[BackupInfo, ...]:
    """Return the backups of the database in the folder, newest first.

    Raises:
        AbtestError: `unavailable` when the folder cannot be read.
    """
    named = re.compile(rf"{re.escape(database.stem)}-(\d{{8}}T\d{{6}}Z)\.db")
    found = []
    try:
        for path in folder.iterdir() if folder.exists() else ():
            if match := named.fullmatch(path.name):
                at = datetime.strptime(match[1], _TIME).replace(tzinfo=UTC)
                size = path.stat().st_size
                found.append(BackupInfo(path=path, at=at, size=size))
    except OSError as error:
        raise _unavailable(f"the backups in {folder} cannot be read: {error}") from (
            error
        )
    return tuple(sorted(found, key=lambda backup: backup.at, reverse=True))


def last_backup(settings: Settings) -> BackupInfo | None:
    """Return the newest backup in the folder of the settings.

    Raises:
        AbtestError: `unavailable` when the folder cannot be read.
    """
    if not settings.backup_dir:
        return None
    found = list_backups(Path(settings.backup_dir), Path(settings.database))
    return found[0] if found else None


def newest_good_backup(settings: Settings) -> BackupInfo | None:
    """Return the newest backup whose content is what it was when it was taken."""
    if not settings.backup_dir:
        return None
    for backup in list_backups(Path(settings.backup_dir), Path(settings.database)):
        try:
            if check_backup(backup.path):
                return backup
        except AbtestError:
            continue
    return None


def check_backup(path: Path) -> bool:
    """Compare a backup with the checksum beside it; False when there is none.

    Raises:
        AbtestError: `not_found` when there is no such file, `invalid` when it is not
            what it was, `unavailable` when it cannot be read.
    """
    if not path.is_file():
        raise AbtestError(ErrorCode.NOT_FOUND, f"there is no file {path}")
    try:
        told = _checksum_file(path).read_text("ascii").split()[:1]
        actual = _sha256(path)
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError) as error:
        raise _unavailable(f"{path} cannot be checked: {error}") from error
    if told != [actual]:
        raise AbtestError(
            ErrorCode.INVALID,
            f"{path} is not what it was: its SHA-256 is {actual}, but"
            f" {_checksum_file(path).name} says {' '.join(told) or 'nothing'};"
            " use another backup",
        )
    return True


def take_backup(
    copy: Copy, folder: Path, *, database: Path, keep: Keep, now: datetime
) -> Taken:
    """Copy the database into the folder, then remove what is not kept any longer.

    The file appears under its name when it is whole, checked and on disk, with its
    SHA-256 beside it in the format of `sha256sum`. Old ones go only after that. Of
    two in the same second the later takes the place of the earlier.

    Raises:
        AbtestError: `conflict` while another backup goes to the folder; `unavailable`
            when the folder cannot be written, and as `copy`.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(FileLock(folder)):
            for stale in folder.glob(f".{database.stem}-*.part"):
                stale.unlink()
            taken = _take(copy, folder, database, now)
            everything = list_backups(folder, database)
            kept = select_kept((backup.at for backup in everything), keep)
            removed = [old.path for old in everything if old.at not in kept]
            for path in removed:
                path.unlink()
                _checksum_file(path).unlink(missing_ok=True)
    except BlockingIOError as error:
        raise AbtestError(
            ErrorCode.CONFLICT, f"another backup is being written to {folder}"
        ) from error
    except OSError as error:
        raise _unavailable(f"no backup in {folder}: {error}") from error
    backup, sha256 = taken
    return Taken(backup=backup, sha256=sha256, removed=tuple(removed))


def note_failure(store: ConfigStore, failure: Failure | None) -> None:
    """Remember that a backup of the service failed, or that one succeeded."""
    text = None if failure is None else f"{failure.at.isoformat()} {failure.detail}"
    if store.get_setting(_FAILURE) != text:
        store.put_setting(_FAILURE, text)


def last_failure(store: ConfigStore) -> Failure | None:
    """Return the failure that was remembered and not made good since."""
    if (text := store.get_setting(_FAILURE)) is None:
        return None
    at, _, detail = text.partition(" ")
    return Failure(at=datetime.fromisoformat(at), detail=detail)


def _take(
    copy: Copy, folder: Path, database: Path, now: datetime
) -> tuple[BackupInfo, str]:
    path = folder / f"{database.stem}-{now.astimezone(UTC).strftime(_TIME)}.db"
    part = folder / f".{path.stem}.part"
    copy(part)
    sha256 = _sha256(part)
    size = part.stat().st_size
    # The checksum comes first: no backup is ever seen without it.
    _write_durably(_checksum_file(path), f"{sha256}  {path.name}\n")
    part.replace(path)
    _sync(folder)
    at = now.astimezone(UTC).replace(microsecond=0)
    return BackupInfo(path=path, at=at, size=size), sha256


def _checksum_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_durably(path: Path, text: str) -> None:
    with path.open("w", encoding="ascii") as file:
        path.chmod(0o600)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _day(at: datetime) -> tuple[int, ...]:
    return at.year, at.month, at.day


def _week(at: datetime) -> tuple[int, ...]:
    return at.isocalendar()[:2]


def _month(at: datetime) -> tuple[int, ...]:
    return at.year, at.month


def _unavailable(detail: str) -> AbtestError:
    return AbtestError(ErrorCode.UNAVAILABLE, detail)
