"""Cohorts by exposure week against visitors counted one by one."""

from datetime import timedelta

import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from abtest.domain.experiment import VariantKey
from abtest.domain.visitor import date_to_day, day_to_date
from abtest.services.cohorts import Maturity, cohorts, describe_cohorts
from abtest.stats.results import NotEstimable, Reason, ValueEstimate
from abtest.store.protocol import Store
from tests.services.traffic import KEY, START, Cohort, events, running
from tests.stats.visitors import Visitor, to_moments, traffic

DAY = date_to_day(START.date())
WINDOW = 16


def visitors() -> list[Visitor]:
    return [
        Visitor(day=DAY + one.day, entries=one.entries)
        for one in traffic(3, visitors=900, days=19)
    ]


@pytest.mark.parametrize("as_of", [DAY + 9, DAY + 25, DAY + 60])
def test_weeks_are_those_of_visitors_counted_one_by_one(as_of: int) -> None:
    crowd = visitors()
    found = describe_cohorts(
        running(window_days=WINDOW), {VariantKey("a"): to_moments(crowd)}, day=as_of
    )
    variant = found.variants[0]
    known = [v for v in crowd if v.day <= as_of]
    assert sum(week.visitors for week in variant.weeks) == len(known)
    for week in variant.weeks:
        assert week.monday.weekday() == 0
        in_week = [v for v in known if 0 <= v.day - date_to_day(week.monday) < 7]
        assert week.visitors == len(in_week)
        assert week.first == count(in_week, 1, WINDOW, as_of)
        newest, oldest = (pick(v.day for v in in_week) for pick in (max, min))
        assert (week.first_maturity is Maturity.COMPLETE) == (newest + WINDOW <= as_of)
        for number, lag in enumerate(week.lags):
            assert lag.through_lag == min(7 * number + 6, WINDOW)
            assert lag.second == count(in_week, 2, lag.through_lag, as_of)
            assert lag.share == pytest.approx(lag.second / len(in_week))
            complete = newest + lag.through_lag <= as_of
            assert (lag.maturity is Maturity.COMPLETE) == complete
        begun = [lag for lag in range(0, WINDOW + 1, 7) if oldest + lag <= as_of]
        assert len(week.lags) == len(begun)


def count(crowd: list[Visitor], ordinal: int, last_lag: int, as_of: int) -> int:
    return sum(
        entry.count
        for visitor in crowd
        for entry in visitor.entries
        if entry.ordinal == ordinal
        and entry.lag <= last_lag
        and visitor.day + entry.lag <= as_of
    )


def test_second_opinion_is_the_survival_function_of_statsmodels() -> None:
    crowd, as_of = visitors(), DAY + 25
    found = describe_cohorts(
        running(window_days=WINDOW), {VariantKey("a"): to_moments(crowd)}, day=as_of
    ).variants[0]
    times, states = [], []
    for visitor in crowd:
        lags = [e.lag for e in visitor.entries if e.ordinal == 2 and e.count]
        followed = min(as_of - visitor.day, WINDOW)
        happened = bool(lags) and lags[0] <= followed
        states.append(int(happened))
        # Whoever is followed to a day is at risk on it: censored just after it.
        times.append(lags[0] if happened else followed + 0.5)
    peer = SurvfuncRight(times, states)
    assert isinstance(found.second_opinion, ValueEstimate)
    assert found.second_opinion.mean == pytest.approx(1 - peer.surv_prob[-1])
    assert found.second_opinion.variance**0.5 == pytest.approx(peer.surv_prob_se[-1])


def test_cohorts_come_out_of_the_store(store: Store) -> None:
    store.add_experiment(running())
    made = [Cohort(variant="b", day=8, visitors=40, first=8, second=2, gap=9)]
    store.record(events(made), received_at=START)
    found = cohorts(
        store, KEY, now=START + timedelta(days=30), as_of=day_to_date(DAY + 17)
    )
    control, treated = found.variants
    assert control.weeks == ()
    assert control.second_opinion == NotEstimable(Reason.NO_VISITORS)
    (week,) = treated.weeks
    assert (week.monday - START.date()).days == 7
    assert (week.visitors, week.first) == (40, 8)
    assert [lag.second for lag in week.lags] == [0, 2]
    assert found.window_days == 30
