"""An e-mail test of a retailer, three arms at random, two weeks: one row per customer.

Published with the MineThatData e-mail challenge (2008): 21,306 customers without an
e-mail, 21,307 with the men's and 21,387 with the women's; visits 2,262, 3,894, 3,238;
purchases 122, 267, 189; dollars 13,908.33, 30,311.69, 23,038.11.
"""

import csv
import gzip
from pathlib import Path

import pytest
from scipy.stats import ttest_ind

from tests.cli.program import Document, Program
from tests.real_data.documented import example

MAIL = example("mail")
pytestmark = pytest.mark.xdist_group("hillstrom")

ARMS = (
    ("No E-Mail", 21306, 2262, 122, 13908.33),
    ("Mens E-Mail", 21307, 3894, 267, 30311.69),
    ("Womens E-Mail", 21387, 3238, 189, 23038.11),
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Document:
    program = Program(tmp_path_factory.mktemp("mail"))
    MAIL.prepare(program)
    (done,) = MAIL.load(program)
    assert done.number("rows") == 64_000
    assert done.number("bad") == 0
    return MAIL.finish(program)


@pytest.fixture(scope="module")
def spend(data: Path) -> dict[str, list[float]]:
    """Dollars of every customer by arm, from the raw file."""
    arms: dict[str, list[float]] = {}
    with gzip.open(data / "hillstrom.csv.gz", "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            arms.setdefault(row["segment"], []).append(float(row["spend"]))
    return arms


def test_published_counts_and_spend(report: Document) -> None:
    for variant, (_, customers, visits, purchases, dollars) in zip(
        report.members("variants"), ARMS, strict=True
    ):
        assert variant.number("visitors") == customers
        assert variant.number("mature_visitors") == customers
        assert variant.number("first.observed") == visits
        assert variant.number("second.observed") == purchases
        assert round(variant.number("revenue.observed"), 2) == dollars


def test_value_is_money_per_customer(
    report: Document, spend: dict[str, list[float]]
) -> None:
    """scipy's Welch test on the dollars of every single customer."""
    control = spend["No E-Mail"]
    for comparison, (segment, *_) in zip(
        report.members("comparisons"), ARMS[1:], strict=True
    ):
        expected = ttest_ind(spend[segment], control, equal_var=False)
        found = Document(comparison.at("value.frequentist"))
        assert found.number("statistic") == pytest.approx(expected.statistic, rel=1e-9)
        assert found.number("p_value") == pytest.approx(expected.pvalue, rel=1e-6)
        assert found.number("degrees_of_freedom") == pytest.approx(
            expected.df, rel=1e-9
        )


def test_more_money_and_more_visits_win(report: Document) -> None:
    assert report.text("verdict.code") == "winner"
    assert report.text("verdict.variant") == "mens"
    assert report.text("health.status") == "ok"
