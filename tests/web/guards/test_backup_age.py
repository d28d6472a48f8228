"""The age of the newest backup, for whoever watches the service."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from werkzeug.test import Client

from abtest.services.backups import keep_of, take_backup
from abtest.web.context import Context
from tests.conftest import Clock

NAME = "abtest_backup_age_seconds"


def age(client: Client) -> float | None:
    lines = client.get("/metrics").text.splitlines()
    found = [line.split()[1] for line in lines if line.startswith(f"{NAME} ")]
    return float(found[0]) if found else None


@pytest.fixture
def folder(context: Context, tmp_path: Path) -> Path:
    """Backups go here from now on."""
    path = tmp_path / "backups"
    context.settings = replace(context.settings, backup_dir=str(path))
    return path


def copy(target: Path) -> None:
    target.write_bytes(b"content")


def take(context: Context, folder: Path) -> None:
    take_backup(
        copy,
        folder,
        database=Path(context.settings.database),
        keep=keep_of(context.settings),
        now=context.now(),
    )


def test_it_is_told_once_there_is_a_backup(
    client: Client, context: Context, folder: Path, clock: Clock
) -> None:
    assert age(client) is None
    take(context, folder)
    clock.time += timedelta(hours=30)
    assert age(client) == 30 * 3600
    take(context, folder)
    clock.time += timedelta(seconds=5)
    assert age(client) == 5


def test_without_a_folder_there_is_none(client: Client) -> None:
    assert age(client) is None
    assert "abtest_db_size_bytes" in client.get("/metrics").text


def test_a_folder_that_cannot_be_read_leaves_the_rest(
    client: Client, folder: Path
) -> None:
    folder.write_text("a file where the folder should be")
    assert age(client) is None
    assert "abtest_db_size_bytes" in client.get("/metrics").text
