"""The normal mixture against gbstats and confseq."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.weightstats import DescrStatsW

from abtest.stats.mixture import (
    mixture_half_width,
    mixture_interval,
    mixture_p_value,
    normal_mixture_bound,
)
from tests.stats.vectors import limits, near, shared_vector

positive = st.floats(1e-3, 1e3)


def test_confidence_sequence_is_that_of_gbstats() -> None:
    vector = shared_vector("V_asymp_conf_sequence")
    inputs = vector["inputs"]
    means, variances = [], []
    for arm in (inputs["A"], inputs["B"]):
        values = DescrStatsW(
            [0.0, inputs["w1"], inputs["w1"] + inputs["w2"]],
            weights=[arm["n"] - arm["c1"], arm["c1"] - arm["c2"], arm["c2"]],
            ddof=1,
        )
        means.append(float(values.mean))
        variances.append(float(values.var) / arm["n"])
    effect, standard_error = means[1] - means[0], math.sqrt(sum(variances))
    # gbstats is tuned by a number of visitors N* instead of an effect.
    log_alpha = math.log(inputs["alpha"])
    visitors = inputs["A"]["n"] + inputs["B"]["n"]
    tightest = (-2 * log_alpha + math.log(1 - 2 * log_alpha)) / inputs["N_star"]
    tau = standard_error * math.sqrt(visitors * tightest)
    found = mixture_interval(effect, standard_error, tau=tau, alpha=inputs["alpha"])
    assert limits(found) == near(vector["expected"]["ci"], vector)
    assert mixture_p_value(effect, standard_error, tau=tau) == vector["expected"]["p"]


@pytest.mark.parametrize(
    "name",
    [
        "normal_mixture_bound_v40200_vopt5000",
        "normal_mixture_bound_v20000_vopt20000",
    ],
)
def test_bound_is_that_of_confseq(name: str) -> None:
    vector = shared_vector(name)
    inputs = vector["inputs"]
    assert normal_mixture_bound(
        inputs["v"], inputs["v_opt"], alpha=inputs["alpha"]
    ) == near(vector["expected"]["bound"], vector)


@given(standard_error=positive, tau=positive, alpha=st.floats(1e-6, 0.5))
def test_interval_and_bound_are_one_formula(
    standard_error: float, tau: float, alpha: float
) -> None:
    """With v = 1/se^2 the bound on the sum is the half width times v."""
    v = 1 / standard_error**2
    v_opt = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / tau**2
    half = mixture_half_width(standard_error, tau=tau, alpha=alpha)
    assert half * v == pytest.approx(normal_mixture_bound(v, v_opt, alpha=alpha))


@given(
    effect=st.floats(-100, 100),
    standard_error=positive,
    tau=positive,
    alpha=st.floats(1e-6, 0.5),
)
def test_interval_excludes_zero_exactly_when_p_is_below_alpha(
    effect: float, standard_error: float, tau: float, alpha: float
) -> None:
    p = mixture_p_value(effect, standard_error, tau=tau)
    assume(abs(p - alpha) > 1e-9)
    half = mixture_half_width(standard_error, tau=tau, alpha=alpha)
    assert (abs(effect) > half) == (p < alpha)
    assert 0 <= p <= 1
    assert p == mixture_p_value(-effect, standard_error, tau=tau)


@pytest.mark.parametrize(("standard_error", "tau"), [(0.0, 1.0), (1.0, 0.0)])
def test_neither_error_nor_tau_may_vanish(standard_error: float, tau: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        mixture_p_value(1.0, standard_error, tau=tau)
