"""Runs abtest's command line on a database of its own, and reads what it says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from abtest.cli import main


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document; members are named by their path: `variants.0.visitors`."""

    root: object

    def at(self, path: str) -> object:
        found = self.root
        for name in path.split(".") if path else ():
            if isinstance(found, list):
                found = found[int(name)]
            else:
                assert isinstance(found, dict), (path, found)
                found = found[name]
        return found

    def number(self, path: str) -> float:
        found = self.at(path)
        assert isinstance(found, int | float), (path, found)
        return found

    def text(self, path: str) -> str:
        found = self.at(path)
        assert isinstance(found, str), (path, found)
        return found

    def members(self, path: str) -> "list[Document]":
        found = self.at(path)
        assert isinstance(found, list), (path, found)
        return [Document(member) for member in found]


@dataclass(frozen=True, slots=True)
class Program:
    """The command line, as a person types it."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "abtest.db"

    def run(self, *words: str) -> Result:
        environment = {"ABTEST_DATABASE": str(self.database), "ABTEST_CONFIG": None}
        result = CliRunner().invoke(main, words, env=environment)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def succeed(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    def fail(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 1, result.output
        return result.stderr

    def answer(self, *words: str) -> Document:
        return Document(json.loads(self.succeed(*words, "--json")))

    def begin(self, definition: Mapping[str, object]) -> None:
        """Create and start an experiment."""
        key = str(definition["key"])
        file = self.folder / f"{key}.json"
        file.write_text(json.dumps(definition))
        self.succeed("experiment", "create", str(file))
        self.succeed("experiment", "start", key)
