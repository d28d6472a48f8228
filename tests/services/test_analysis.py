"""The report of hand-made traffic, against numbers that other programs compute."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chisquare
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from abtest.domain.allocation import reallocate
from abtest.domain.experiment import Action, Experiment, Method, Phase
from abtest.domain.funnel import CountWeights, MoneyWeights
from abtest.errors import AbtestError
from abtest.services.analysis import analyze
from abtest.services.comparison_report import GuardrailState
from abtest.services.report import (
    ExperimentReport,
    HealthCode,
    HealthStatus,
    VerdictCode,
    VerdictReason,
)
from abtest.stats.results import (
    BayesianResult,
    FrequentistResult,
    NotEstimable,
    Reason,
)
from abtest.store.migrate import migrate
from abtest.store.protocol import Store
from abtest.store.sqlite.store import open_store
from tests.services.traffic import BUY, KEY, START, Cohort, events, running

LONG_AFTER = START + timedelta(days=200)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    migrate(tmp_path / "test.db")
    opened = open_store(tmp_path / "test.db", durability="normal")
    yield opened
    opened.close()


def report(
    store: Store,
    experiment: Experiment,
    cohorts: Sequence[Cohort],
    *,
    now: datetime = LONG_AFTER,
    **options: float | date,
) -> ExperimentReport:
    store.add_experiment(experiment)
    store.record(events(cohorts), received_at=now)
    return analyze(store, experiment.key, now=now, **options)  # type: ignore[arg-type]


def estimated(found: FrequentistResult | NotEstimable) -> FrequentistResult:
    assert isinstance(found, FrequentistResult), found
    return found


MATURE = (
    Cohort(variant="a", day=0, visitors=2000, first=100, second=25),
    Cohort(variant="b", day=0, visitors=2040, first=93, second=40),
)


def test_mature_counts_give_the_welch_test_of_statsmodels(store: Store) -> None:
    found = report(store, running(), MATURE)
    # statsmodels CompareMeans on the same values per visitor: 0, 1 or 1 + 3.
    a, b = (
        DescrStatsW(
            [0, 1, 4],
            weights=[c.visitors - c.first, c.first - c.second, c.second],
            ddof=1,
        )
        for c in MATURE
    )
    statistic, p_value, df = CompareMeans(b, a).ttest_ind(usevar="unequal")
    lower, upper = CompareMeans(b, a).tconfint_diff(usevar="unequal")
    test = estimated(found.comparisons[0].value.frequentist)
    assert test.effect == pytest.approx(b.mean - a.mean, rel=1e-12)
    assert test.statistic == pytest.approx(statistic, rel=1e-9)
    assert test.p_value == pytest.approx(p_value, rel=1e-9)
    assert test.degrees_of_freedom == pytest.approx(df, rel=1e-9)
    assert test.confidence_interval.lower == pytest.approx(lower, rel=1e-9)
    assert test.confidence_interval.upper == pytest.approx(upper, rel=1e-9)
    assert [v.visitors for v in found.variants] == [2000, 2040]
    assert [v.first.observed for v in found.variants] == [100, 93]
    assert [v.second.observed for v in found.variants] == [25, 40]
    assert found.maturity.share == pytest.approx(1.0)


def test_money_is_reported_in_major_units(store: Store) -> None:
    money = running(weights=MoneyWeights(currency="EUR", second_margin=0.5))
    found = report(store, money, MATURE)
    a = found.variants[0]
    assert not isinstance(a.value, NotEstimable)
    assert not isinstance(a.revenue, NotEstimable)
    # 100 first orders and 25 second ones of 20 euros; a second one counts half.
    assert a.value.mean == pytest.approx((100 * 20 + 25 * 10) / 2000)
    assert (a.revenue.observed_first, a.revenue.observed_second) == (2000.0, 500.0)
    assert a.revenue.order_value == pytest.approx(20.0)


def test_recent_visitors_are_not_counted_against_a_variant(store: Store) -> None:
    # Every cohort behaves alike; b merely has most of its visitors in recent days.
    cohorts = [
        Cohort(variant=v, day=d, visitors=n, first=n // 10, second=n // 20, gap=20)
        for d in range(40)
        for v, n in (("a", 100), ("b", 100))
    ]
    now = START + timedelta(days=41)
    found = report(store, running(), cohorts, now=now)
    for variant in found.variants:
        assert not isinstance(variant.second.rate, NotEstimable)
        assert variant.second.rate.mean == pytest.approx(0.05, abs=1e-9)
        assert variant.second.observed / variant.visitors < 0.03


def test_nothing_is_estimated_before_the_oldest_cohort_is_mature(store: Store) -> None:
    now = START + timedelta(days=10)
    found = report(store, running(), MATURE, now=now)
    assert found.variants[0].value == NotEstimable(Reason.NOT_MATURE)
    assert found.verdict.code is VerdictCode.TOO_EARLY
    assert found.verdict.reasons == (VerdictReason.WINDOW_NOT_REACHED,)
    # The window of the visitors of 5 January ends with 4 February.
    assert found.verdict.decide_from == date(2026, 2, 5)


def test_an_experiment_without_visitors_says_so(store: Store) -> None:
    found = report(store, running(), ())
    assert found.verdict.code is VerdictCode.NO_DATA
    assert found.maturity.decide_from is None
    assert found.variants[0].value == NotEstimable(Reason.NO_VISITORS)


def better(scale: int = 1) -> tuple[Cohort, ...]:
    """b gives up 10 % of the first purchases and wins 60 % more second ones."""
    return tuple(
        cohort
        for day in range(5)
        for cohort in (
            Cohort(
                variant="a",
                day=day,
                visitors=1000 * scale,
                first=200 * scale,
                second=50 * scale,
            ),
            Cohort(
                variant="b",
                day=day,
                visitors=1000 * scale,
                first=180 * scale,
                second=80 * scale,
            ),
        )
    )


@pytest.mark.parametrize("method", list(Method))
def test_the_variant_that_wins_over_both_conversions_wins(
    store: Store, method: Method
) -> None:
    found = report(store, running(method=method, effect=0.2), better())
    assert (found.verdict.code, found.verdict.variant) == (VerdictCode.WINNER, "b")
    break_even = found.comparisons[0].break_even_weight
    assert not isinstance(break_even, NotEstimable)
    # D1 = -20 and D2 = +30 of every 1,000: the tie is at 2/3 of a first conversion.
    assert break_even.estimate == pytest.approx(2 / 3)


def test_a_fixed_plan_decides_at_its_end_alone(store: Store) -> None:
    hungry = running(effect=0.01)
    found = report(store, hungry, better())
    assert found.verdict.code is VerdictCode.RUNNING
    closed = replace(hungry.after(Action.CLOSE, LONG_AFTER), version=2)
    store.replace_experiment(closed)
    found = analyze(store, KEY, now=LONG_AFTER)
    assert found.plan.is_at_end
    assert found.verdict.code is VerdictCode.WINNER


def test_who_stops_before_the_end_gets_a_hint_not_a_proof(store: Store) -> None:
    hungry = running(effect=0.01)
    report(store, hungry, better())
    stopped = replace(hungry.after(Action.STOP, LONG_AFTER), version=2)
    store.replace_experiment(stopped)
    found = analyze(store, KEY, now=LONG_AFTER)
    assert found.verdict.code is VerdictCode.STOPPED_EARLY


def test_losing_more_first_conversions_than_allowed_is_for_a_person(
    store: Store,
) -> None:
    found = report(store, running(margin=0.02, effect=0.2), better(scale=2))
    assert found.comparisons[0].guardrail.state is GuardrailState.FAILED
    assert found.verdict.code is VerdictCode.TRADEOFF


def test_a_split_that_nobody_planned_blocks_the_verdict(store: Store) -> None:
    cohorts = [
        replace(c, visitors=c.visitors + 600 * (c.variant == "a")) for c in better()
    ]
    found = report(store, running(), cohorts)
    assert found.verdict.code is VerdictCode.UNHEALTHY
    check = found.health.checks[0]
    assert (check.code, check.status) == (HealthCode.SAMPLE_RATIO, HealthStatus.BLOCKED)
    assert check.p_value == pytest.approx(chisquare([8000, 5000]).pvalue)


def test_a_weight_tried_out_afterwards_widens_the_interval(store: Store) -> None:
    declared = report(store, running(), better())
    tried = analyze(store, KEY, now=LONG_AFTER, second_weight=2.9)
    assert tried.weights_are_exploratory
    assert VerdictReason.EXPLORATORY_WEIGHTS in tried.verdict.reasons
    assert isinstance(tried.weights, CountWeights)
    assert tried.weights.second == 2.9
    widths = [
        (i.upper or 0) - (i.lower or 0)
        for i in (
            estimated(r.comparisons[0].value.frequentist).confidence_interval
            for r in (declared, tried)
        )
    ]
    assert widths[1] > 1.1 * widths[0]


def test_a_weight_tried_out_decides_at_the_end_of_the_plan_alone(store: Store) -> None:
    early = running(method=Method.SEQUENTIAL, effect=0.06)
    found = report(store, early, better(scale=3))
    assert found.verdict.code is VerdictCode.WINNER
    assert not found.plan.is_at_end
    tried = analyze(store, KEY, now=LONG_AFTER, second_weight=2.9)
    assert tried.verdict.code is VerdictCode.RUNNING


def test_several_variants_are_corrected_for(store: Store) -> None:
    cohorts = [
        *better(),
        *(replace(c, variant="c") for c in better() if c.variant == "a"),
    ]
    found = report(store, running(variants="abc", effect=0.2), cohorts)
    b, c = (estimated(x.value.frequentist) for x in found.comparisons)
    assert b.adjusted_p_value is not None
    assert b.adjusted_p_value > b.p_value
    assert c.adjusted_p_value == pytest.approx(1.0)
    assert (found.verdict.code, found.verdict.variant) == (VerdictCode.WINNER, "b")
    best = [x.value.bayesian for x in found.comparisons]
    assert all(not isinstance(x, NotEstimable) for x in best)


def test_days_are_compared_with_days_when_the_split_changed(store: Store) -> None:
    # a and b are alike on every day; rates rise while b's share grows. Pooled, b would
    # look far better (Simpson's paradox).
    early, late = range(10), range(10, 20)
    cohorts = [
        *(Cohort(variant="a", day=d, visitors=900, first=45, second=9) for d in early),
        *(Cohort(variant="b", day=d, visitors=100, first=5, second=1) for d in early),
        *(Cohort(variant="a", day=d, visitors=100, first=20, second=4) for d in late),
        *(Cohort(variant="b", day=d, visitors=900, first=180, second=36) for d in late),
    ]
    ramped = running()
    changed = reallocate(ramped.phases[0].allocation, [("a", 1.0), ("b", 9.0)])
    first = reallocate(ramped.phases[0].allocation, [("a", 9.0), ("b", 1.0)])
    ramped = replace(
        ramped,
        phases=(
            Phase(since=START, allocation=first, coverage=1.0),
            Phase(
                since=START + timedelta(days=9, hours=23),
                allocation=changed,
                coverage=1.0,
            ),
        ),
    )
    found = report(store, ramped, cohorts)
    assert found.plan.stratified
    assert estimated(found.comparisons[0].value.frequentist).effect == pytest.approx(
        0.0, abs=1e-12
    )
    assert found.health.status is not HealthStatus.BLOCKED


def test_a_day_in_the_past_is_answered_as_it_was(store: Store) -> None:
    found = report(store, running(), better(), as_of=date(2026, 2, 4))
    assert found.as_of == date(2026, 2, 4)
    assert found.variants[0].mature_visitors == 1000
    with pytest.raises(AbtestError, match="complete day"):
        analyze(store, KEY, now=LONG_AFTER, as_of=LONG_AFTER.date())


def test_today_stands_beside_the_estimates(store: Store) -> None:
    now = START + timedelta(days=3, hours=12)
    cohorts = [Cohort(variant="a", day=3, visitors=7, first=2, second=0)]
    found = report(store, running(), cohorts, now=now)
    assert (found.today.exposures, found.today.conversions) == (7, 2)
    assert found.variants[0].visitors == 0


def test_imported_follow_up_ends_when_the_data_end(store: Store) -> None:
    known = replace(running(), followed_until="2026-01-20")
    found = report(store, known, better())
    assert found.as_of == date(2026, 1, 20)
    assert found.verdict.code is VerdictCode.TOO_EARLY


def test_the_same_data_give_the_same_report_and_digest(store: Store) -> None:
    first = report(store, running(), better())
    assert analyze(store, KEY, now=LONG_AFTER) == first
    assert np.all([len(first.event_digest) == 64, first.first_step == BUY])
    assert first.data_through == datetime(2026, 1, 14, 9, tzinfo=UTC)


def test_the_exact_posterior_is_that_of_beta_draws(store: Store) -> None:
    found = report(store, running(), MATURE).comparisons[0].exact_posterior
    assert isinstance(found, BayesianResult)
    rng = np.random.default_rng(1)
    a, b = (
        rng.beta(1 + c.first, 1 + c.visitors - c.first, 400_000)
        * (1 + 3 * rng.beta(1 + c.second, 1 + c.first - c.second, 400_000))
        for c in MATURE
    )
    # 400,000 draws: a standard error of 0.0006.
    assert found.probability_to_beat_control == pytest.approx(
        float((b > a).mean()), abs=0.003
    )
    assert found.expected_loss == pytest.approx(
        float(np.maximum(a - b, 0).mean()), rel=0.02
    )


def test_a_sceptical_prior_moves_the_posterior_and_not_the_verdict(
    store: Store,
) -> None:
    flat = report(store, running(method=Method.BAYESIAN, effect=0.2), better())
    sceptical = analyze(store, KEY, now=LONG_AFTER, lift_prior=0.05)
    before, after = (r.comparisons[0].value.bayesian for r in (flat, sceptical))
    assert isinstance(before, BayesianResult)
    assert isinstance(after, BayesianResult)
    assert after.probability_to_beat_control < before.probability_to_beat_control
    assert after.prior == "lift ~ normal(0, 0.05)"
    assert sceptical.verdict == flat.verdict
