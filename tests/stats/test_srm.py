"""Sample ratio: the peers' numbers, and evidence that nobody can wait for."""

import math
import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from abtest.stats.results import NotEstimable, Reason
from abtest.stats.srm import (
    Phase,
    SampleRatio,
    check_phases,
    chi_square_p_value,
    e_value,
    log10_e_value,
)
from tests.stats.vectors import near, shared_vector

counts_of_two_phases = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 3000)),
    min_size=2,
    max_size=2,
)


def checked(result: object) -> SampleRatio:
    assert isinstance(result, SampleRatio)
    return result


def test_chi_square_of_gbstats() -> None:
    vector = shared_vector("srm_two_arms")
    p_value = chi_square_p_value(
        vector["inputs"]["counts"], vector["inputs"]["weights"]
    )
    assert p_value == near(vector["expected"]["p"], vector)


@given(st.lists(st.integers(0, 10**6), min_size=3, max_size=3).filter(any))
def test_chi_square_of_scipy(counts: list[int]) -> None:
    shares = np.array([0.5, 0.3, 0.2])
    peer = stats.chisquare(counts, shares * sum(counts)).pvalue
    assert chi_square_p_value(counts, [5, 3, 2]) == pytest.approx(peer, rel=1e-9)


@given(
    st.lists(st.integers(0, 10**5), min_size=3, max_size=3),
    st.sampled_from([10.0, 1000.0]),
)
def test_e_value_is_the_ratio_of_scipys_likelihoods(
    counts: list[int], concentration: float
) -> None:
    shares = np.array([0.5, 0.3, 0.2])
    n = sum(counts)
    mixed = stats.dirichlet_multinomial(concentration * shares, np.array(n))
    plain = stats.multinomial(n, shares)
    expected = (mixed.logpmf(counts) - plain.logpmf(counts)) / math.log(10)
    got = log10_e_value(counts, [5, 3, 2], concentration=concentration)
    assert got == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_evidence_is_one_on_average_when_the_split_is_right() -> None:
    """Added up over every way in which nine visitors can come: a fair bet."""
    shares = [0.6, 0.3, 0.1]
    total = sum(
        stats.multinomial(9, shares).pmf(counts)
        * e_value(counts, shares, concentration=7.0)
        for counts in product(range(10), repeat=3)
        if sum(counts) == 9
    )
    assert total == pytest.approx(1, rel=1e-9)


@given(counts_of_two_phases)
def test_phases_multiply_and_chi_squares_add(
    counts: list[tuple[int, int, int]],
) -> None:
    splits = [[1.0, 1.0, 2.0], [3.0, 1.0, 1.0]]
    phases = list(zip(counts, splits, strict=True))
    visitors = sum(map(sum, counts))
    if not visitors:
        assert check_phases(phases) == NotEstimable(Reason.NO_VISITORS)
        return
    both = checked(check_phases(phases))
    assert both.visitors == visitors
    assert both.log10_e_value == pytest.approx(
        sum(log10_e_value(*phase) for phase in phases), abs=1e-9
    )
    seen = [(np.array(c), np.array(s) / sum(s)) for c, s in phases if sum(c)]
    chi_square = sum(stats.chisquare(c, s * c.sum()).statistic for c, s in seen)
    assert both.p_value == pytest.approx(
        stats.chi2.sf(chi_square, 2 * len(seen)), rel=1e-9
    )
    assert both.observed == pytest.approx(np.sum(counts, axis=0) / visitors)
    assert both.expected == pytest.approx(sum(s * c.sum() for c, s in seen) / visitors)


def test_a_changed_split_is_no_mismatch() -> None:
    """Taken together 5,000 : 5,000 would look like one of the planned 70 : 30."""
    phases: list[Phase] = [([900, 100], [9, 1]), ([4100, 4900], [4.1, 4.9])]
    assert checked(check_phases(phases)).e_value < 1


@pytest.mark.parametrize(
    ("counts", "e_value_log10"),
    [([10**7, 1], sys.float_info.max_10_exp), ([10**9, 10**9], None)],
)
def test_evidence_stays_a_number(counts: list[int], e_value_log10: int | None) -> None:
    value = e_value(counts, [0.5, 0.5])
    assert 0 < value <= sys.float_info.max
    if e_value_log10 is not None:
        assert value == 10.0**e_value_log10
        assert log10_e_value(counts, [0.5, 0.5]) > e_value_log10


def test_visitors_of_a_variant_without_share() -> None:
    assert log10_e_value([5, 1], [1, 0]) == math.inf
    assert e_value([5, 1], [1, 0]) == 10.0**sys.float_info.max_10_exp
    assert chi_square_p_value([5, 1], [1, 0]) == 0
    assert log10_e_value([5, 7, 0], [1, 1, 0]) == log10_e_value([5, 7], [1, 1])
    assert chi_square_p_value([5, 7, 0], [1, 1, 0]) == chi_square_p_value(
        [5, 7], [1, 1]
    )


def test_thin_data_are_named() -> None:
    assert check_phases([]) == NotEstimable(Reason.NO_VISITORS)
    assert chi_square_p_value([0, 0], [1, 1]) == NotEstimable(Reason.NO_VISITORS)
    assert chi_square_p_value([9, 0], [1, 0]) == NotEstimable(Reason.NOT_APPLICABLE)


@pytest.mark.parametrize(
    ("counts", "shares"),
    [([1, -1], [1, 1]), ([1, 1], [1, -1]), ([1, 1], [0, 0]), ([1, 1], [1, 1, 1])],
    ids=["negative count", "negative share", "no share", "lengths"],
)
def test_impossible_splits_are_refused(counts: list[int], shares: list[float]) -> None:
    with pytest.raises(ValueError, match="shares"):
        e_value(counts, shares)
