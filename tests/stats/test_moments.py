"""Moments: the same however the visitors are ordered, split and added."""

import subprocess
import sys
from functools import reduce
from operator import add
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abtest.stats.moments import (
    CellKey,
    CovariateCell,
    CovariateCohort,
    Moments,
)
from tests.stats.visitors import Visitor, crowds, to_moments, traffic


def test_sums_are_those_of_the_visitors() -> None:
    visitors = traffic(3, visitors=400, days=9)
    moments = to_moments(visitors)
    entries = [(v.day, e) for v in visitors for e in v.entries]
    assert moments.visitors == len(visitors)
    assert sum(c.total for c in moments.cells.values()) == sum(
        e.amount for _, e in entries
    )
    key = next(iter(moments.cells))
    here = [e for day, e in entries if CellKey(day, e.lag, e.ordinal) == key]
    assert moments.cells[key] == (
        sum(e.count for e in here),
        sum(e.amount for e in here),
        sum(e.amount**2 for e in here),
    )


@given(crowds, st.randoms())
def test_order_of_visitors_means_nothing(
    visitors: list[Visitor], random: Random
) -> None:
    shuffled = list(visitors)
    random.shuffle(shuffled)
    assert to_moments(shuffled) == to_moments(visitors)


@given(st.lists(crowds, min_size=1, max_size=4))
def test_parts_added_are_the_whole(parts: list[list[Visitor]]) -> None:
    whole = to_moments([visitor for part in parts for visitor in part])
    assert reduce(add, [to_moments(part) for part in parts], Moments()) == whole


def test_covariates_add_up() -> None:
    one = Moments(
        covariate_cohorts={0: CovariateCohort(3, 5), 1: CovariateCohort(1, 1)},
        covariate_cells={CellKey(0, 0, 1): CovariateCell(2, 300)},
    )
    other = Moments(
        covariate_cohorts={0: CovariateCohort(2, 2)},
        covariate_cells={CellKey(0, 0, 1): CovariateCell(1, 50)},
    )
    both = one + other
    assert both.covariate_cohorts == {0: (5, 7), 1: (1, 1)}
    assert both.covariate_cells == {CellKey(0, 0, 1): (3, 350)}


@given(crowds, st.integers(-1, 14))
def test_until_a_day_forgets_all_that_came_later(
    visitors: list[Visitor], as_of: int
) -> None:
    known = [
        Visitor(
            day=v.day,
            entries=tuple(e for e in v.entries if v.day + e.lag <= as_of),
            steps=tuple((s, lag) for s, lag in v.steps if v.day + lag <= as_of),
        )
        for v in visitors
        if v.day <= as_of
    ]
    assert to_moments(visitors).until(as_of) == to_moments(known)


def test_covariates_are_forgotten_too() -> None:
    moments = Moments(
        covariate_cohorts={0: CovariateCohort(3, 5), 4: CovariateCohort(1, 1)},
        covariate_cells={
            CellKey(0, 1, 1): CovariateCell(2, 300),
            CellKey(0, 4, 1): CovariateCell(1, 100),
        },
    )
    known = moments.until(3)
    assert set(known.covariate_cohorts) == {0}
    assert set(known.covariate_cells) == {CellKey(0, 1, 1)}


def test_what_is_kept_with_moments_does_not_make_them_different() -> None:
    one, other = Moments(cohorts={0: 3}), Moments(cohorts={0: 3})
    one.derived[int] = 3
    assert one == other
    assert repr(one) == repr(other)


@pytest.mark.parametrize("module", ["moments", "results"])
def test_counting_does_not_load_the_statistics(module: str) -> None:
    code = (
        f"import sys, abtest.stats.{module}; "
        "print(sorted({'numpy', 'scipy', 'statsmodels'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
