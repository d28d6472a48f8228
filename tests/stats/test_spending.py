"""Group sequential bounds against published tables and scipy's normal integrals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from abtest.stats.spending import (
    LARGEST_BOUND,
    Spending,
    spending_bounds,
    spent_alpha,
)
from tests.stats.vectors import near, shared_vector


def crossed(times: tuple[float, ...], bounds: tuple[float, ...]) -> float:
    """Probability, by scipy, that |Z| passes a bound at one of the looks."""
    t = np.array(times)
    covariance = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    stays = multivariate_normal.cdf(
        np.array(bounds),
        cov=covariance,
        rng=np.random.default_rng(1),
        lower_limit=-np.array(bounds),
        maxpts=2_000_000,
        abseps=1e-9,
        releps=1e-9,
    )
    return 1 - float(stays)


@pytest.mark.parametrize(
    ("column", "spending"),
    [("obf", Spending.OBRIEN_FLEMING), ("pocock", Spending.POCOCK)],
)
def test_five_equal_looks_are_those_of_the_published_tables(
    column: str, spending: Spending
) -> None:
    vector = shared_vector("group_sequential_bounds_5_equal_looks")
    bounds = spending_bounds(
        tuple(vector["inputs"]["t"]), alpha=vector["inputs"]["alpha"], spending=spending
    )
    assert bounds == near(vector["expected"][column], vector)


def test_power_family_agrees_with_another_solver() -> None:
    vector = shared_vector("group_sequential_power2_spending")
    bounds = spending_bounds(
        tuple(vector["inputs"]["t"]),
        alpha=vector["inputs"]["alpha"],
        spending=Spending.POWER,
        rho=vector["inputs"]["rho"],
    )
    assert bounds == near(vector["expected"]["bounds"], vector)


@pytest.mark.parametrize("spending", Spending)
@pytest.mark.parametrize(
    "times",
    [
        (0.6,),
        (0.3, 1.0),
        (0.4, 0.402),
        (0.2, 0.5, 1.0),
        (0.5, 0.502, 0.97),
        (0.4, 0.7, 1.6),
    ],
    ids=str,
)
def test_bounds_are_crossed_exactly_as_often_as_was_spent(
    times: tuple[float, ...], spending: Spending
) -> None:
    bounds = spending_bounds(times, alpha=0.05, spending=spending)
    for k in range(len(times)):
        spent = spent_alpha(times[k], alpha=0.05, spending=spending, rho=2.0)
        assert crossed(times[: k + 1], bounds[: k + 1]) == pytest.approx(
            spent, abs=1e-6
        )


def test_four_uneven_looks_are_crossed_as_often_as_was_spent() -> None:
    times = (0.31, 0.35, 0.72, 0.9)
    bounds = spending_bounds(times, alpha=0.1, is_ended=True)
    assert crossed(times, bounds) == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize("spending", Spending)
def test_spending_begins_at_nothing_and_ends_with_everything(
    spending: Spending,
) -> None:
    assert spent_alpha(1e-9, alpha=0.05, spending=spending, rho=2.0) == pytest.approx(
        0, abs=1e-9
    )
    for fraction in (1.0, 1.7):
        assert spent_alpha(
            fraction, alpha=0.05, spending=spending, rho=2.0
        ) == pytest.approx(0.05, rel=1e-12)


def test_one_look_at_the_end_is_the_ordinary_test() -> None:
    assert spending_bounds((1.0,), alpha=0.05) == pytest.approx((norm.isf(0.025),))
    assert spending_bounds((0.4,), alpha=0.05, is_ended=True) == pytest.approx(
        (norm.isf(0.025),)
    )


def test_what_no_double_can_spend_is_not_spent() -> None:
    bounds = spending_bounds((0.01, 0.02, 1.0), alpha=0.05)
    assert bounds[:2] == (LARGEST_BOUND, LARGEST_BOUND)
    assert bounds[2] == pytest.approx(norm.isf(0.025), abs=1e-9)


def test_a_look_at_which_nothing_is_left_to_spare_must_be_crossed() -> None:
    # All is spent at once: the second look finds no error to avoid.
    almost_all = spending_bounds((0.5, 1.0), alpha=1 - 1e-12, spending=Spending.POCOCK)
    assert almost_all[1] == pytest.approx(0, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(st.floats(0.002, 0.2), min_size=1, max_size=12),
    alpha=st.floats(0.001, 0.2),
    spending=st.sampled_from(Spending),
)
def test_more_looks_never_make_a_bound_narrower(
    steps: list[float], alpha: float, spending: Spending
) -> None:
    rising = np.cumsum(steps)
    times = tuple((rising / max(1.0, rising[-1] + 1e-9)).tolist())
    bounds = spending_bounds(times, alpha=alpha, spending=spending, is_ended=True)
    assert min(bounds) >= norm.isf(alpha / 2) - 1e-9


def test_sixty_daily_looks_raise_five_false_alarms_in_a_hundred() -> None:
    times = tuple(np.linspace(0.3, 1.0, 60).tolist())
    bounds = spending_bounds(times, alpha=0.05)
    rng = np.random.default_rng(7)
    steps = np.sqrt(np.diff(np.array((0.0, *times))))
    hits = 0
    for _ in range(20):
        motion = (rng.standard_normal((20_000, 60)) * steps).cumsum(axis=1)
        z = np.abs(motion) / np.sqrt(np.array(times))
        hits += int((z > np.array(bounds)).any(axis=1).sum())
    assert hits / 400_000 == pytest.approx(0.05, abs=3 * math.sqrt(0.0475 / 400_000))


@pytest.mark.parametrize(
    "fractions",
    [(), (0.0, 1.0), (-0.1,), (0.5, 0.5), (0.6, 0.5), (1.0, 1.2), (math.nan,)],
    ids=str,
)
def test_impossible_paths_are_refused(fractions: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="fractions are"):
        spending_bounds(fractions, alpha=0.05)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, math.nan])
def test_alpha_must_be_a_probability(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha is"):
        spending_bounds((1.0,), alpha=alpha)


def on_a_grid(times: tuple[float, ...], bounds: tuple[float, ...]) -> float:
    """Probability of crossing at the last look, by Simpson's rule on a fine grid."""
    x, weight = np.zeros(1), np.ones(1)
    density = np.ones(1)
    before = 0.0
    for now, bound in zip(times[:-1], bounds[:-1], strict=True):
        edge = bound * math.sqrt(now)
        y = np.linspace(-edge, edge, 1501)
        density = norm.pdf(y[:, None], x, math.sqrt(now - before)) @ (weight * density)
        step = y[1] - y[0]
        weight = np.where(np.arange(1501) % 2, 4, 2) * step / 3
        weight[[0, -1]] = step / 3
        x, before = y, now
    edge, sd = bounds[-1] * math.sqrt(times[-1]), math.sqrt(times[-1] - before)
    beyond = norm.sf(edge, x, sd) + norm.cdf(-edge, x, sd)
    return float(beyond @ (weight * density))


@pytest.mark.parametrize("alpha", [0.05, 1e-4])
def test_looks_near_each_other_are_crossed_as_often_as_was_spent(alpha: float) -> None:
    times = tuple(np.linspace(0.2, 0.25, 26).tolist())
    bounds = spending_bounds(times, alpha=alpha, spending=Spending.POCOCK)
    for k in (9, 25):
        spent = [
            spent_alpha(t, alpha=alpha, spending=Spending.POCOCK, rho=2.0)
            for t in times[k - 1 : k + 1]
        ]
        assert on_a_grid(times[: k + 1], bounds[: k + 1]) == pytest.approx(
            spent[1] - spent[0], rel=1e-5
        )
