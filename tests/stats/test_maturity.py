"""Steps, plain counts, and how much of what will come is in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abtest.stats.delayed import (
    Maturity,
    Measure,
    Observed,
    Window,
    estimate_step,
    maturity,
    observed,
)
from abtest.stats.moments import Cell, CellKey, Moments
from abtest.stats.results import ValueEstimate
from tests.stats import visitors as reference
from tests.stats.agreement import WEEK, wanted
from tests.stats.visitors import Visitor, crowds, to_moments, traffic


@pytest.mark.parametrize("as_of", [9, 14, 40])
@pytest.mark.parametrize("window", [0, 2, 7])
def test_steps_are_those_of_the_visitors(as_of: int, window: int) -> None:
    visitors = traffic(21, visitors=900, days=20)
    step = estimate_step(to_moments(visitors), "signup", window=window, as_of=as_of)
    known = [v for v in visitors if v.day <= as_of]
    table = reference.reached(known, "signup", window, as_of)
    expected = reference.pooled_from([table], [v.day for v in known], as_of)
    assert isinstance(step, ValueEstimate)
    assert step.visitors == len(known)
    assert step.mean == pytest.approx(expected.means[0], rel=1e-12)
    assert step.variance == pytest.approx(expected.covariance[0, 0], rel=1e-12)
    assert step.is_mature == (max(v.day for v in known) + window <= as_of)


def test_a_step_that_nobody_reached_is_reached_by_none() -> None:
    moments = to_moments(traffic(2, visitors=50, days=3))
    step = estimate_step(moments, "unheard of", window=7, as_of=20)
    assert step == ValueEstimate(visitors=50, mean=0, variance=0, is_mature=True)


@given(crowds, st.integers(0, 14), st.integers(0, 7), st.integers(0, 7))
def test_observed_counts_what_is_in(
    visitors: list[Visitor], as_of: int, first: int, second: int
) -> None:
    window = Window(first=first, second=second)
    known = [v for v in visitors if v.day <= as_of]
    first_count, second_count, first_amount, second_amount = (
        int(reference.brought(known, w, as_of).sum())
        for measure in Measure
        for w in wanted(window, measure)
    )
    assert observed(to_moments(visitors), window=window, as_of=as_of) == Observed(
        first=first_count,
        second=second_count,
        first_amount=first_amount,
        second_amount=second_amount,
    )


def test_maturity_is_the_share_of_what_is_expected() -> None:
    moments = Moments(
        cohorts={10: 100, 20: 100},
        cells={
            CellKey(10, 0, 1): Cell(10, 0, 0),
            CellKey(20, 0, 1): Cell(10, 0, 0),
            CellKey(10, 2, 2): Cell(2, 0, 0),
            CellKey(10, 6, 2): Cell(2, 0, 0),
            CellKey(20, 2, 2): Cell(2, 0, 0),
        },
    )
    # 4 of 200 within two days, and 2 of 100 after the sixth: 8 of 200 are expected.
    assert maturity(moments, window=WEEK, as_of=22) == Maturity(
        share=6 / 8,
        visitors=200,
        mature_visitors=100,
        first_complete_day=17,
        complete_day=27,
    )
    assert maturity(moments, window=WEEK, as_of=27).share == 1


def test_maturity_before_anything_can_be_expected() -> None:
    nobody = maturity(Moments(), window=WEEK, as_of=3)
    assert nobody == Maturity(
        share=None,
        visitors=0,
        mature_visitors=0,
        first_complete_day=None,
        complete_day=None,
    )
    young = Moments(cohorts={0: 9}, cells={CellKey(0, 1, 2): Cell(1, 0, 0)})
    assert maturity(young, window=WEEK, as_of=3).share is None
    without = Moments(cohorts={0: 9}, cells={CellKey(0, 1, 1): Cell(1, 0, 0)})
    assert maturity(without, window=WEEK, as_of=9).share is None
