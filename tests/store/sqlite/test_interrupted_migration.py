"""F8 of the fault tests: kill -9 at every statement of a migration."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from abtest._resources import migrations
from abtest.store.migrate import known_migrations, migrate
from tests.store.sqlite.dying_migration import tables

KNOWN = known_migrations()


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(1, marks=pytest.mark.slow, id="all"),
        pytest.param(len(KNOWN) - 1, id="the newest"),
    ],
)
def test_f8_version_and_schema_agree_wherever_a_migration_is_killed(
    tmp_path: Path, before: int
) -> None:
    script = tmp_path / "scripts"
    script.mkdir()
    # The schema after each migration, each made without interruption.
    schemas = {}
    for count in range(1, len(KNOWN) + 1):
        name = KNOWN[count - 1]
        shutil.copy(migrations("sqlite") / f"{name}.sql", script)
        made = tmp_path / f"made{count}.db"
        migrate(made, folder=script)
        schemas[KNOWN[count:]] = tables(made)
    old = tmp_path / f"made{before}.db"
    folder = tmp_path / "folder"
    folder.mkdir()
    process = subprocess.run(
        [sys.executable, "-m", "tests.store.sqlite.dying_migration", old, folder],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    ends = [json.loads(line) for line in process.stdout.splitlines()]
    assert [end["died"] for end in ends] == [True] * (len(ends) - 1) + [False]
    assert {tuple(end["pending"]) for end in ends} == {
        KNOWN[count:] for count in range(before, len(KNOWN) + 1)
    }
    for end in ends:
        pending = tuple(end["pending"])
        assert end["tables"] == schemas[pending]
        assert tuple(end["applied"]) == pending
        assert end["after"] == schemas[()]
        assert f"abtest.before-{KNOWN[before]}.db" in end["backups"]
