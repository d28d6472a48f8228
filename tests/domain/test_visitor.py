"""One person with several devices, calendars, and what holds for every history."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abtest.domain.events import Conversion, EventId, Exposure, Milliseconds, Refund
from abtest.domain.experiment import (
    Experiment,
    ExperimentKey,
    Variant,
    VariantKey,
    VisitorId,
)
from abtest.domain.funnel import (
    ConversionGoal,
    CountWeights,
    FunnelStep,
    LaterStep,
    Repeat,
    StepKey,
)
from abtest.domain.visitor import (
    Entry,
    History,
    Outcome,
    OutcomePlan,
    date_to_day,
    day_to_date,
    last_complete_day,
    local_day,
    resolve,
    to_milliseconds,
)

BUY, UPSELL = StepKey("buy"), StepKey("upsell")
TWICE = ConversionGoal(first=BUY, second=Repeat(step=BUY))
PLAN = OutcomePlan(
    goal=TWICE,
    steps=(BUY, UPSELL),
    time_zone="Europe/Berlin",
    currency="EUR",
    order_cap=None,
)


def at(text: str) -> Milliseconds:
    return to_milliseconds(datetime.fromisoformat(text))


def event_id(number: int) -> EventId:
    return EventId(number.to_bytes(16))


def exposure(
    number: int, when: str, *, visitor: str = "laptop", variant: str = "b"
) -> Exposure:
    return Exposure(
        id=event_id(number),
        at=at(when),
        visitor=VisitorId(visitor),
        experiment=ExperimentKey("home"),
        variant=VariantKey(variant),
    )


def purchase(number: int, when: str, *, visitor: str | None = "laptop") -> Conversion:
    return Conversion(
        id=event_id(number),
        at=at(when),
        visitor=None if visitor is None else VisitorId(visitor),
        step=BUY,
        value=5000,
        currency="EUR",
    )


def test_the_plan_is_the_experiments() -> None:
    experiment = Experiment(
        key=ExperimentKey("home"),
        name="Home",
        variants=(Variant(key=VariantKey("a"), name="A"),),
        funnel=(FunnelStep(key=BUY, name="Buy"), FunnelStep(key=UPSELL, name="More")),
        goal=TWICE,
        weights=CountWeights(currency="EUR"),
        order_cap=700,
        time_zone="Europe/Berlin",
        salt="home",
        created_at=datetime(2026, 6, 1, tzinfo=UTC),
    )
    assert OutcomePlan.of(experiment) == replace(PLAN, order_cap=700)


def test_nobody_was_exposed() -> None:
    lonely = History(exposures=(), conversions=[purchase(1, "2026-06-01T12:00Z")])
    assert resolve(lonely, PLAN) == ()


def test_a_person_with_two_devices_is_credited_once() -> None:
    """Phone first, laptop the day after, both in b; buys on the laptop and by phone."""
    history = History(
        exposures=[
            exposure(1, "2026-06-02T12:00Z", visitor="laptop"),
            exposure(2, "2026-06-01T12:00Z", visitor="phone"),
        ],
        conversions=[
            purchase(3, "2026-06-02T13:00Z", visitor="laptop"),
            purchase(4, "2026-06-05T13:00Z", visitor=None),
        ],
    )
    phone, laptop = resolve(history, PLAN)
    assert (phone.visitor, phone.day) == ("phone", date_to_day(date(2026, 6, 1)))
    assert (laptop.visitor, laptop.day) == ("laptop", date_to_day(date(2026, 6, 2)))
    assert phone.entries == (
        Entry(ordinal=1, lag=1, count=1, amount=5000),
        Entry(ordinal=2, lag=4, count=1, amount=5000),
    )
    assert (laptop.entries, laptop.steps) == ((), ())
    assert phone.variants_seen == laptop.variants_seen == 1


def test_a_purchase_before_the_persons_first_exposure_counts_on_no_device() -> None:
    history = History(
        exposures=[
            exposure(1, "2026-06-02T12:00Z", visitor="laptop"),
            exposure(2, "2026-06-03T12:00Z", visitor="phone"),
        ],
        conversions=[purchase(3, "2026-06-01T13:00Z", visitor="phone")],
    )
    assert [o.entries for o in resolve(history, PLAN)] == [(), ()]


def test_two_variants_on_one_device_keep_the_first_and_show() -> None:
    history = History(
        exposures=[
            exposure(1, "2026-06-02T12:00Z", variant="a"),
            exposure(2, "2026-06-01T12:00Z", variant="b"),
        ],
        conversions=[purchase(3, "2026-06-03T12:00Z")],
    )
    (outcome,) = resolve(history, PLAN)
    assert (outcome.variant, outcome.variants_seen) == ("b", 2)
    assert outcome.entries == (Entry(ordinal=1, lag=2, count=1, amount=5000),)


def test_two_variants_on_two_devices_show_on_both() -> None:
    history = History(
        exposures=[
            exposure(1, "2026-06-01T12:00Z", visitor="laptop", variant="a"),
            exposure(2, "2026-06-01T13:00Z", visitor="phone", variant="b"),
        ]
    )
    assert [
        (o.visitor, o.variant, o.variants_seen) for o in resolve(history, PLAN)
    ] == [
        ("laptop", "a", 2),
        ("phone", "b", 2),
    ]


def test_a_refund_sent_twice_takes_once() -> None:
    refund = Refund(id=event_id(3), at=at("2026-06-04T12:00Z"), order="A1", value=2000)
    history = History(
        exposures=[exposure(1, "2026-06-01T12:00Z")],
        conversions=[replace(purchase(2, "2026-06-01T12:00Z"), order="A1")],
        refunds=[refund, refund],
    )
    (outcome,) = resolve(history, PLAN)
    assert outcome.entries == (
        Entry(ordinal=1, lag=0, count=1, amount=5000),
        Entry(ordinal=1, lag=3, count=0, amount=-2000),
    )


def test_exposures_of_the_same_instant_are_told_apart_by_their_ids() -> None:
    both = [
        exposure(2, "2026-06-01T12:00Z", visitor="phone"),
        exposure(1, "2026-06-01T12:00Z", visitor="laptop"),
    ]
    for exposures in (both, both[::-1]):
        outcomes = resolve(History(exposures=exposures), PLAN)
        assert [outcome.visitor for outcome in outcomes] == ["laptop", "phone"]


@pytest.mark.parametrize(
    ("exposed", "bought", "lag"),
    [
        # Clocks go forward on 29 March 2026 and back on 25 October, so a local day
        # has 23 or 25 hours; a day ends at local midnight all the same.
        ("2026-03-28T23:30+01:00", "2026-03-29T00:30+01:00", 1),
        ("2026-03-29T00:30+01:00", "2026-03-29T23:30+02:00", 0),
        ("2026-03-29T00:30+01:00", "2026-03-30T00:00+02:00", 1),
        ("2026-03-28T12:00+01:00", "2026-03-29T13:00+02:00", 1),
        ("2026-10-25T00:00+02:00", "2026-10-25T23:59+01:00", 0),
        ("2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 1),
        ("2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00", 0),
        ("2026-01-01T00:00+01:00", "2026-12-31T23:59+01:00", 364),
    ],
)
def test_lags_are_calendar_days_in_berlin(exposed: str, bought: str, lag: int) -> None:
    history = History(
        exposures=[exposure(1, exposed)], conversions=[purchase(2, bought)]
    )
    (outcome,) = resolve(history, PLAN)
    assert [entry.lag for entry in outcome.entries] == [lag]
    assert outcome.steps == ((BUY, lag),)


@pytest.mark.parametrize(
    ("time_zone", "day"),
    [
        ("UTC", "2026-06-01"),
        ("Europe/Berlin", "2026-06-02"),
        ("America/New_York", "2026-06-01"),
        ("Pacific/Auckland", "2026-06-02"),
        ("Asia/Kolkata", "2026-06-02"),
    ],
)
def test_the_time_zone_decides_the_day(time_zone: str, day: str) -> None:
    (outcome,) = resolve(
        History(exposures=[exposure(1, "2026-06-01T22:30Z")]),
        replace(PLAN, time_zone=time_zone),
    )
    assert day_to_date(outcome.day).isoformat() == day


def test_days_and_milliseconds() -> None:
    assert date_to_day(date(1970, 1, 1)) == 0
    assert day_to_date(20_605) == date(2026, 6, 1)  # date -d 1970-01-01+20605days
    moment = datetime(2026, 6, 1, 2, 0, 0, 999_999, timezone(timedelta(hours=2)))
    assert to_milliseconds(moment) == 1_780_272_000_999  # date +%s, then the 999 ms
    assert to_milliseconds(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)) == -1000
    assert local_day(Milliseconds(-1), "UTC") == -1


def test_yesterday_is_the_last_complete_day() -> None:
    now = datetime(2026, 6, 1, 22, 30, tzinfo=UTC)
    assert day_to_date(last_complete_day(now, "UTC")) == date(2026, 5, 31)
    assert day_to_date(last_complete_day(now, "Europe/Berlin")) == date(2026, 6, 1)


# What holds for every history.

HOUR = 3_600_000
times = st.integers(min_value=0, max_value=30).map(
    lambda half_days: Milliseconds(at("2026-03-25T00:00Z") + half_days * 12 * HOUR)
)
visitors = st.sampled_from([VisitorId("laptop"), VisitorId("phone")])
orders = st.sampled_from(["A1", "A2", "A3"])
values = st.one_of(st.none(), st.integers(min_value=0, max_value=20_000))
currencies = st.sampled_from([None, "EUR", "USD"])
ids = st.binary(min_size=16, max_size=16).map(EventId)

exposures = st.builds(
    Exposure,
    id=ids,
    at=times,
    visitor=visitors,
    experiment=st.just(ExperimentKey("home")),
    variant=st.sampled_from([VariantKey("a"), VariantKey("b")]),
)
conversions = st.builds(
    Conversion,
    id=ids,
    at=times,
    visitor=visitors,
    step=st.sampled_from([BUY, UPSELL]),
    value=values,
    currency=currencies,
    order=st.none() | orders,
    trusted=st.booleans(),
)
refunds = st.builds(
    Refund, id=ids, at=times, order=orders, value=values, currency=currencies
)
histories = st.builds(
    History,
    exposures=st.lists(exposures, min_size=1, max_size=4, unique_by=lambda e: e.id),
    conversions=st.lists(conversions, max_size=8, unique_by=lambda c: c.id),
    refunds=st.lists(refunds, max_size=4, unique_by=lambda r: r.id),
)
goals = st.sampled_from(
    [
        TWICE,
        ConversionGoal(first=BUY, second=Repeat(step=BUY, ordinal=3)),
        ConversionGoal(first=BUY, second=Repeat(step=BUY, min_gap_hours=36)),
        ConversionGoal(first=BUY, second=LaterStep(step=UPSELL)),
    ]
)
plans = st.builds(
    OutcomePlan,
    goal=goals,
    steps=st.just((BUY, UPSELL)),
    time_zone=st.sampled_from(["UTC", "Europe/Berlin"]),
    currency=st.sampled_from([None, "EUR"]),
    order_cap=st.sampled_from([None, 10_000]),
)


@given(histories, plans, st.data())
def test_order_and_repetition_mean_nothing(
    history: History, plan: OutcomePlan, data: st.DataObject
) -> None:
    shuffled = History(
        exposures=data.draw(st.permutations([*history.exposures, *history.exposures])),
        conversions=data.draw(
            st.permutations([*history.conversions, *history.conversions[:3]])
        ),
        refunds=data.draw(st.permutations([*history.refunds, *history.refunds[:2]])),
    )
    assert resolve(shuffled, plan) == resolve(history, plan)


@given(histories, plans)
def test_outcomes_are_possible(history: History, plan: OutcomePlan) -> None:
    outcomes = resolve(history, plan)
    assert {o.visitor for o in outcomes} == {e.visitor for e in history.exposures}
    assert all(not o.entries and not o.steps for o in outcomes[1:])
    entries = outcomes[0].entries
    cells = [(entry.ordinal, entry.lag) for entry in entries]
    assert len(cells) == len(set(cells))
    assert all(entry.lag >= 0 for entry in entries)
    assert [entry.ordinal for entry in entries if entry.count] in ([], [1], [1, 2])
    assert all(entry.amount < 0 for entry in entries if not entry.count)
    for ordinal in (1, 2):
        total = sum(entry.amount for entry in entries if entry.ordinal == ordinal)
        assert 0 <= total <= (plan.order_cap or 20_000)


def only_counts(outcomes: tuple[Outcome, ...]) -> list[tuple[int, int]]:
    return [(e.ordinal, e.lag) for o in outcomes for e in o.entries if e.count]


@given(histories, plans)
def test_refunds_take_money_and_never_a_conversion(
    history: History, plan: OutcomePlan
) -> None:
    without = resolve(replace(history, refunds=()), plan)
    refunded = resolve(history, plan)
    assert only_counts(refunded) == only_counts(without)
    paid = sum(e.amount for o in without for e in o.entries)
    assert sum(e.amount for o in refunded for e in o.entries) <= paid


@given(histories, plans)
def test_what_came_before_the_first_exposure_never_counts(
    history: History, plan: OutcomePlan
) -> None:
    first = min(exposure.at for exposure in history.exposures)
    # An order's time is the earliest told, so a later report of it stays out as well.
    early = {(c.step, c.order) for c in history.conversions if c.at < first and c.order}
    later = [
        c
        for c in history.conversions
        if c.at >= first and (c.step, c.order) not in early
    ]
    without = replace(history, conversions=later)
    assert resolve(without, plan) == resolve(history, plan)
