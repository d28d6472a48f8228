"""Imports small files that a test writes, into a real store."""

import gzip
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from abtest.domain.events import Event
from abtest.domain.experiment import Action, Experiment, ExperimentKey
from abtest.errors import AbtestError
from abtest.services.access import COMMAND_LINE
from abtest.services.definition import (
    ExperimentDefinition,
    FirstDefinition,
    SecondDefinition,
    StepDefinition,
    VariantDefinition,
    WeightsDefinition,
)
from abtest.services.experiments import act_on_experiment, create_experiment
from abtest.services.imports.files import Layout, format_of
from abtest.services.imports.mapping import parse_mapping
from abtest.services.imports.run import ImportRequest, OnError, import_file
from abtest.services.imports.storing import BATCH
from abtest.services.imports.summary import ImportSummary
from abtest.store.protocol import Bookmark, RecordOutcome, Store

KEY = ExperimentKey("shop")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LOG = "--map visitor=who --map at=when --map type=what"
PEOPLE = "--map visitor=who --map at=when --map variant=arm"
DAILY = (
    "--daily --set variant=a --map day=day --map exposures=seen"
    " --map step:lead=leads --map step:buy=buyers"
)


def shop(*, currency: str | None = "EUR", zone: str = "UTC") -> ExperimentDefinition:
    return ExperimentDefinition(
        key=KEY,
        variants=(VariantDefinition(key="a"), VariantDefinition(key="b")),
        funnel=(StepDefinition(key="lead"), StepDefinition(key="buy")),
        first_conversion=FirstDefinition(step="lead"),
        second_conversion=SecondDefinition(step="buy"),
        weights=WeightsDefinition(first=1, second=3, currency=currency),
        window_days=30,
        time_zone=zone,
    )


def begin(store: Store, definition: ExperimentDefinition | None = None) -> Experiment:
    """Create and start an experiment."""
    made = create_experiment(store, definition or shop(), COMMAND_LINE, NOW)
    return act_on_experiment(store, made.key, Action.START, COMMAND_LINE, NOW)


FLAGS = frozenset({"--daily", "--decimal-comma", "--dry-run"})


def request(path: Path, options: str) -> ImportRequest:
    """Read options as the command line writes them."""
    found: dict[str, list[str]] = {}
    words = iter(shlex.split(options))
    for word in words:
        found.setdefault(word, []).append("" if word in FLAGS else next(words))
    single = {name: values[-1] for name, values in found.items()}
    year, until = single.get("--year"), single.get("--followed-until")
    return ImportRequest(
        path=path,
        layout=Layout(format=format_of(path)),
        mapping=parse_mapping(
            columns=found.get("--map", []),
            constants=found.get("--set", []),
            translations=found.get("--translate", []),
            delays=found.get("--delay", []),
            by_day="--daily" in found,
        ),
        date_format=single.get("--date-format"),
        year=None if year is None else int(year),
        time_zone=single.get("--time-zone"),
        decimal_comma="--decimal-comma" in found,
        on_error=OnError(single.get("--on-error", "stop")),
        batch_size=int(single.get("--batch-size", BATCH)),
        followed_until=None if until is None else date.fromisoformat(until),
        is_rehearsal="--dry-run" in found,
    )


@dataclass(frozen=True, slots=True)
class Importer:
    """Writes rows into a file and imports it."""

    store: Store
    folder: Path

    def write(self, rows: str | Sequence[str], name: str = "rows.csv") -> Path:
        text = rows if isinstance(rows, str) else "\n".join(rows)
        path = self.folder / name
        data = text.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    def events(self, rows: str | Sequence[str], options: str) -> list[Event]:
        """Import, and return the events that were given to the store."""
        given: list[Event] = []
        load = self.store.load

        def spy(
            batch: Sequence[Event], *, received_at: datetime, bookmark: Bookmark
        ) -> RecordOutcome:
            given.extend(batch)
            return load(batch, received_at=received_at, bookmark=bookmark)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.store, "load", spy)
            self.load(rows, options)
        return given

    def refusal(self, rows: str | Sequence[str], options: str) -> AbtestError:
        """Import what must be refused."""
        with pytest.raises(AbtestError) as caught:
            self.load(rows, options)
        return caught.value

    def load(
        self, rows: str | Sequence[str], options: str, *, name: str = "rows.csv"
    ) -> ImportSummary:
        path = self.write(rows, name)
        return import_file(
            self.store, KEY, request(path, options), caller=COMMAND_LINE, now=NOW
        )
