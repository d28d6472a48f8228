"""`abtest report`: the same numbers as text, JSON and CSV."""

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.cli.program import Document, Program

SHOP = {
    "key": "shop",
    "name": '=Shop, "honest"',
    "hypothesis": "An honest page sells less at once and more in the end",
    "variants": [{"key": "a", "name": "Old"}, {"key": "b", "name": "+New"}],
    "funnel": [{"key": "lead", "kind": "lead"}, {"key": "buy", "name": "@Purchase"}],
    "first_conversion": {"step": "lead"},
    "second_conversion": {"step": "buy"},
    "window_days": 14,
    "weights": {"first": 1, "second": 3, "currency": "EUR"},
    "method": "fixed",
}
DAYS = "day,seen,leads,buyers\n" + "\n".join(
    f"2026-03-{day:02},400,{leads},{buyers}"
    for day, leads, buyers in ((1, 40, 10), (2, 44, 12), (3, 38, 9), (4, 41, 11))
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    program = Program(tmp_path_factory.mktemp("report"))
    program.begin(SHOP)
    for variant, text in (("a", DAYS), ("b", DAYS.replace(",10\n", ",25\n"))):
        file = program.folder / f"{variant}.csv"
        file.write_text(text)
        program.succeed(
            *("import", "shop", str(file), "--daily", "--set", f"variant={variant}"),
            *("--map", "day=day", "--map", "exposures=seen", "--delay", "buy=7"),
            *("--map", "step:lead=leads", "--map", "step:buy=buyers"),
            *("--followed-until", "2026-04-01"),
        )
    return program


@pytest.fixture(scope="module")
def report(program: Program) -> Document:
    return program.answer("report", "shop")


def rows_of(
    program: Program, *words: str, delimiter: str = ","
) -> list[dict[str, str]]:
    text = program.succeed("report", "shop", "--format", "csv", *words)
    assert text.startswith("\ufeff")
    lines = io.StringIO(text.removeprefix("\ufeff"), newline="")
    return list(csv.DictReader(lines, delimiter=delimiter, strict=True))


def numbers(found: object, path: str = "") -> dict[str, float]:
    """Return every number of a JSON value with its path, as CSV columns name them."""
    if isinstance(found, bool):
        return {}
    if isinstance(found, int | float):
        return {path: found}
    named: dict[str, float] = {}
    if isinstance(found, dict):
        for name, value in found.items():
            named |= numbers(value, f"{path}.{name}" if path else name)
    elif isinstance(found, list) and path.endswith("interval"):
        for name, value in zip(("lower", "upper"), found, strict=True):
            named |= numbers(value, f"{path}.{name}")
    elif isinstance(found, list) and path.endswith("steps"):
        for step in found:
            named |= numbers(step, f"{path}.{step['step']}")
    return named


def test_json_of_both_options_is_the_same(program: Program) -> None:
    flag = program.succeed("report", "shop", "--json")
    assert program.succeed("report", "shop", "--format", "json") == flag
    assert json.loads(flag)["variants"][1]["second"]["observed"] == 57


def test_csv_reads_back_as_the_json_report(program: Program, report: Document) -> None:
    rows = rows_of(program)
    assert [row["key"] for row in rows] == ["a", "b"]
    for row, variant in zip(rows, report.members("variants"), strict=True):
        expected = numbers(variant.root)
        assert len(expected) > 15
        for path, value in expected.items():
            assert float(row[path]) == value, path
    expected = numbers(report.at("comparisons.0"), "versus_control")
    assert len(expected) > 40
    for path, value in expected.items():
        assert float(rows[1][path]) == value, path
        assert rows[0][path] == ""
    assert rows[1]["verdict.sentence"] == report.text("verdict.sentence")
    assert rows[0]["health.status"] == report.text("health.status")


def test_german_csv_has_semicolons_and_decimal_commas(program: Program) -> None:
    english, german = rows_of(program), rows_of(program, "--lang", "de", delimiter=";")
    for one, other in zip(english, german, strict=True):
        assert one.keys() == other.keys()
        rate = other["first.rate"]
        assert "," in rate
        assert float(rate.replace(",", ".")) == float(one["first.rate"])
        assert other["as_of"] == one["as_of"] == "2026-04-01"


def test_csv_has_the_line_ends_of_the_standard(program: Program) -> None:
    program_output = program.run("report", "shop", "--format", "csv").stdout_bytes
    assert program_output.count(b"\r\n") == 3
    assert program_output.count(b"\n") == 3


def test_csv_guards_against_formulas(program: Program) -> None:
    row = rows_of(program)[1]
    assert row["name"] == "'+New"
    assert row["steps.buy.name"] == "'@Purchase"


def test_text_says_the_verdict_and_shows_the_counts(
    program: Program, report: Document
) -> None:
    said = program.succeed("report", "shop")
    assert said.startswith('=Shop, "honest" (shop, running)\n')
    flat = " ".join(said.split())
    for sentence in report.text("verdict.sentence").split(". "):
        assert sentence.strip(".") in flat
    for variant in report.members("variants"):
        assert f"{int(variant.number('visitors')):,}" in said
        assert str(int(variant.number("second.observed"))) in said
    assert "An honest page sells less" in said
    assert "What is the second conversion worth?" in said


def test_text_is_german_when_asked(program: Program) -> None:
    english, german = (
        program.succeed("report", "shop", "--lang", language)
        for language in ("en", "de")
    )
    assert english != german
    assert "1.600" in german
    assert "1,600" in english


def test_text_before_the_first_visitor(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.begin(SHOP)
    said = program.succeed("report", "shop")
    assert "What is tested" in said
    assert "What is different" not in said


def test_other_worths_are_tried_out(program: Program) -> None:
    found = program.answer("report", "shop", "--weights", "0,1")
    assert found.at("weights.exploratory") is True
    assert (found.number("weights.first"), found.number("weights.second")) == (0, 1)
    value = found.number("variants.1.value.per_visitor")
    assert value == pytest.approx(found.number("variants.1.second.rate"))


def test_earlier_days_are_reported_as_then(program: Program) -> None:
    early = program.answer("report", "shop", "--as-of", "2026-03-02")
    assert early.text("as_of") == "2026-03-02"
    assert early.text("verdict.code") == "too_early"
    assert early.number("variants.0.visitors") == 800


def test_days_that_are_not_known_yet_are_refused(program: Program) -> None:
    said = program.fail("report", "shop", "--as-of", "2026-04-02")
    assert "2026-04-02" in said


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--weights", "1"), "1 is no pair; write first and second as 1,3"),
        (("--weights", "a,b"), "a,b is no pair"),
        (("--as-of", "today"), "today is no day"),
        (("--lang", "fr"), "'fr' is not one of"),
        (("--format", "doc"), "'doc' is not one of"),
    ],
)
def test_unusable_options_are_usage_errors(
    program: Program, options: tuple[str, ...], complaint: str
) -> None:
    result = program.run("report", "shop", *options)
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_unknown_experiment_fails(program: Program) -> None:
    assert "nothere" in program.fail("report", "nothere")


def test_a_page_and_a_notebook_are_files(program: Program) -> None:
    page = program.succeed("report", "shop", "--format", "html", "--lang", "de")
    assert page.startswith("<!doctype html>")
    assert 'lang="de-DE"' in page
    assert "=Shop, &#34;honest&#34;" in page
    notebook = json.loads(program.succeed("report", "shop", "--format", "ipynb"))
    assert notebook["nbformat"] == 4


def test_a_workbook_goes_to_a_file(program: Program) -> None:
    target = program.folder / "report.xlsx"
    program.succeed("report", "shop", "--format", "xlsx", "--output", str(target))
    assert zipfile.is_zipfile(target)


def test_a_pdf_is_printed_by_the_browser(program: Program) -> None:
    target = program.folder / "report.pdf"
    program.succeed("report", "shop", "--format", "pdf", "--output", str(target))
    assert target.read_bytes().startswith(b"%PDF-")


def test_without_a_browser_the_command_says_what_to_install(
    program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said = program.fail("report", "shop", "--format", "pdf")
    assert "install chromium" in said
    assert "--format html" in said
