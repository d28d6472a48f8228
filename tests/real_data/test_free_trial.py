"""The free trial screener of an online school, 2014: totals by day.

Published (the course's own solution): over the 23 days that were followed up, gross
conversion (enrolments / clicks) differs by -0.0206, 95 % interval -0.0291 to -0.0120,
net conversion (payments / clicks) by -0.0049, -0.0116 to 0.0019; both with the pooled
standard error. Clicks 17,293 and 17,260, enrolments 3,785 and 3,423, payments 2,033
and 1,945. The last 14 days have clicks, but nobody counted what came of them.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from tests.cli.program import Document, Program
from tests.real_data.documented import example

TRIAL = example("trial")
pytestmark = pytest.mark.xdist_group("free trial")
FILES = ("free_trial_control.csv", "free_trial_experiment.csv")
CLICKS, ENROLMENTS, PAYMENTS = (17293, 17260), (3785, 3423), (2033, 1945)
LAST_FORTNIGHT = [f"2014-11-{day:02}" for day in range(3, 17)]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The program with both files imported, what it said of them, and the report."""

    program: Program
    summaries: list[Document]
    report: Document


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    program = Program(tmp_path_factory.mktemp("trial"))
    TRIAL.prepare(program)
    return Loaded(program, TRIAL.load(program), TRIAL.finish(program))


@pytest.fixture(scope="module")
def report(loaded: Loaded) -> Document:
    return loaded.report


def pooled(counts: tuple[int, int]) -> tuple[float, float, float]:
    """Return the published method: difference and interval, pooled standard error."""
    n, m = CLICKS
    p = sum(counts) / (n + m)
    error = (p * (1 - p) * (1 / n + 1 / m)) ** 0.5
    effect = counts[1] / m - counts[0] / n
    return effect, effect - 1.96 * error, effect + 1.96 * error


def rounded(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(round(value, 4) for value in values)


def test_days_nobody_followed_up_are_left_out_and_said(
    loaded: Loaded, data: Path
) -> None:
    for summary in loaded.summaries:
        (left_out,) = summary.members("left_out")
        assert left_out.text("reason") == "not_followed_up"
        assert left_out.number("rows") == 14
        assert left_out.at("days") == LAST_FORTNIGHT
        assert summary.number("bad") == 0
        assert summary.text("followed_until") == "2014-11-16"
    command, *_ = TRIAL.imports()
    words = [word.replace(FILES[0], str(data / FILES[0])) for word in command]
    said = loaded.program.succeed(*words)
    assert "14 rows: not followed up" in said
    assert "2014-11-03 to 2014-11-16" in said


def test_published_counts(report: Document) -> None:
    for variant, clicks, enrolled, paid in zip(
        report.members("variants"), CLICKS, ENROLMENTS, PAYMENTS, strict=True
    ):
        assert variant.number("visitors") == clicks
        assert variant.number("mature_visitors") == clicks
        assert variant.number("first.observed") == enrolled
        assert variant.number("second.observed") == paid
        assert variant.number("steps.0.visitors") == enrolled
        assert variant.number("steps.1.visitors") == paid


def test_published_gross_conversion(report: Document) -> None:
    found = Document(report.at("comparisons.0.calculator_check"))
    interval = (
        found.number("effect"),
        found.number("confidence_interval.0"),
        found.number("confidence_interval.1"),
    )
    assert rounded(interval) == (-0.0206, -0.0291, -0.0120)
    assert rounded(pooled(ENROLMENTS)) == (-0.0206, -0.0291, -0.0120)


def test_published_net_conversion(report: Document) -> None:
    """The pooled interval from the report's own counts, and ours beside it."""
    seen = tuple(int(v.number("second.observed")) for v in report.members("variants"))
    assert seen == PAYMENTS
    assert rounded(pooled(PAYMENTS)) == (-0.0049, -0.0116, 0.0019)
    found = Document(report.at("comparisons.0.second.frequentist"))
    assert round(found.number("effect"), 4) == -0.0049
    assert found.number("confidence_interval.0") == pytest.approx(-0.0116, abs=1e-4)
    assert found.number("confidence_interval.1") == pytest.approx(0.0019, abs=1e-4)


@pytest.mark.parametrize(
    ("measure", "counts"), [("first", ENROLMENTS), ("second", PAYMENTS)]
)
def test_own_intervals_agree_with_statsmodels(
    report: Document, measure: str, counts: tuple[int, int]
) -> None:
    """statsmodels' unpooled (Wald) interval; ours has n - 1 and Welch's t."""
    found = Document(report.at(f"comparisons.0.{measure}.frequentist"))
    lower, upper = confint_proportions_2indep(
        counts[1], CLICKS[1], counts[0], CLICKS[0], method="wald"
    )
    assert found.number("confidence_interval.0") == pytest.approx(lower, abs=1e-6)
    assert found.number("confidence_interval.1") == pytest.approx(upper, abs=1e-6)


def test_second_conversions_come_after_a_fortnight(loaded: Loaded) -> None:
    """Before the first trial ends no payment is known, and nothing is decided."""
    program = loaded.program
    early = program.answer("report", "trial", "--as-of", "2014-10-24")
    assert [v.number("second.observed") for v in early.members("variants")] == [0, 0]
    assert early.text("verdict.code") == "too_early"
    first = program.answer("report", "trial", "--as-of", "2014-10-25")
    paid = [v.number("second.observed") for v in first.members("variants")]
    assert paid == [70, 34]  # the payments of Saturday, October 11


def test_empty_cells_counted_as_zeros_would_ruin_both_rates(
    program: Program, data: Path, tmp_path: Path, report: Document
) -> None:
    """The mistake, made on purpose: 37 days of clicks over 23 days of conversions."""
    clicks = []
    for name in FILES:
        lines = (data / name).read_text().split()
        rows = [line if line.count(",") == 4 else f"{line},0,0" for line in lines]
        assert sum(row.endswith(",0,0") for row in rows) == 14
        clicks.append(sum(int(row.split(",")[2]) for row in rows[1:]))
        (tmp_path / name).write_text("\n".join(rows))
    TRIAL.prepare(program)
    assert [s.at("left_out") for s in TRIAL.load(program, tmp_path)] == [[], []]
    wrong = program.answer("report", "trial", "--as-of", "2014-11-16")
    right = report.members("variants")
    for i, variant in enumerate(wrong.members("variants")):
        assert variant.number("visitors") == clicks[i]
        first = variant.number("first.observed") / variant.number("visitors")
        second = variant.number("second.observed") / variant.number("visitors")
        # 13.3 and 12.1 % instead of 21.9 and 19.8; 7.2 and 6.9 % instead of 11.8, 11.3.
        assert first == ENROLMENTS[i] / clicks[i]
        assert second == PAYMENTS[i] / clicks[i]
        for rate, measure in ((first, "first"), (second, "second")):
            error = right[i].number(f"{measure}.standard_error")
            assert right[i].number(f"{measure}.rate") - rate > 10 * error


def test_later_file_with_more_days_adds_only_those(
    program: Program, data: Path, tmp_path: Path
) -> None:
    """The first ten days, then the whole file: as if it had come at once."""
    TRIAL.prepare(program)
    early_files = tmp_path / "early"
    early_files.mkdir()
    for name in FILES:
        lines = (data / name).read_text().splitlines(keepends=True)
        (early_files / name).write_text("".join(lines[:11]))
    first = TRIAL.load(program, early_files)
    second = TRIAL.load(program)
    for early, late in zip(first, second, strict=True):
        assert late.number("duplicates") == early.number("accepted")
    third = TRIAL.load(program)
    assert [summary.number("accepted") for summary in third] == [0, 0]
    report = program.answer("report", "trial")
    assert [v.number("first.observed") for v in report.members("variants")] == [
        *ENROLMENTS
    ]
