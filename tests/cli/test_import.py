"""`abtest import` as a person types it and as a program reads it."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest

from abtest.domain.events import Event
from abtest.domain.experiment import ExperimentKey
from abtest.errors import AbtestError, ErrorCode
from abtest.services.imports.summary import ImportSummary
from abtest.store.protocol import Bookmark, RecordOutcome
from abtest.store.sqlite import SqliteStore
from tests.cli.program import Document, Program

SHOP = {
    "key": "shop",
    "variants": [{"key": "a"}, {"key": "b"}],
    "funnel": [{"key": "buy"}],
    "first_conversion": {"step": "buy"},
    "weights": {"first": 1, "second": 2, "currency": "EUR"},
}
MAPPING = (
    "--map",
    "visitor=who",
    "--map",
    "at=when",
    "--map",
    "variant=arm",
    "--map",
    "at:buy=bought",
    "--map",
    "value:buy=paid",
)
PEOPLE = "who,when,arm,bought,paid\nv1,2026-03-01,a,2026-03-02,5\nv2,2026-03-01,b,,\n"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    program = Program(tmp_path)
    program.begin(SHOP)
    return program


def write(program: Program, text: str, name: str = "people.csv") -> str:
    path = program.folder / name
    path.write_bytes(text.encode())
    return str(path)


def test_people_read_what_became_of_the_rows(program: Program) -> None:
    said = program.succeed("import", "shop", write(program, PEOPLE), *MAPPING)
    assert "people.csv: 2 rows in" in said
    assert "rows a second" in said
    assert "accepted          3 events" in said
    again = program.succeed("import", "shop", write(program, PEOPLE), *MAPPING)
    assert "known             3 events were stored before" in again


def test_programs_read_the_same(program: Program) -> None:
    found = program.answer("import", "shop", write(program, PEOPLE), *MAPPING)
    assert found.text("experiment") == "shop"
    assert found.text("file") == "people.csv"
    assert found.number("rows") == 2
    assert found.number("accepted") == found.number("events") == 3
    assert found.number("rows_per_second") > 0
    assert found.at("left_out") == found.at("bad_rows") == []
    assert found.at("dry_run") is False


def test_spreadsheets_from_germany(program: Program) -> None:
    text = "who;when;arm;bought;paid\nv1;01.03.2026;a;02.03.2026;1.234,50\n"
    path = program.folder / "leute.csv"
    path.write_bytes(text.encode("cp1252"))
    program.succeed(
        *("import", "shop", str(path), *MAPPING, "--delimiter", ";"),
        *("--encoding", "cp1252", "--decimal-comma", "--date-format", "%d.%m.%Y"),
        *("--time-zone", "Europe/Berlin"),
    )
    report = program.answer("report", "shop", "--as-of", "2026-06-01")
    assert report.number("variants.0.revenue.observed") == 1234.5


def test_files_without_header_and_with_tabs(program: Program) -> None:
    text = "v1\t1772323200\ta\t\t\n"
    found = program.answer(
        *("import", "shop", write(program, text, "people.txt"), *MAPPING),
        *("--format", "csv", "--delimiter", "tab", "--date-format", "unix"),
        *("--columns", "who,when,arm,bought,paid"),
    )
    assert found.number("accepted") == 1


def test_skipped_rows_are_listed(program: Program) -> None:
    text = f"{PEOPLE}v3,soon,a,,\nv4,2026-03-01,c,,\n"
    words = ("import", "shop", write(program, text), *MAPPING, "--on-error", "skip")
    said = program.succeed(*words)
    assert "bad               2 rows were skipped:" in said
    assert "line 4, when: 'soon' is no time" in said
    assert "line 5, arm: 'c' is no variant of shop, which has a, b" in said
    found = program.answer(*words)
    first = found.members("bad_rows")[0]
    assert (first.number("line"), first.text("column")) == (4, "when")
    assert (first.text("value"), first.text("code")) == ("soon", "invalid_time")


def test_long_lists_of_bad_rows_end(program: Program) -> None:
    text = PEOPLE + "v,soon,a,,\n" * 130
    said = program.succeed(
        "import", "shop", write(program, text), *MAPPING, "--on-error", "skip"
    )
    assert "and 30 more" in said


def test_bad_row_stops_with_a_line_to_mend(program: Program) -> None:
    said = program.fail(
        "import", "shop", write(program, f"{PEOPLE}v3,soon,a,,\n"), *MAPPING
    )
    assert said.startswith("Error: people.csv, line 4, when: 'soon' is no time")
    assert "nothing of the file is stored" in said


def test_bad_row_is_a_problem_for_programs(program: Program) -> None:
    words = ("import", "shop", write(program, f"{PEOPLE}v3,soon,a,,\n"), *MAPPING)
    problem = Document(json.loads(program.fail(*words, "--json")))
    assert problem.text("errors.0.pointer") == "/lines/4/when"
    assert problem.text("errors.0.code") == "invalid_time"


def test_wrong_header_names_the_columns(program: Program) -> None:
    text = PEOPLE.replace("who,when", "whom,when")
    said = program.fail("import", "shop", write(program, text), *MAPPING)
    assert "no column 'who'; its columns are: whom, when, arm" in said
    assert "did you mean 'whom'?" in said


def test_rehearsal_says_what_would_be_stored(program: Program) -> None:
    said = program.succeed(
        "import", "shop", write(program, PEOPLE), *MAPPING, "--dry-run"
    )
    assert "to store          3 events (a rehearsal: nothing is stored)" in said
    assert program.answer("report", "shop").number("variants.0.visitors") == 0


def test_days_that_were_left_out_are_told_as_spans(program: Program) -> None:
    days = [
        f"2026-03-{day:02},5,{'' if day in {2, 3, 4, 7} else 1}" for day in range(1, 9)
    ]
    text = "\n".join(["day,seen,buyers", *days])
    said = program.succeed(
        *("import", "shop", write(program, text), "--daily", "--set", "variant=a"),
        *("--map", "day=day", "--map", "exposures=seen", "--map", "step:buy=buyers"),
        *("--followed-until", "2026-03-08"),
    )
    assert (
        "4 rows: not followed up, 20 visitors, 2026-03-02 to 2026-03-04, 2026-03-07"
        in said
    )
    assert "conversions are known until 2026-03-08" in said


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--followed-until", "soon"), "soon is no day; write it as 2026-03-31"),
        (("--delimiter", ";;"), "';;' is no single character"),
        (("--on-error", "shrug"), "'shrug' is not one of 'stop', 'skip'"),
        (("--batch-size", "0"), "0 is not in the range"),
    ],
)
def test_unusable_options_are_usage_errors(
    program: Program, options: tuple[str, ...], complaint: str
) -> None:
    result = program.run("import", "shop", write(program, PEOPLE), *MAPPING, *options)
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_help_shows_an_example_of_each_shape(program: Program) -> None:
    said = program.succeed("import", "--help")
    for words in ("One row per event:", "One row per visitor:", "One row per day:"):
        assert words in said


def test_person_at_a_terminal_sees_a_bar(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("abtest.cli.imports.is_terminal", lambda: True)
    said = program.succeed("import", "shop", write(program, PEOPLE), *MAPPING)
    assert said.startswith("people.csv, reading")
    assert "people.csv, storing" in said


def at_a_terminal(program: Program, *words: str) -> str:
    """Run as a person does, and return all that appears."""
    master, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "abtest", *words],
        env=os.environ | {"ABTEST_DATABASE": str(program.database), "COLUMNS": "100"},
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        seen = b""
        with suppress(OSError):  # how the end of a terminal is told
            while found := os.read(master, 4096):
                seen += found
    os.close(master)
    assert process.returncode == 0, seen
    return seen.decode()


def test_bars_tell_the_speed_and_leave_no_line_half_written(program: Program) -> None:
    seen = at_a_terminal(program, "import", "shop", write(program, PEOPLE), *MAPPING)
    # What overwrites a line stays out of sight.
    text = re.sub(r"\x1b\[\?25[hl]", "", seen)  # the cursor, which is hidden and shown
    lines = [line.rpartition("\r")[2].strip() for line in text.split("\r\n")]
    reading, storing = lines[:2]
    assert re.fullmatch(
        r"people\.csv, reading  \[#{36}\]  100%  [1-9][\d,]* rows/s", reading
    )
    assert re.fullmatch(
        r"people\.csv, storing  \[#{36}\]  100%  [1-9][\d,]* events/s", storing
    )
    assert lines[2].startswith("people.csv: 2 rows in")


def test_import_that_goes_on_says_where(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, path = SqliteStore.load, write(program, PEOPLE)
    words = ("import", "shop", path, *MAPPING, "--batch-size", "2")

    def full(
        store: SqliteStore,
        batch: Sequence[Event],
        *,
        received_at: datetime,
        bookmark: Bookmark,
    ) -> RecordOutcome:
        if bookmark.value is None:
            raise AbtestError(ErrorCode.UNAVAILABLE, "the disk is full")
        return load(store, batch, received_at=received_at, bookmark=bookmark)

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "load", full)
        assert "the disk is full" in program.fail(*words)
    found = program.answer(*words)
    assert (found.number("resumed_at"), found.number("accepted")) == (2, 1)
    assert program.answer(*words).number("resumed_at") == 0


def test_person_reads_where_it_went_on(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def known(*_: object, **__: object) -> ImportSummary:
        return ImportSummary(
            experiment=ExperimentKey("shop"),
            rows=9000,
            events=9000,
            accepted=1000,
            duplicates=8000,
            resumed_at=8000,
            left_out=(),
            bad=0,
            bad_rows=(),
            followed_until=None,
        )

    monkeypatch.setattr("abtest.cli.imports.import_file", known)
    said = program.succeed("import", "shop", write(program, PEOPLE), *MAPPING)
    assert "resumed   after 8,000 events that an earlier run had stored" in said
