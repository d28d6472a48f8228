"""Looks at a running experiment: what may be said at each, and when it is over."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm
from statsmodels.stats.power import normal_power

from abtest.stats.mixture import mixture_interval, mixture_p_value
from abtest.stats.sequential import (
    Look,
    analyze_any_time,
    analyze_looks,
    bounded_looks,
    planned_information,
)
from abtest.stats.spending import Spending, spending_bounds
from tests.stats.vectors import limits

PLANNED = 400.0


def look_at(fraction: float, effect: float, day: int, *, ends: bool = False) -> Look:
    """A look with a share of 400 units of information, split evenly by arm."""
    variance = 1 / (fraction * PLANNED)
    return Look(
        day=day,
        effect=effect,
        standard_error=math.sqrt(variance),
        control_mean=2.0,
        control_variance=variance / 2,
        treatment_mean=2.0 + effect,
        treatment_variance=variance / 2,
        is_scheduled_end=ends,
    )


def looks_at(*fractions: float, effect: float = 0.1) -> list[Look]:
    return [look_at(f, effect, day) for day, f in enumerate(fractions)]


def test_planned_information_gives_the_power_that_statsmodels_finds() -> None:
    information = planned_information(0.3, alpha=0.05, power=0.8)
    assert normal_power(0.3, information, 0.05) == pytest.approx(0.8, abs=1e-5)


def test_interval_is_effect_and_bound_times_error() -> None:
    result = analyze_looks(
        looks_at(0.3, 0.5, 0.8), planned_information=PLANNED, alpha=0.05
    )
    bound = spending_bounds((0.3, 0.5, 0.8), alpha=0.05)[-1]
    half = bound / math.sqrt(0.8 * PLANNED)
    assert result.critical_value == pytest.approx(bound, rel=1e-12)
    assert limits(result.confidence_interval) == pytest.approx([0.1 - half, 0.1 + half])
    assert result.information_fraction == pytest.approx(0.8)
    assert not result.is_final
    assert result.method == "group_sequential_obrien_fleming"


def test_the_only_look_is_the_ordinary_test() -> None:
    only = look_at(1.01, 0.1, 5)
    result = analyze_looks([only], planned_information=PLANNED, alpha=0.05)
    assert result.critical_value == pytest.approx(norm.isf(0.025))
    assert result.p_value == pytest.approx(
        2 * norm.sf(0.1 * math.sqrt(1.01 * PLANNED)), rel=1e-6
    )
    assert result.is_final


def test_repeated_p_value_of_two_looks_is_found_by_integrals_of_scipy() -> None:
    """The alpha whose second Pocock-type bound is |z|, from crossing probabilities."""
    result = analyze_looks(
        looks_at(0.5, 1.0, effect=0.12),
        planned_information=PLANNED,
        alpha=0.05,
        spending=Spending.POCOCK,
    )
    p = result.p_value
    assert p is not None
    first_spent = p * math.log(1 + (math.e - 1) / 2)
    limits = np.array([norm.isf(first_spent / 2), 0.12 * math.sqrt(PLANNED)])
    root = math.sqrt(0.5)
    stays = multivariate_normal.cdf(
        limits, cov=[[1, root], [root, 1]], lower_limit=-limits
    )
    assert 1 - stays == pytest.approx(p, rel=1e-5)


def test_after_the_planned_information_nothing_changes() -> None:
    looks = looks_at(0.4, 0.7, 1.1)
    final = analyze_looks(looks, planned_information=PLANNED, alpha=0.05)
    later = [*looks, look_at(1.5, -3.0, 10), look_at(2.0, 9.0, 11, ends=True)]
    assert analyze_looks(later, planned_information=PLANNED, alpha=0.05) == final
    assert final.is_final
    assert final.information_fraction == 1.0


def test_the_scheduled_end_spends_the_rest() -> None:
    looks = [look_at(0.4, 0.1, 1), look_at(0.6, 0.1, 2)]
    ended = [looks[0], replace(looks[1], is_scheduled_end=True)]
    open_ = analyze_looks(looks, planned_information=PLANNED, alpha=0.05)
    final = analyze_looks(ended, planned_information=PLANNED, alpha=0.05)
    assert final.is_final
    assert final.critical_value < open_.critical_value
    assert final.critical_value == pytest.approx(
        spending_bounds((0.4, 0.6), alpha=0.05, is_ended=True)[-1]
    )


def test_looks_that_add_nothing_are_not_evaluated() -> None:
    """Nor is one whose information has fallen, as late events may make it fall."""
    looks = looks_at(0.4, 0.4015, 0.35, 0.39)
    kept = analyze_looks(looks[:1], planned_information=PLANNED, alpha=0.05)
    assert analyze_looks(looks, planned_information=PLANNED, alpha=0.05) == kept
    after = [*looks, look_at(0.6, 0.1, 9)]
    assert analyze_looks(
        after, planned_information=PLANNED, alpha=0.05
    ).critical_value == pytest.approx(spending_bounds((0.4, 0.6), alpha=0.05)[-1])


@pytest.mark.parametrize("fraction", [0.5, 0.7, 0.7001])
def test_the_end_is_evaluated_even_if_it_adds_nothing(fraction: float) -> None:
    looks = [look_at(0.7, 0.1, 1), look_at(fraction, 0.2, 2, ends=True)]
    result = analyze_looks(looks, planned_information=PLANNED, alpha=0.05)
    assert result.is_final
    half = result.critical_value / math.sqrt(fraction * PLANNED)
    assert result.confidence_interval.lower == pytest.approx(0.2 - half)
    assert result.critical_value == pytest.approx(
        spending_bounds((0.7, 0.702), alpha=0.05, is_ended=True)[-1]
    )


def test_a_bound_once_crossed_stays_crossed() -> None:
    """0.6 of the information, z 6 at the first look, 0 at the second."""
    calm = [look_at(0.3, 0.0, 1), look_at(0.6, 0.0, 2)]
    far = [replace(calm[0], effect=6 * calm[0].standard_error), calm[1]]
    for looks, crossed in ((calm, False), (far, True), (far[:1], True)):
        result = analyze_looks(looks, planned_information=PLANNED, alpha=0.05)
        assert result.was_crossed is crossed
    lower, upper = limits(
        analyze_looks(far, planned_information=PLANNED, alpha=0.05).confidence_interval
    )
    assert lower < 0 < upper


def test_what_is_not_evaluated_does_not_cross() -> None:
    looks = [look_at(0.4, 0.0, 1), look_at(0.4001, 9.0, 2), look_at(0.7, 0.0, 3)]
    result = analyze_looks(looks, planned_information=PLANNED, alpha=0.05)
    assert not result.was_crossed


@pytest.mark.parametrize("errors", [1.0, 5.0])
def test_one_look_at_any_time_crosses_when_its_interval_excludes_zero(
    errors: float,
) -> None:
    look = look_at(0.5, 0.0, 1)
    look = replace(look, effect=errors * look.standard_error)
    result = analyze_any_time(look, tau=0.2, planned_information=PLANNED, alpha=0.05)
    lower, upper = limits(result.confidence_interval)
    assert result.was_crossed == (not lower <= 0 <= upper)


paths = st.lists(st.floats(0.01, 0.4), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(
    steps=paths,
    z=st.floats(-6, 6),
    alpha=st.floats(0.005, 0.3),
    spending=st.sampled_from(Spending),
)
def test_intervals_exclude_zero_exactly_when_p_is_below_alpha(
    steps: list[float], z: float, alpha: float, spending: Spending
) -> None:
    fractions = np.cumsum(steps)
    looks = looks_at(*fractions.tolist())
    shown = next((k for k, f in enumerate(fractions) if f >= 1), len(looks) - 1)
    effect = z * looks[shown].standard_error
    looks[shown] = replace(
        looks[shown], effect=effect, treatment_mean=looks[shown].control_mean + effect
    )
    result = analyze_looks(
        looks, planned_information=PLANNED, alpha=alpha, spending=spending
    )
    assert result.p_value is not None
    assume(abs(result.p_value - alpha) > 1e-5)
    lower, upper = limits(result.confidence_interval)
    excludes = not lower <= 0 <= upper
    assert excludes == (result.p_value < alpha)
    if result.relative_confidence_interval is not None:
        lower, upper = limits(result.relative_confidence_interval)
        assert excludes == (not lower <= 0 <= upper)


@settings(max_examples=30, deadline=None)
@given(steps=paths, effect=st.floats(-1, 1))
def test_swapping_the_arms_turns_the_sign_and_keeps_p(
    steps: list[float], effect: float
) -> None:
    looks = looks_at(*np.cumsum(steps).tolist(), effect=effect)
    swapped = [replace(one, effect=-one.effect) for one in looks]
    here = analyze_looks(looks, planned_information=PLANNED, alpha=0.05)
    there = analyze_looks(swapped, planned_information=PLANNED, alpha=0.05)
    assert here.p_value == there.p_value
    lower, upper = limits(here.confidence_interval)
    assert limits(there.confidence_interval) == [-upper, -lower]


def test_p_values_stay_within_what_can_be_followed() -> None:
    for effect, expected in ((0.0, 1.0), (5.0, 1e-10)):
        result = analyze_looks(
            looks_at(0.4, 0.8, effect=effect), planned_information=PLANNED, alpha=0.05
        )
        assert result.p_value == pytest.approx(expected)


def test_an_early_look_cannot_have_a_small_p_value_for_a_small_effect() -> None:
    result = analyze_looks(
        looks_at(0.3, effect=0.01), planned_information=PLANNED, alpha=0.05
    )
    assert result.p_value == 1.0


@given(effect=st.floats(-1, 1), fraction=st.floats(0.01, 3))
def test_any_time_result_is_the_mixture(effect: float, fraction: float) -> None:
    look = look_at(fraction, effect, 3)
    result = analyze_any_time(look, tau=0.1, planned_information=PLANNED, alpha=0.05)
    interval = mixture_interval(effect, look.standard_error, tau=0.1, alpha=0.05)
    assert result.confidence_interval == interval
    assert result.p_value == mixture_p_value(effect, look.standard_error, tau=0.1)
    assert result.information_fraction == pytest.approx(min(1.0, fraction))
    assert result.method == "normal_mixture"


def values_by_day(rng: np.random.Generator, n: int, p: list[float]) -> np.ndarray:
    """Sums of w1 c1 + w2 c2 and of their squares, w = 1, 3; experiments x days x 2."""
    drawn = rng.multinomial(n, p, size=(20_000, 28))
    sums = drawn @ np.array([[0, 0], [1, 1], [4, 16]])
    return np.asarray(sums.cumsum(axis=1))


def test_daily_looks_at_real_counts_raise_five_false_alarms_in_a_hundred() -> None:
    """1,000 visitors a day and arm, 5 % and 25 % of these again, 28 looks."""
    rng = np.random.default_rng(12)
    visitors = 1_000 * np.arange(1, 29)
    means, variances = [], []
    for _ in range(2):
        sums = values_by_day(rng, 1_000, [0.95, 0.0375, 0.0125])
        mean = sums[..., 0] / visitors
        means.append(mean)
        variances.append((sums[..., 1] / visitors - mean**2) / visitors)
    z = (means[1] - means[0]) / np.sqrt(variances[0] + variances[1])
    bounds = np.array(spending_bounds(tuple((visitors / 28_000).tolist()), alpha=0.05))
    alarms = float((np.abs(z) > bounds).any(axis=1).mean())
    peeked = float((np.abs(z) > 1.96).any(axis=1).mean())
    assert alarms == pytest.approx(0.05, abs=3 * math.sqrt(0.0475 / 20_000))
    assert peeked > 0.25


def test_three_treatments_at_a_third_of_alpha_raise_at_most_five_in_a_hundred() -> None:
    rng = np.random.default_rng(13)
    days = np.arange(1, 29)
    sums = rng.standard_normal((20_000, 28, 4)).cumsum(axis=1)
    z = (sums[..., 1:] - sums[..., :1]) / np.sqrt(2 * days)[:, None]
    bounds = np.array(spending_bounds(tuple((days / 28).tolist()), alpha=0.05 / 3))
    alarms = float((np.abs(z) > bounds[:, None]).any(axis=(1, 2)).mean())
    error = math.sqrt(0.0475 / 20_000)
    assert 0.038 < alarms < 0.05 + 3 * error


def test_looks_must_make_sense() -> None:
    with pytest.raises(ValueError, match="effect is 0"):
        planned_information(0.0, alpha=0.05, power=0.8)
    with pytest.raises(ValueError, match="there must be a look"):
        analyze_looks([], planned_information=PLANNED, alpha=0.05)
    with pytest.raises(ValueError, match="positive planned information"):
        analyze_looks(looks_at(0.5), planned_information=0.0, alpha=0.05)
    with pytest.raises(ValueError, match="order of their days"):
        analyze_looks(
            [look_at(0.2, 0.1, 2), look_at(0.4, 0.1, 2)],
            planned_information=PLANNED,
            alpha=0.05,
        )
    with pytest.raises(ValueError, match="without variance"):
        replace(look_at(0.2, 0.1, 2), standard_error=0.0)


@pytest.mark.parametrize("spending", Spending)
@pytest.mark.parametrize("seed", range(30))
def test_repeated_p_value_is_the_alpha_whose_bound_is_reached(
    seed: int, spending: Spending
) -> None:
    """scipy's root of the last bound, over the whole range of alpha."""
    rng = np.random.default_rng(seed)
    number = 1 if seed < 2 else int(rng.integers(2, 12))
    steps = rng.uniform(0.003, rng.choice([0.01, 0.1]), number)
    times = tuple(np.cumsum(steps).tolist())
    z = float(abs(rng.normal()) * rng.choice([0.1, 1.0, 3.0, 9.0]))
    looks = [look_at(t, 0.0, day) for day, t in enumerate(times)]
    ends = seed % 2 == 0
    last = replace(
        looks[-1], effect=z * looks[-1].standard_error, is_scheduled_end=ends
    )
    result = analyze_looks(
        [*looks[:-1], last],
        planned_information=PLANNED,
        alpha=0.05,
        spending=spending,
    )

    def beyond(u: float) -> float:
        alpha = 2 * norm.sf(u)
        bounds = spending_bounds(times, alpha=alpha, spending=spending, is_ended=ends)
        return bounds[-1] - z

    largest = min(z, float(norm.isf(0.5e-10)))
    expected = 1.0
    if largest > 0.001 and beyond(0.001) <= 0:
        root = largest if beyond(largest) <= 0 else brentq(beyond, 0.001, largest)
        expected = float(2 * norm.sf(root))
    assert result.p_value == pytest.approx(expected, rel=1e-6)


def test_bounded_looks_are_those_of_the_result_at_each_look() -> None:
    looks = [
        look_at(t, 0.1 - 0.02 * day, day)
        for day, t in enumerate((0.2, 0.5, 0.5005, 0.9, 1.2, 1.4))
    ]
    found = bounded_looks(looks, planned_information=PLANNED, alpha=0.05)
    # The third adds next to nothing, the last comes after the end.
    assert [one.look.day for one in found] == [0, 1, 3, 4]
    assert [one.is_final for one in found] == [False, False, False, True]
    for one in found:
        result = analyze_looks(
            looks[: one.look.day + 1], planned_information=PLANNED, alpha=0.05
        )
        assert limits(one.interval) == pytest.approx(limits(result.confidence_interval))
        assert result.is_final == one.is_final
