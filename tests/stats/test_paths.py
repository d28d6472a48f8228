"""Estimates of many days at once are those of one day after the other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abtest.stats.columns import Columns
from abtest.stats.delayed import (
    Measure,
    Window,
    count_step,
    estimate,
    estimate_days,
)
from abtest.stats.results import JointEstimate
from tests.stats.agreement import WEEK, WINDOWS, assert_same, wanted
from tests.stats.visitors import Visitor, crowds, pooled, reached, to_moments, traffic


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("measure", Measure)
def test_every_day_is_that_of_the_visitors(window: Window, measure: Measure) -> None:
    crowd = traffic(5, visitors=400, days=11)
    days = range(-1, 25)
    path = estimate_days(to_moments(crowd), days, window=window, measure=measure)
    for day, found in zip(days, path, strict=True):
        if isinstance(found, JointEstimate):
            assert_same(found, pooled(crowd, wanted(window, measure), day))
        else:
            assert day < window.longest


@given(crowds, st.lists(st.integers(-1, 14), unique=True, min_size=1).map(sorted))
def test_days_asked_for_together_or_alone_are_the_same(
    crowd: list[Visitor], days: list[int]
) -> None:
    together = estimate_days(
        to_moments(crowd), days, window=WEEK, measure=Measure.MONEY
    )
    alone = tuple(
        estimate(to_moments(crowd), window=WEEK, as_of=day, measure=Measure.MONEY)
        for day in days
    )
    assert together == alone


def test_what_was_estimated_is_kept() -> None:
    moments = to_moments(traffic(6, visitors=200, days=9))
    days = list(range(7, 15))
    first = estimate_days(moments, days, window=WEEK, measure=Measure.COUNT)
    kept = len(Columns.of(moments).answers)
    again = estimate_days(moments, days[::2], window=WEEK, measure=Measure.COUNT)
    assert len(Columns.of(moments).answers) == kept
    assert again == first[::2]


def test_steps_are_counted_until_the_day() -> None:
    crowd = traffic(7, visitors=300, days=9)
    for as_of in (3, 8, 20):
        table = reached(crowd, "signup", 2, as_of)
        known = np.array([visitor.day <= as_of for visitor in crowd])
        found = count_step(to_moments(crowd), "signup", window=2, as_of=as_of)
        assert found == table[known].sum()
    assert count_step(to_moments(crowd), "nothing", window=2, as_of=20) == 0


def test_days_may_be_asked_for_in_any_order() -> None:
    moments, again = (to_moments(traffic(6, visitors=200, days=9)) for _ in range(2))
    days = [14, 8, 11, 9]
    back = [
        estimate(moments, window=WEEK, as_of=day, measure=Measure.MONEY) for day in days
    ]
    ascending = estimate_days(again, sorted(days), window=WEEK, measure=Measure.MONEY)
    assert dict(zip(days, back, strict=True)) == dict(
        zip(sorted(days), ascending, strict=True)
    )
