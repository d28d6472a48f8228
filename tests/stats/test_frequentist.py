"""Tests and intervals: those of other programs, and never at odds with each other."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from abtest.stats.delayed import value
from abtest.stats.frequentist import (
    Method,
    compare,
    compare_pooled_null,
    fieller_interval,
    log_delta_interval,
    needs_pooled_null,
    pooled_proportion_test,
)
from abtest.stats.results import JointEstimate, NotEstimable, Reason, ValueEstimate
from tests.stats.vectors import Vector, joint, limits, near, result_of, shared_vector


def arms(vector: Vector, *, unit: int = 1) -> tuple[JointEstimate, JointEstimate]:
    inputs = vector["inputs"]
    return joint(inputs["A"], unit=unit), joint(inputs["B"], unit=unit)


def proportion(count: int, n: int) -> ValueEstimate:
    """A share with the variance p (1 - p) / n, as the peers take it."""
    p = count / n
    return ValueEstimate(visitors=n, mean=p, variance=p * (1 - p) / n, is_mature=False)


def estimates(*, mature: bool = False) -> st.SearchStrategy[ValueEstimate]:
    return st.builds(
        ValueEstimate,
        visitors=st.integers(2, 10**6),
        mean=st.floats(-1e3, 1e3),
        variance=st.floats(1e-6, 1e4),
        is_mature=st.just(mature),
    )


@st.composite
def counted(draw: st.DrawFn) -> JointEstimate:
    n = draw(st.integers(20, 5000))
    first = draw(st.integers(1, n - 1))
    return joint({"n": n, "c1": first, "c2": draw(st.integers(0, first))})


both_kinds = st.booleans().flatmap(
    lambda mature: st.tuples(estimates(mature=mature), estimates(mature=mature))
)


def test_welch_of_statsmodels_on_counts() -> None:
    vector = shared_vector("V_counts_welch")
    a, b = (value(arm, 1.0, 3.0) for arm in arms(vector))
    expected = vector["expected"]
    assert [a.mean, b.mean] == near([expected["mean_A"], expected["mean_B"]], vector)
    assert [a.variance * a.visitors, b.variance * b.visitors] == near(
        [expected["var_A"], expected["var_B"]], vector
    )
    result = result_of(compare(a, b, alpha=0.05))
    assert result.statistic == near(expected["t"], vector)
    assert result.p_value == near(expected["p"], vector)
    assert result.degrees_of_freedom == near(expected["df"], vector)
    assert limits(result.confidence_interval) == near(expected["ci"], vector)
    assert result.method == Method.WELCH


def test_welch_of_gbstats_on_money() -> None:
    vector = shared_vector("V_money_welch")
    unit = 1000
    a, b = (value(arm, 1.0, 1.0) for arm in arms(vector, unit=unit))
    result = result_of(compare(a, b, alpha=0.05))
    expected = vector["expected"]
    assert result.effect / unit == near(expected["diff"], vector)
    assert result.p_value == near(expected["p"], vector)
    assert [x / unit for x in limits(result.confidence_interval)] == near(
        expected["ci"], vector
    )


def test_lift_and_log_delta_of_tea_tasting() -> None:
    vector = shared_vector("V_lift_logdelta")
    a, b = (value(arm, 1.0, 3.0) for arm in arms(vector))
    result = result_of(compare(a, b, alpha=0.05))
    expected = vector["expected"]
    assert result.p_value == near(expected["p"], vector)
    assert result.effect == near(expected["diff"], vector)
    assert result.relative_effect == near(expected["lift"], vector)
    # Student's quantile, with Welch's degrees of freedom of the logs.
    parts = [arm.variance / arm.mean**2 for arm in (a, b)]
    degrees = sum(parts) ** 2 / sum(
        part**2 / (arm.visitors - 1) for part, arm in zip(parts, (a, b), strict=True)
    )
    interval = log_delta_interval(
        a.mean,
        a.variance,
        b.mean,
        b.variance,
        critical_value=float(student.isf(0.025, degrees)),
    )
    assert limits(interval) == near(expected["lift_ci"], vector)


def test_lift_of_gbstats() -> None:
    """Its symmetric interval is not offered: it contradicts the p-value."""
    vector = shared_vector("V_lift_linear_delta_gbstats")
    a, b = (value(arm, 1.0, 3.0) for arm in arms(vector))
    result = result_of(compare(a, b, alpha=0.05))
    assert result.relative_effect == near(vector["expected"]["lift"], vector)


def test_first_conversion_of_statsmodels() -> None:
    vector = shared_vector("cr1_ci_diff_and_log_ratio")
    a, b = (
        proportion(arm["c1"], arm["n"])
        for arm in (vector["inputs"]["A"], vector["inputs"]["B"])
    )
    expected = vector["expected"]
    result = result_of(compare(a, b, alpha=0.05))
    assert result.method == Method.NORMAL
    assert limits(result.confidence_interval) == near(expected["diff"], vector)
    interval = log_delta_interval(
        a.mean, a.variance, b.mean, b.variance, critical_value=float(norm.isf(0.025))
    )
    assert [1 + x for x in limits(interval)] == near(expected["ratio"], vector)


def test_home_page_test_as_published() -> None:
    """Numbers of DATA.md: 932 of 3,332 against 928 of 2,996."""
    result = result_of(pooled_proportion_test(932, 3332, 928, 2996))
    assert result.statistic == pytest.approx(2.6186, abs=5e-5)
    assert result.p_value == pytest.approx(0.00883, abs=5e-6)
    peer_z, peer_p = proportions_ztest([928, 932], [2996, 3332])
    assert result.statistic == pytest.approx(peer_z, rel=1e-12)
    assert result.p_value == pytest.approx(peer_p, rel=1e-12)
    unpooled = result_of(
        compare(proportion(932, 3332), proportion(928, 2996), alpha=0.05)
    )
    assert limits(unpooled.confidence_interval) == pytest.approx(
        confint_proportions_2indep(928, 2996, 932, 3332, method="wald"), rel=1e-12
    )


def test_free_trial_as_published() -> None:
    """Numbers of DATA.md; both published intervals come from the pooled variance."""
    enrolled = result_of(pooled_proportion_test(3785, 17293, 3423, 17260))
    assert enrolled.effect == pytest.approx(-0.0206, abs=5e-5)
    assert limits(enrolled.confidence_interval) == pytest.approx(
        [-0.0291, -0.0120], abs=5e-5
    )
    paid = result_of(pooled_proportion_test(2033, 17293, 1945, 17260))
    assert paid.effect == pytest.approx(-0.0049, abs=5e-5)
    assert limits(paid.confidence_interval) == pytest.approx(
        [-0.0116, 0.0019], abs=6e-5
    )


def test_pooled_null_of_statsmodels() -> None:
    """Student's test on the visitors' values 0, 1 and 4."""
    control = {"n": 5400, "c1": 270, "c2": 54}
    treatment = {"n": 600, "c1": 24, "c2": 3}

    def visitors(arm: dict[str, int]) -> DescrStatsW:
        once = arm["c1"] - arm["c2"]
        counts = [arm["n"] - arm["c1"], once, arm["c2"]]
        return DescrStatsW([0, 1, 4], weights=counts, ddof=1)

    peer = CompareMeans(visitors(treatment), visitors(control))
    statistic, p_value, degrees = peer.ttest_ind(usevar="pooled")
    result = result_of(
        compare_pooled_null(
            joint(control),
            joint(treatment),
            first_weight=1.0,
            second_weight=3.0,
            alpha=0.05,
        )
    )
    assert result.statistic == pytest.approx(statistic, rel=1e-10)
    assert result.p_value == pytest.approx(p_value, rel=1e-10)
    assert result.degrees_of_freedom == degrees
    assert limits(result.confidence_interval) == pytest.approx(
        peer.tconfint_diff(usevar="pooled"), rel=1e-10
    )
    assert result.method == Method.POOLED_VARIANCE


@pytest.mark.parametrize(
    ("control", "treatment", "second", "needed"),
    [
        (9000, 1000, 59, True),
        (1000, 9000, 59, True),
        (9000, 1000, 60, False),
        (7000, 3000, 2, False),
        (7001, 2999, 2, True),
        (5000, 5000, 0, False),
    ],
)
def test_pooled_null_is_for_uneven_splits_with_few_second_conversions(
    control: int, treatment: int, second: int, *, needed: bool
) -> None:
    assert needs_pooled_null(control, treatment, second) is needed


def test_fieller_holds_the_lifts_that_the_test_keeps() -> None:
    """Found by a root search over lifts instead of the quadratic formula."""
    a, b, c = (0.0875, 1.15e-5), (0.0945, 1.38e-5), 1.96

    def z(lift: float) -> float:
        variance = b[1] + (1 + lift) ** 2 * a[1]
        return (b[0] - (1 + lift) * a[0]) / math.sqrt(variance)

    lower = brentq(lambda lift: z(lift) - c, -0.5, 0.08, xtol=1e-15)
    upper = brentq(lambda lift: z(lift) + c, 0.08, 1.0, xtol=1e-15)
    interval = fieller_interval(*a, *b, critical_value=c)
    assert limits(interval) == pytest.approx([lower, upper], rel=1e-11)


def test_fieller_where_treatment_and_control_bring_the_same() -> None:
    interval = fieller_interval(1.0, 0.01, 1.0, 0.0, critical_value=0.0)
    assert limits(interval) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("mean", "variance"),
    [(0.0, 0.1), (-3.0, 0.1), (1.0, 0.3), (1.0, 1 / 1.96**2)],
    ids=["zero", "negative", "not distinct from zero", "nearly distinct"],
)
def test_fieller_needs_a_control_distinct_from_zero(
    mean: float, variance: float
) -> None:
    if mean == 1.0 and variance < 0.3:
        variance *= 1 + 1e-12
    assert fieller_interval(mean, variance, 2.0, 0.1, critical_value=1.96) is None


@pytest.mark.parametrize("means", [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0)])
def test_log_delta_needs_positive_means(means: tuple[float, float]) -> None:
    interval = log_delta_interval(means[0], 0.1, means[1], 0.1, critical_value=1.96)
    assert interval is None


@given(both_kinds, st.floats(0.001, 0.5))
def test_intervals_exclude_zero_exactly_when_p_is_below_alpha(
    pair: tuple[ValueEstimate, ValueEstimate], alpha: float
) -> None:
    result = result_of(compare(*pair, alpha=alpha))
    assume(abs(result.p_value - alpha) > 1e-9)
    lower, upper = limits(result.confidence_interval)
    assert (result.p_value < alpha) == (not lower <= 0 <= upper)
    if result.relative_confidence_interval is not None:
        lower, upper = limits(result.relative_confidence_interval)
        assert (result.p_value < alpha) == (not lower <= 0 <= upper)
        assert result.relative_effect is not None
        assert lower <= result.relative_effect <= upper


@given(counted(), counted(), st.floats(0.01, 0.3))
def test_pooled_intervals_exclude_zero_exactly_when_p_is_below_alpha(
    control: JointEstimate, treatment: JointEstimate, alpha: float
) -> None:
    result = result_of(
        compare_pooled_null(
            control, treatment, first_weight=1, second_weight=3, alpha=alpha
        )
    )
    assume(abs(result.p_value - alpha) > 1e-9)
    lower, upper = limits(result.confidence_interval)
    assert (result.p_value < alpha) == (not lower <= 0 <= upper)
    if result.relative_confidence_interval is not None:
        lower, upper = limits(result.relative_confidence_interval)
        assert (result.p_value < alpha) == (not lower <= 0 <= upper)


@given(both_kinds)
def test_swapping_the_arms_turns_the_effect_and_keeps_p(
    pair: tuple[ValueEstimate, ValueEstimate],
) -> None:
    there = result_of(compare(pair[0], pair[1], alpha=0.05))
    back = result_of(compare(pair[1], pair[0], alpha=0.05))
    assert back.effect == -there.effect
    assert back.p_value == pytest.approx(there.p_value, rel=1e-9)
    lower, upper = limits(there.confidence_interval)
    assert limits(back.confidence_interval) == pytest.approx([-upper, -lower])


@given(counted(), counted(), st.floats(0.01, 100), st.floats(0, 10))
def test_scaling_both_weights_keeps_p_and_lift(
    control: JointEstimate, treatment: JointEstimate, factor: float, second: float
) -> None:
    one, scaled = (
        result_of(
            compare(
                value(control, scale, scale * second),
                value(treatment, scale, scale * second),
                alpha=0.05,
            )
        )
        for scale in (1.0, factor)
    )
    assert scaled.p_value == pytest.approx(one.p_value, rel=1e-6, abs=1e-15)
    assert scaled.effect == pytest.approx(one.effect * factor, rel=1e-9, abs=1e-15)
    assert scaled.relative_effect == pytest.approx(one.relative_effect, abs=1e-9)


def test_a_wider_bound_widens_the_intervals_and_leaves_p() -> None:
    a, b = (value(arm, 1, 3) for arm in arms(shared_vector("V_counts_welch")))
    plain, safe = (
        result_of(compare(a, b, alpha=0.05, critical_value=c)) for c in (None, 2.3)
    )
    assert safe.p_value == plain.p_value
    assert limits(safe.confidence_interval) == pytest.approx(
        [
            plain.effect - 2.3 * plain.standard_error,
            plain.effect + 2.3 * plain.standard_error,
        ]
    )
    assert limits(safe.relative_confidence_interval) == limits(
        fieller_interval(a.mean, a.variance, b.mean, b.variance, critical_value=2.3)
    )


def estimate(visitors: int, mean: float, variance: float) -> ValueEstimate:
    return ValueEstimate(
        visitors=visitors, mean=mean, variance=variance, is_mature=False
    )


GOOD = estimate(100, 1.0, 0.01)
FLAT = estimate(300, 0.0, 0.0)
YOUNG = NotEstimable(Reason.NOT_MATURE)
NOBODY = NotEstimable(Reason.NO_VISITORS)


@pytest.mark.parametrize(
    ("control", "treatment", "reason"),
    [
        (YOUNG, GOOD, Reason.NOT_MATURE),
        (GOOD, NOBODY, Reason.NO_VISITORS),
        (YOUNG, NOBODY, Reason.NOT_MATURE),
        (FLAT, FLAT, Reason.NO_VARIANCE),
        (FLAT, estimate(9, 1.0, 0.0), Reason.NO_VARIANCE),
        (estimate(1, 1.0, 0.0), GOOD, Reason.TOO_FEW_VISITORS),
    ],
)
def test_what_cannot_be_said_is_named(
    control: ValueEstimate | NotEstimable,
    treatment: ValueEstimate | NotEstimable,
    reason: Reason,
) -> None:
    assert compare(control, treatment, alpha=0.05) == NotEstimable(reason)


def test_an_arm_without_variance_borrows_the_pooled_one() -> None:
    """Its own would make 0 of 300 against 7 of 700 significant (p = 0.008)."""
    sevens = joint({"n": 700, "c1": 7, "c2": 0})
    nobody = joint({"n": 300, "c1": 0, "c2": 0})
    result = result_of(compare(value(nobody, 1, 3), value(sevens, 1, 3), alpha=0.05))
    peer = CompareMeans(
        DescrStatsW([0, 1], weights=[693, 7], ddof=1),
        DescrStatsW([0], weights=[300], ddof=1),
    ).ttest_ind(usevar="pooled")
    assert result.p_value == pytest.approx(peer[1], rel=1e-9)
    assert result.relative_effect is None
    assert result.relative_confidence_interval is None
    assert result.method == Method.POOLED_VARIANCE


def test_a_negative_control_has_no_lift() -> None:
    result = result_of(compare(estimate(50, -1.0, 0.01), GOOD, alpha=0.05))
    assert result.relative_effect is None
    assert result.relative_confidence_interval is None


@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0])
def test_alpha_is_a_probability(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha"):
        compare(GOOD, GOOD, alpha=alpha)


def test_proportions_of_nobody_or_without_variance() -> None:
    assert pooled_proportion_test(0, 0, 3, 9) == NotEstimable(Reason.NO_VISITORS)
    assert pooled_proportion_test(0, 5, 0, 9) == NotEstimable(Reason.NO_VARIANCE)
    assert pooled_proportion_test(5, 5, 9, 9) == NotEstimable(Reason.NO_VARIANCE)
