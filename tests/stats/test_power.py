"""Sample sizes against the planning table and statsmodels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import power_proportions_2indep
from statsmodels.stats.weightstats import DescrStatsW

from abtest.stats.power import (
    Baseline,
    OrderValue,
    minimum_detectable_effect,
    sample_size,
)
from abtest.stats.results import NotEstimable, Reason

SHOP = Baseline(first_rate=0.05, repeat_rate=0.25)


@pytest.mark.parametrize(
    ("second_weight", "published"),
    [(0, 29_825), (1, 33_593), (3, 47_125), (10, 77_880)],
)
def test_ten_percent_need_the_visitors_of_the_planning_table(
    second_weight: float, published: int
) -> None:
    found = sample_size(SHOP, 1, second_weight, effect=0.1, alpha=0.05, power=0.8)
    assert found == pytest.approx(published, abs=1)


def test_visitors_have_the_power_that_statsmodels_finds() -> None:
    visitors = sample_size(SHOP, 1, 3, effect=0.1, alpha=0.05, power=0.8, ratio=0.5)
    assert isinstance(visitors, int)
    size = 0.1 * SHOP.mean(1, 3) / SHOP.variance(1, 3) ** 0.5
    assert NormalIndPower().power(size, visitors, 0.05, ratio=0.5) == pytest.approx(
        0.8, abs=1e-5
    )


def test_first_conversion_alone_is_a_comparison_of_proportions() -> None:
    """statsmodels lets the variance grow with the effect; a small one tells them."""
    visitors = sample_size(SHOP, 1, 0, effect=0.02, alpha=0.05, power=0.8)
    theirs = power_proportions_2indep(0.02 * 0.05, 0.05, visitors)
    assert theirs.power == pytest.approx(0.8, abs=0.005)


def test_value_of_a_visitor_has_the_moments_of_its_distribution() -> None:
    """Order values that are mean +- sd, each half of the time, spelled out."""
    first, second = OrderValue(mean=40, sd=10), OrderValue(mean=60, sd=25)
    shop = Baseline(
        first_rate=0.05, repeat_rate=0.4, first_order=first, second_order=second
    )
    values, weights = [0.0], [0.95]
    for one in (30, 50):
        values.append(0.5 * one)
        weights.append(0.05 * 0.6 / 2)
        for two in (35, 85):
            values.append(0.5 * one + 2 * two)
            weights.append(0.05 * 0.4 / 4)
    spelled = DescrStatsW(values, weights=weights)
    assert shop.mean(0.5, 2) == pytest.approx(spelled.mean)
    assert shop.variance(0.5, 2) == pytest.approx(spelled.var)


@given(
    effect=st.floats(0.01, 1),
    ratio=st.floats(0.1, 10),
    power=st.floats(0.5, 0.99),
    second_weight=st.floats(0, 20),
)
def test_detectable_effect_is_the_inverse_of_the_sample_size(
    effect: float, ratio: float, power: float, second_weight: float
) -> None:
    visitors = sample_size(
        SHOP, 1, second_weight, effect=effect, alpha=0.05, power=power, ratio=ratio
    )
    assert isinstance(visitors, int)
    for n, is_enough in ((visitors, True), (0.999 * (visitors - 1), False)):
        if n > 0:
            found = minimum_detectable_effect(
                SHOP, 1, second_weight, visitors=n, alpha=0.05, power=power, ratio=ratio
            )
            assert isinstance(found, float)
            assert (found <= effect * (1 + 1e-9)) == is_enough


@given(scale=st.floats(0.001, 1000))
def test_the_unit_of_value_does_not_matter(scale: float) -> None:
    found = minimum_detectable_effect(
        SHOP, scale, 3 * scale, visitors=10_000, alpha=0.05, power=0.8
    )
    unit = minimum_detectable_effect(SHOP, 1, 3, visitors=10_000, alpha=0.05, power=0.8)
    assert found == pytest.approx(unit)


def test_a_value_that_is_not_positive_has_no_relative_effect() -> None:
    assert sample_size(SHOP, -1, 0, effect=0.1, alpha=0.05, power=0.8) == NotEstimable(
        Reason.NOT_POSITIVE
    )
    assert minimum_detectable_effect(
        SHOP, 0, 0, visitors=10, alpha=0.05, power=0.8
    ) == NotEstimable(Reason.NOT_POSITIVE)


@pytest.mark.parametrize(
    ("first_rate", "repeat_rate"), [(0.0, 0.2), (1.0, 0.2), (0.1, -0.1), (0.1, 1.1)]
)
def test_rates_must_be_possible(first_rate: float, repeat_rate: float) -> None:
    with pytest.raises(ValueError, match="first_rate is"):
        Baseline(first_rate=first_rate, repeat_rate=repeat_rate)
