"""Kaplan and Meier's estimate is that of statsmodels and of lifelines."""

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.duration.survfunc import SurvfuncRight

from abtest.stats.delayed import Measure, Window, estimate
from abtest.stats.moments import Cell, CellKey, Moments
from abtest.stats.results import NotEstimable, Reason, ValueEstimate
from abtest.stats.survival import kaplan_meier
from tests.stats.vectors import Vector, estimated, near, shared_vector
from tests.stats.visitors import to_moments, traffic


def km_moments(vector: Vector) -> Moments:
    inputs = vector["inputs"]
    return Moments(
        cohorts=dict(enumerate(inputs["n"])),
        cells={
            CellKey(day, lag, 2): Cell(n, 0, 0) for day, lag, n in inputs["second_at"]
        },
    )


def test_kaplan_meier_of_lifelines() -> None:
    vector = shared_vector("km_second_within_W")
    share = kaplan_meier(km_moments(vector), ordinal=2, window=6, as_of=9)
    assert isinstance(share, ValueEstimate)
    left = 1 - share.mean
    assert left == near(vector["expected"]["S_W"], vector)
    # lifelines' limits: Greenwood's variance on the scale of log(-log S).
    half = norm.isf(0.025) * np.sqrt(share.variance) / (left * np.log(left))
    assert [left ** np.exp(-half), left ** np.exp(half)] == near(
        vector["expected"]["ci_S"], vector
    )


def test_kaplan_meier_of_statsmodels() -> None:
    vector = shared_vector("km_second_within_W_greenwood_se")
    moments = km_moments(vector)
    share = kaplan_meier(moments, ordinal=2, window=6, as_of=9)
    assert isinstance(share, ValueEstimate)
    assert 1 - share.mean == near(vector["expected"]["S"], vector)
    assert np.sqrt(share.variance) == near(vector["expected"]["se"], vector)
    joint = estimated(
        estimate(
            moments,
            window=Window(first=6, second=6),
            as_of=9,
            measure=Measure.COUNT,
        )
    )
    assert abs(joint.second - share.mean) < 0.03 * np.sqrt(share.variance)


@pytest.mark.parametrize("ordinal", [1, 2])
@pytest.mark.parametrize("as_of", [8, 15, 30])
def test_kaplan_meier_equals_statsmodels_on_visitors(ordinal: int, as_of: int) -> None:
    visitors = [v for v in traffic(4, visitors=700, days=14) if v.day <= as_of]
    times, status = [], []
    for v in visitors:
        lags = [e.lag for e in v.entries if e.ordinal == ordinal and e.count]
        end = min(as_of - v.day, 7)
        seen = bool(lags) and lags[0] <= end
        times.append(lags[0] if seen else end)
        status.append(int(seen))
    peer = SurvfuncRight(np.array(times), np.array(status))
    share = kaplan_meier(to_moments(visitors), ordinal=ordinal, window=7, as_of=as_of)
    assert isinstance(share, ValueEstimate)
    assert share.mean == pytest.approx(1 - peer.surv_prob[-1], rel=1e-12)
    assert share.variance == pytest.approx(peer.surv_prob_se[-1] ** 2, rel=1e-10)


def test_kaplan_meier_when_all_have_converted() -> None:
    moments = Moments(cohorts={0: 4}, cells={CellKey(0, 1, 1): Cell(4, 0, 0)})
    assert kaplan_meier(moments, ordinal=1, window=2, as_of=9) == ValueEstimate(
        visitors=4, mean=1, variance=0, is_mature=True
    )
    assert kaplan_meier(moments, ordinal=1, window=9, as_of=3) == NotEstimable(
        Reason.NOT_MATURE
    )
