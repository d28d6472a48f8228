"""Runs commands against a database of their own."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from abtest.cli import main


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def content(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.out)


class Commands:
    """Runs `abtest` in this process."""

    def __init__(self, database: Path) -> None:
        self.database = database

    def __call__(self, *arguments: str, stdin: str = "") -> Done:
        result = CliRunner().invoke(
            main,
            arguments,
            input=stdin,
            env={"ABTEST_DATABASE": str(self.database)},
            catch_exceptions=False,
        )
        return Done(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def run(tmp_path: Path) -> Commands:
    return Commands(tmp_path / "data" / "abtest.db")
