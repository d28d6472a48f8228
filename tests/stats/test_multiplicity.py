"""Corrections for several tests against statsmodels and scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from abtest.stats.multiplicity import (
    benjamini_hochberg,
    dunnett_adjusted_p_values,
    dunnett_critical_value,
    holm,
)
from abtest.stats.results import NotEstimable, Reason
from tests.stats.vectors import near, shared_vector

GAP = NotEstimable(Reason.NO_VARIANCE)

probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=8)
variances = st.lists(st.floats(0.01, 100), min_size=1, max_size=6)


def test_three_equal_treatments_have_the_published_bound() -> None:
    vector = shared_vector("dunnett_crit_k3_equal")
    lam = vector["inputs"]["lam"][0]
    assert dunnett_critical_value(
        lam**2, [1 - lam**2] * 3, alpha=vector["inputs"]["alpha"]
    ) == near(vector["expected"]["crit"], vector)


def test_uneven_arms_are_exceeded_as_often_as_scipy_integrates() -> None:
    control, treatments = 0.5, [1.0, 3.0, 0.2]
    c = dunnett_critical_value(control, treatments, alpha=0.05)
    z = np.array(treatments) + control
    covariance = (np.full((3, 3), control) + np.diag(treatments)) / np.sqrt(
        np.outer(z, z)
    )
    stays = stats.multivariate_normal.cdf(
        [c] * 3,
        cov=covariance,
        lower_limit=[-c] * 3,
        abseps=1e-8,
        maxpts=2_000_000,
        rng=np.random.default_rng(2),
    )
    assert 1 - stays == pytest.approx(0.05, abs=1e-6)


def test_p_values_agree_with_dunnett_of_scipy_in_large_samples() -> None:
    rng = np.random.default_rng(5)
    control = rng.normal(0, 1, 4_000)
    treatments = [rng.normal(m, 1, n) for m, n in ((0.05, 4_000), (0.02, 2_500))]
    theirs = stats.dunnett(*treatments, control=control, rng=np.random.default_rng(6))
    arms = [control, *treatments]
    freedom = sum(arm.size - 1 for arm in arms)
    pooled = sum(((arm - arm.mean()) ** 2).sum() for arm in arms) / freedom
    means = [pooled / arm.size for arm in arms]
    z = [
        float((arm.mean() - control.mean()) / np.sqrt(means[0] + own))
        for arm, own in zip(treatments, means[1:], strict=True)
    ]
    ours = dunnett_adjusted_p_values(z, means[0], means[1:])
    assert ours == pytest.approx(theirs.pvalue, abs=2e-3)


def test_one_treatment_needs_no_correction() -> None:
    assert dunnett_critical_value(1.0, [2.0], alpha=0.05) == pytest.approx(
        stats.norm.isf(0.025), abs=1e-9
    )
    (p,) = dunnett_adjusted_p_values([2.5], 1.0, [2.0])
    assert p == pytest.approx(2 * stats.norm.sf(2.5), rel=1e-9)


@pytest.mark.parametrize("control", [1e-4, 1.0, 1e3, 1e20])
def test_extreme_splits_lie_between_no_correction_and_bonferroni(
    control: float,
) -> None:
    c = dunnett_critical_value(control, [1.0, 1.0, 2.0], alpha=0.05)
    alone = stats.norm.isf(0.025)
    assert alone * (1 - 1e-9) <= c < stats.norm.isf(0.025 / 3)


@settings(deadline=None)
@given(treatments=variances, control=st.floats(0.01, 100), z=st.floats(-20, 20))
def test_adjusted_p_values_agree_with_the_bound(
    treatments: list[float], control: float, z: float
) -> None:
    statistics = [0.0] * (len(treatments) - 1) + [z]
    *_, p = dunnett_adjusted_p_values(statistics, control, treatments)
    alone = 2 * stats.norm.sf(abs(z))
    assert alone * (1 - 1e-9) <= p <= min(1.0, len(treatments) * alone) * (1 + 1e-9)
    bound = dunnett_critical_value(control, treatments, alpha=0.05)
    if abs(abs(z) - bound) > 1e-6:
        assert (abs(z) > bound) == (p < 0.05)


@pytest.mark.parametrize("gap", [None, GAP], ids=["none", "reason"])
def test_gaps_stay_where_they_are(gap: NotEstimable | None) -> None:
    assert holm([0.01, gap, 0.03]) == pytest.approx((0.02, gap, 0.03))
    assert benjamini_hochberg([gap, 0.01, 0.03]) == pytest.approx((gap, 0.02, 0.03))
    assert holm([gap, gap]) == (gap, gap)
    assert dunnett_adjusted_p_values([gap], 1.0, [0.0]) == (gap,)
    full = dunnett_adjusted_p_values([2.0, 1.0], 1.0, [1.0, 2.0])
    assert dunnett_adjusted_p_values([2.0, gap, 1.0], 1.0, [1.0, 0.0, 2.0]) == (
        full[0],
        gap,
        full[1],
    )


def test_holm_and_benjamini_hochberg_are_those_of_statsmodels() -> None:
    vector = shared_vector("holm_bh")
    p = vector["inputs"]["p"]
    assert holm(p) == near(vector["expected"]["holm"], vector)
    assert benjamini_hochberg(p) == near(vector["expected"]["bh"], vector)


@given(p_values=probabilities)
def test_corrections_never_make_a_p_value_smaller(p_values: list[float]) -> None:
    explored = benjamini_hochberg(p_values)
    for raw, bh, corrected in zip(p_values, explored, holm(p_values), strict=True):
        assert raw <= bh * (1 + 1e-12)
        assert bh <= corrected * (1 + 1e-12)
        assert corrected <= 1
    assert benjamini_hochberg(p_values) == pytest.approx(
        stats.false_discovery_control(p_values), abs=1e-12
    )


@settings(max_examples=20, deadline=None)
@given(p_values=probabilities)
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


@given(p_values=probabilities, data=st.data())
def test_corrections_do_not_depend_on_the_order(
    p_values: list[float], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(p_values))))
    corrected = holm(p_values)
    shuffled = holm([p_values[i] for i in order])
    assert shuffled == pytest.approx([corrected[i] for i in order])


@pytest.mark.parametrize(
    ("control", "treatments"), [(1.0, []), (0.0, [1.0]), (1.0, [1.0, 0.0])]
)
def test_variances_must_be_positive(control: float, treatments: list[float]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        dunnett_critical_value(control, treatments, alpha=0.05)


def test_four_variants_without_a_difference_raise_five_alarms_in_a_hundred() -> None:
    """40,000 experiments with means of 20,000 visitors against 8,000 each."""
    rng = np.random.default_rng(11)
    control, own = 1 / 20_000, 1 / 8_000
    c = dunnett_critical_value(control, [own] * 3, alpha=0.05)
    noise = rng.standard_normal((40_000, 4)) * np.sqrt([control, own, own, own])
    z = (noise[:, 1:] - noise[:, :1]) / np.sqrt(control + own)
    alarms = float((np.abs(z).max(axis=1) > c).mean())
    assert alarms == pytest.approx(0.05, abs=3 * np.sqrt(0.0475 / 40_000))
