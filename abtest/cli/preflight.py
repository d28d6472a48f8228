"""What a service makes sure of before it serves, and leaves behind when it ends."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from abtest.cli.console import database_path, now, open_database
from abtest.config import Settings
from abtest.errors import AbtestError, ErrorCode
from abtest.services.backups import newest_good_backup
from abtest.store.file_lock import is_in_use, use_database


@contextmanager
def serving(configured: Settings) -> Iterator[None]:
    """Check and migrate the database, and keep `abtest restore` away meanwhile.

    Raises:
        AbtestError: `unavailable` when the database is damaged, read-only or of a
            newer version; nothing was written then.
    """
    from abtest.store.migrate import migrate, pending  # noqa: PLC0415 - help needs none
    from abtest.store.sqlite.integrity import (  # noqa: PLC0415
        SERVING_SINCE,
        check_rights,
    )

    path = database_path(configured)
    check_rights(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = use_database(path)
    try:
        if path.exists():
            _refuse_damage(path, configured)
            pending(path)
        migrate(path)
        with open_database() as store:
            store.put_setting(SERVING_SINCE, now().isoformat())
    except BaseException:
        lock.close()
        raise
    try:
        yield
    finally:
        lock.close()
        if not is_in_use(path):
            with suppress(AbtestError), open_database() as store:
                store.put_setting(SERVING_SINCE, None)


def _refuse_damage(path: Path, configured: Settings) -> None:
    from abtest.store.sqlite.integrity import quick_check  # noqa: PLC0415 - as above

    if path.stat().st_size > configured.start_check_mb * 2**20:
        return
    damage = quick_check(path)
    if not damage:
        return
    raise AbtestError(
        ErrorCode.UNAVAILABLE,
        f"the database {path} is damaged ({damage[0]}); nothing was written to it."
        f" {way_out(configured)}",
    )


def way_out(configured: Settings) -> str:
    """Say how to go on with a damaged database."""
    good = newest_good_backup(configured)
    if good is None:
        where = configured.backup_dir or "ABTEST_BACKUP_DIR, which is not set"
        return f"There is no good backup in {where}: `abtest restore FILE` takes one"
    return (
        f"The newest good backup is of {good.at:%Y-%m-%d %H:%M} UTC:"
        f" stop the service and run `abtest restore {good.path}`"
    )
