"""`abtest simulate`: scenarios by name, both ways to run them, text and JSON."""

from pathlib import Path

import click
import pytest

from abtest.cli import simulate
from tests.cli.program import Program


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def test_without_a_name_the_scenarios_are_listed(program: Program) -> None:
    lines = program.succeed("simulate").splitlines()
    assert lines[0].split(maxsplit=1) == ["null", "both variants are alike"]
    names = [one.text("scenario") for one in program.answer("simulate").members("")]
    assert names == [line.split()[0] for line in lines]


def test_the_store_and_the_sums_give_the_same_counts(program: Program) -> None:
    words = ("simulate", "small", "--replications", "3", "--seed", "7")
    through = program.answer(*words)
    assert through.at("0") == program.answer(*words, "--on-sums").at("0")
    assert through.number("0.replications") == 3
    assert through.number("0.day") == 30
    assert through.at("0.true_effects") == [0.0]
    count, share = through.number("0.covered.count"), through.number("0.covered.share")
    assert share == pytest.approx(count / through.number("0.estimated"))
    assert not program.database.exists()


@pytest.mark.parametrize(
    ("day", "expected"), [("first", 30), ("+4", 34), ("mature", 59)]
)
def test_the_day_of_the_look_is_chosen(
    program: Program, day: str, expected: int
) -> None:
    found = program.answer(
        *("simulate", "small", "--replications", "1", "--on-sums", "--day", day),
        *("--method", "sequential"),
    )
    assert found.number("0.day") == expected
    assert found.text("0.method") == "sequential"


def test_a_person_reads_a_table_with_errors(program: Program) -> None:
    words = ("simulate", "wrong_winner", "--replications", "4", "--on-sums")
    head, line = program.succeed(*words).splitlines()
    assert " ".join(head.split()) == (
        "scenario estimated different % plain count % coverage % mean effect truth "
        "winner control"
    )
    assert line.split()[:2] == ["wrong_winner", "4/4"]
    assert line.count("±") == 3
    assert "-0.00375" in line


def test_a_bar_is_shown_to_a_person(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulate, "is_terminal", lambda: True)
    shown = program.succeed("simulate", "small", "--replications", "2", "--on-sums")
    assert "2/2" in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nowhere",), "there is no scenario nowhere"),
        (("null", "--day", "soon"), "write first, mature, or +7"),
        (("null", "--day", "+x"), "write first, mature, or +7"),
        (("null", "--replications", "0"), "0"),
    ],
)
def test_mistakes_are_named(
    program: Program, words: tuple[str, ...], message: str
) -> None:
    done = program.run("simulate", *words)
    assert done.exit_code == click.UsageError.exit_code
    assert message in done.stderr
