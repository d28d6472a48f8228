"""The home page test of an online school, 2016-09-24 to 2017-01-18: an event log.

Counts, rates and the pooled test are published with the data (statsmodels'
`proportions_ztest`): 3,332 and 2,996 visitors, 932 and 928 who clicked, 0.27971 and
0.30975, z 2.6186, p 0.00883.
"""

import csv
from pathlib import Path

import pytest
from scipy.stats import chisquare, norm, ttest_ind
from statsmodels.stats.proportion import confint_proportions_2indep

from tests.cli.program import Document, Program
from tests.real_data.documented import example

HOME = example("home")
pytestmark = pytest.mark.xdist_group("home page")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Document:
    program = Program(tmp_path_factory.mktemp("home"))
    HOME.prepare(program)
    (done,) = HOME.load(program)
    assert done.number("accepted") == 8188
    return HOME.finish(program)


def test_published_counts_and_rates(report: Document) -> None:
    old, new = report.members("variants")
    assert (old.number("visitors"), new.number("visitors")) == (3332, 2996)
    assert (old.number("first.observed"), new.number("first.observed")) == (932, 928)
    assert round(old.number("first.rate"), 5) == 0.27971
    assert round(new.number("first.rate"), 5) == 0.30975
    assert old.number("second.observed") == new.number("second.observed") == 0


def test_published_pooled_test(report: Document) -> None:
    found = Document(report.at("comparisons.0.calculator_check"))
    assert round(found.number("statistic"), 4) == 2.6186
    assert round(found.number("p_value"), 5) == 0.00883


def test_unpooled_test(report: Document, data: Path) -> None:
    """Welch's t-test on the visitors themselves, and statsmodels' Wald interval."""
    clicked = clicks_by_group(data / "homepage_actions.csv")
    expected = ttest_ind(clicked["experiment"], clicked["control"], equal_var=False)
    found = Document(report.at("comparisons.0.first.frequentist"))
    assert found.number("statistic") == pytest.approx(expected.statistic, rel=1e-9)
    assert found.number("p_value") == pytest.approx(expected.pvalue, rel=1e-9)
    lower, upper = confint_proportions_2indep(928, 2996, 932, 3332, method="wald")
    assert found.number("confidence_interval.0") == pytest.approx(lower, abs=2e-5)
    assert found.number("confidence_interval.1") == pytest.approx(upper, abs=2e-5)
    # The unpooled z-test by hand, from the counts alone.
    p, q = 932 / 3332, 928 / 2996
    z = (q - p) / (p * (1 - p) / 3332 + q * (1 - q) / 2996) ** 0.5
    assert found.number("p_value") == pytest.approx(2 * norm.sf(z), rel=0.01)


def test_uneven_split_is_reported_and_refuses_a_verdict(report: Document) -> None:
    """3,332 against 2,996 is no split in half: something ate visitors of one page."""
    assert report.text("verdict.code") == "unhealthy"
    ratio = next(
        check
        for check in report.members("health.checks")
        if check.text("code") == "sample_ratio"
    )
    assert ratio.text("status") == "blocked"
    assert ratio.number("p_value") == pytest.approx(chisquare([3332, 2996]).pvalue)


def test_second_import_changes_nothing(program: Program) -> None:
    HOME.prepare(program)
    HOME.load(program)
    before = program.succeed("report", "home", "--json")
    (again,) = HOME.load(program)
    assert (again.number("accepted"), again.number("duplicates")) == (0, 8188)
    assert program.succeed("report", "home", "--json") == before


def clicks_by_group(file: Path) -> dict[str, list[int]]:
    """Return for each visitor of a group whether they clicked, from the raw log."""
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    who = {(row["group"], row["id"]): 0 for row in rows if row["action"] == "view"}
    for row in rows:
        if row["action"] == "click":
            who[row["group"], row["id"]] = 1
    groups: dict[str, list[int]] = {}
    for (group, _), clicked in who.items():
        groups.setdefault(group, []).append(clicked)
    return groups
