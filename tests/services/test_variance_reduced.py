"""A declared covariate: from the exposure through the store into the report."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from abtest.domain.allocation import allocate
from abtest.domain.experiment import Experiment, Phase
from abtest.domain.funnel import ConversionWeights, CountWeights, MoneyWeights
from abtest.services.analysis import analyze
from abtest.services.report import ExperimentReport
from abtest.stats.results import FrequentistResult, NotEstimable, Reason
from abtest.store.protocol import Store
from tests.services.shoppers import shop, table, visits
from tests.services.traffic import KEY, START, running

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
OLD = shop("a", 800, seed=1, rate=0.10)
NEW = shop("b", 800, seed=2, rate=0.12)
COUNTS = CountWeights(first=1, second=3, currency="EUR")
MONEY = MoneyWeights(currency="EUR", second_margin=0.5)


def report(store: Store, experiment: Experiment) -> ExperimentReport:
    store.add_experiment(experiment)
    store.record(visits([*OLD, *NEW]), received_at=NOW)
    return analyze(store, KEY, now=NOW)


def values(rows: NDArray[np.float64], weights: ConversionWeights) -> list[float]:
    """Return what each visitor is worth."""
    match weights:
        case CountWeights(first=first, second=second):
            worth = first * rows[:, 0] + second * rows[:, 1]
        case MoneyWeights(first_margin=first, second_margin=second):
            worth = (first * rows[:, 2] + second * rows[:, 3]) / 100
    found: list[float] = worth.tolist()
    return found


@pytest.mark.parametrize("weights", [COUNTS, MONEY], ids=["counts", "money"])
def test_it_is_the_regression_of_single_visitors(
    store: Store, weights: ConversionWeights
) -> None:
    """numpy's covariance over all visitors, then Welch's test of statsmodels."""
    found = report(store, replace(running(weights=weights), covariate="orders"))
    old, new = table(OLD), table(NEW)
    y_old, y_new = np.array(values(old, weights)), np.array(values(new, weights))
    x = np.concatenate([old[:, 4], new[:, 4]])
    spread = np.cov(np.concatenate([y_old, y_new]), x)
    theta = spread[0, 1] / spread[1, 1]
    compared = CompareMeans(
        DescrStatsW(y_new - theta * (new[:, 4] - x.mean())),
        DescrStatsW(y_old - theta * (old[:, 4] - x.mean())),
    )
    _, p_value, _ = compared.ttest_ind(usevar="unequal")
    reduced = found.comparisons[0].variance_reduced
    assert isinstance(reduced, FrequentistResult)
    assert reduced.method == "cuped"
    assert reduced.effect == pytest.approx(compared.d1.mean - compared.d2.mean)
    assert reduced.p_value == pytest.approx(p_value)
    limits = compared.tconfint_diff(usevar="unequal")
    assert reduced.confidence_interval.lower == pytest.approx(limits[0])
    assert reduced.confidence_interval.upper == pytest.approx(limits[1])


def test_it_is_narrower_and_decides_nothing(store: Store) -> None:
    found = report(store, replace(running(), covariate="orders"))
    compared = found.comparisons[0]
    plain, reduced = compared.value.frequentist, compared.variance_reduced
    assert isinstance(plain, FrequentistResult)
    assert isinstance(reduced, FrequentistResult)
    assert reduced.standard_error < plain.standard_error
    assert compared.decision_interval == plain.confidence_interval
    assert found.plan.covariate == "orders"


def test_it_is_off_unless_declared(store: Store) -> None:
    found = report(store, running())
    assert found.comparisons[0].variance_reduced == NotEstimable(Reason.NO_COVARIATE)
    assert found.plan.covariate is None


def test_a_covariate_nobody_brings_takes_out_nothing(store: Store) -> None:
    found = report(store, replace(running(), covariate="visits"))
    assert found.comparisons[0].variance_reduced == NotEstimable(Reason.NO_COVARIATE)


def test_a_changed_split_is_not_adjusted(store: Store) -> None:
    experiment = replace(running(), covariate="orders")
    later = Phase(
        since=START + timedelta(days=5),
        allocation=allocate([("a", 3.0), ("b", 1.0)]),
        coverage=1.0,
    )
    found = report(store, replace(experiment, phases=(*experiment.phases, later)))
    assert found.comparisons[0].variance_reduced == NotEstimable(Reason.NOT_APPLICABLE)
