"""The examples of docs/import.md: what a reader types is what the tests run."""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.cli.program import Document, Program

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
_GUIDE = Path(__file__).resolve().parents[2] / "docs" / "import.md"
_EXAMPLE = re.compile(r"```json\n(.*?)```\s+```sh\n(.*?)```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Example:
    """An experiment of the guide: its definition, and the commands without `abtest`."""

    definition: dict[str, object]
    commands: tuple[tuple[str, ...], ...]

    @property
    def key(self) -> str:
        return str(self.definition["key"])

    def imports(self) -> list[tuple[str, ...]]:
        return [words for words in self.commands if words[0] == "import"]

    def prepare(self, program: Program) -> None:
        """Create and start the experiment."""
        self._run(program, "create")
        self._run(program, "start")

    def load(self, program: Program, folder: Path = DATA) -> list[Document]:
        """Run the imports with the files of a folder."""
        return [
            program.answer(*(_located(word, folder, program.folder) for word in words))
            for words in self.imports()
        ]

    def finish(self, program: Program) -> Document:
        """Close the experiment and return its report."""
        self._run(program, "close")
        return program.answer("report", self.key)

    def _run(self, program: Program, action: str) -> None:
        file = program.folder / f"{self.key}.json"
        file.write_text(json.dumps(self.definition))
        (words,) = (w for w in self.commands if w[:2] == ("experiment", action))
        program.succeed(*(_located(word, program.folder, DATA) for word in words))


def example(key: str) -> Example:
    """Return the example whose experiment has this key."""
    for definition, commands in _EXAMPLE.findall(_GUIDE.read_text()):
        told = json.loads(definition)
        if told["key"] == key:
            lines = commands.replace("\\\n", " ").splitlines()
            words = [tuple(shlex.split(line)) for line in lines]
            assert all(line[0] == "abtest" for line in words)
            return Example(told, tuple(line[1:] for line in words))
    raise LookupError(key)


def _located(word: str, *folders: Path) -> str:
    """Find a file of the guide."""
    found = (folder / word for folder in folders if (folder / word).is_file())
    return str(next(found, word))
