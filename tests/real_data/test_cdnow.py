"""A real purchase log cut early: what is estimated against what then came true.

Published with the log (Fader and Hardie): 2,357 customers, 6,919 purchases to
1998-06-30, 48.32 % of the customers buy on a second day. The clock of each customer
starts with the first purchase; the question is who buys on a second day within 60
days. The log is cut on the first day on which somebody was followed for 60 days, when
half of its customers had been followed for at most 27 days.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, norm

from abtest.domain.visitor import Outcome, date_to_day
from abtest.stats.delayed import Measure, Window, estimate
from abtest.stats.results import JointEstimate
from tests.cli.program import Document, Program
from tests.real_data import cdnow
from tests.real_data.cdnow import Customer
from tests.real_data.documented import example

SPLITS = 400
CUT = cdnow.FIRST_DAY + timedelta(days=cdnow.WINDOW)
A_WEEK_ON = CUT + timedelta(days=7)
Z = float(norm.ppf(0.975))
CD = example("cd")
LOG = "cdnow_sample.txt"
pytestmark = pytest.mark.xdist_group("cdnow")


@pytest.fixture(scope="module")
def customers(data: Path) -> list[Customer]:
    return cdnow.read_customers(data / "cdnow_sample.txt")


def estimated(outcomes: Iterable[Outcome], cut: date) -> tuple[float, float]:
    """Return the estimated share that buys again within the window, and its error."""
    moments = cdnow.add_up(outcomes)
    found = estimate(
        moments,
        window=Window(first=cdnow.WINDOW, second=cdnow.WINDOW),
        as_of=date_to_day(cut),
        measure=Measure.COUNT,
    )
    assert isinstance(found, JointEstimate)
    return found.second, found.variance_second**0.5


def split(customers: Sequence[Customer], rng: np.random.Generator) -> list[int]:
    """Return the places of a random half."""
    order = rng.permutation(len(customers))
    return [int(place) for place in order[: len(customers) // 2]]


def test_log_is_the_published_one(customers: list[Customer]) -> None:
    assert len(customers) == 2357
    assert sum(len(c.days) for c in customers) == 6919
    again = sum(len(set(c.days)) > 1 for c in customers) / len(customers)
    assert round(100 * again, 2) == 48.32


@pytest.mark.parametrize("cut", [CUT, A_WEEK_ON], ids=["first possible day", "+7"])
def test_estimate_from_the_cut_log_foretells_the_other_half(
    customers: list[Customer], cut: date
) -> None:
    """One half cut early against the other half in full, in many random splits.

    The other half is independent of the first, so a 95 % interval for the difference
    (the estimate's variance plus that of the full count) must hold in 95 % of the
    splits: within the central 99.9 % of a binomial of 400 and 0.95. Against the full
    log of the SAME half, whose chance it shares, the estimate must agree at least as
    often. The plain count of what came in by the cut agrees in hardly any split.
    """
    known = [c for c in customers if c.days[0] <= cut]
    outcomes = [cdnow.outcome(customer, cut) for customer in known]
    rng = np.random.default_rng(1997)
    other = same = plain = arms = 0
    for _ in range(SPLITS):
        chosen = set(split(known, rng))
        half = [c for i, c in enumerate(known) if i in chosen]
        rest = [c for i, c in enumerate(known) if i not in chosen]
        mean, error = estimated(
            (found for i, found in enumerate(outcomes) if i in chosen), cut
        )
        mean_rest, error_rest = estimated(
            (found for i, found in enumerate(outcomes) if i not in chosen), cut
        )
        truth, counted = cdnow.share(rest), cdnow.share(half, cut)
        error_truth = (truth * (1 - truth) / len(rest)) ** 0.5
        error_count = (counted * (1 - counted) / len(half)) ** 0.5
        other += abs(mean - truth) < Z * np.hypot(error, error_truth)
        same += abs(mean - cdnow.share(half)) < Z * error
        plain += abs(counted - truth) < Z * np.hypot(error_count, error_truth)
        arms += abs(mean - mean_rest) < Z * np.hypot(error, error_rest)
    low, high = binom.interval(0.999, SPLITS, 0.95)
    assert low <= other <= high
    assert low <= arms <= high
    assert same >= low
    assert plain < 0.01 * SPLITS


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_through_import_store_and_report(
    program: Program, customers: list[Customer], data: Path, seed: int
) -> None:
    """The same in the whole product: the cut log, and the full log as of the cut.

    The full log is imported over the cut one, as a later export of the same file.
    """
    CD.prepare(program)
    known = [c for c in customers if c.days[0] <= CUT]
    arms = cdnow.arms_of(known, split(known, np.random.default_rng(seed)))
    people = program.folder / "customers.csv"
    rows = [f"{c.id},{arms[c.id]},{c.days[0]}" for c in known]
    people.write_text("\n".join(["customer,arm,first_day", *rows]))
    (program.folder / "cut").mkdir()
    lines = (data / LOG).read_text().splitlines()
    cut_log = "\n".join(x for x in lines if x.split()[2] <= f"{CUT:%Y%m%d}")
    (program.folder / "cut" / LOG).write_text(cut_log)
    reports = []
    for folder in (program.folder / "cut", data):
        CD.load(program, folder)
        reports.append(program.answer("report", "cd", "--as-of", str(CUT)))
    for name in ("variants", "comparisons", "verdict"):
        assert reports[0].at(name) == reports[1].at(name)
    for place, arm in enumerate("ab"):
        half = [c for c in known if arms[c.id] == arm]
        mean, error = estimated((cdnow.outcome(c, CUT) for c in half), CUT)
        variant = Document(reports[0].at(f"variants.{place}"))
        assert variant.number("visitors") == len(half)
        assert variant.number("second.rate") == pytest.approx(mean, rel=1e-12)
        found = variant.number("second.standard_error")
        assert found == pytest.approx(error, rel=1e-12)
        seen = variant.number("second.observed") / len(half)
        assert seen == pytest.approx(cdnow.share(half, CUT))
        truth = cdnow.share(half)
        assert abs(mean - truth) < Z * error
        assert truth - cdnow.share(half, CUT) > 0.06
