"""The funnel of all traffic."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from statsmodels.stats.proportion import proportion_confint

from abtest.domain.events import Conversion, Event, EventId, Exposure
from abtest.domain.experiment import (
    Action,
    Experiment,
    ExperimentKey,
    VariantKey,
    VisitorId,
)
from abtest.domain.funnel import FunnelStep, MoneyWeights, StepKey
from abtest.domain.visitor import to_milliseconds
from abtest.errors import AbtestError, ErrorCode
from abtest.services.traffic import FunnelQuestion, FunnelReport, describe_funnel
from abtest.stats.results import KeyFigure, NotEstimable, Reason
from abtest.store.protocol import Store
from tests.services.traffic import KEY, running

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
LEAD, BUY, MORE = StepKey("lead"), StepKey("purchase"), StepKey("upsell")
NOON = datetime(2026, 1, 20, 12, tzinfo=UTC)


def experiment(key: str, *steps: StepKey, zone: str = "UTC") -> Experiment:
    plain = running(weights=MoneyWeights(currency="EUR"))
    return replace(
        plain,
        key=ExperimentKey(key),
        funnel=tuple(FunnelStep(key=step, name=step.title()) for step in steps),
        time_zone=zone,
    )


def events(
    visitors: int, *reached: tuple[StepKey, int, int | None], at: datetime = NOON
) -> list[Event]:
    """Let the first of the visitors reach each step, with a value for each."""
    number = count(1)
    moment = to_milliseconds(at)

    def new_id() -> EventId:
        return EventId(next(number).to_bytes(16, "big"))

    shown = [
        Exposure(
            id=new_id(),
            at=moment,
            visitor=VisitorId(f"v{n}"),
            experiment=KEY,
            variant=VariantKey("a"),
            trusted=True,
        )
        for n in range(visitors)
    ]
    return [
        *shown,
        *(
            Conversion(
                id=new_id(),
                at=moment,
                visitor=VisitorId(f"v{n}"),
                step=step,
                value=value,
                currency=None if value is None else "EUR",
                trusted=True,
            )
            for step, persons, value in reached
            for n in range(persons)
        ),
    ]


def funnel(store: Store, **asked: object) -> FunnelReport:
    question = FunnelQuestion(**asked)  # type: ignore[arg-type]  # its fields
    return describe_funnel(store, question, now=NOW)


def known(figure: KeyFigure | NotEstimable) -> KeyFigure:
    assert isinstance(figure, KeyFigure)
    return figure


@pytest.fixture
def filled(store: Store) -> Store:
    """A hundred visitors, 40 leads, 8 purchases of 30, 4 upsells of 60."""
    store.add_experiment(experiment("home", LEAD, BUY, MORE))
    store.record(
        events(100, (LEAD, 40, None), (BUY, 8, 3000), (MORE, 4, 6000)), received_at=NOW
    )
    return store


def test_rates_of_the_step_before_and_of_the_first(filled: Store) -> None:
    found = funnel(filled)
    assert (found.first_day, found.last_day) == (date(2026, 1, 2), date(2026, 1, 31))
    assert (found.visitors, found.currency, found.time_zone) == (100, "EUR", "UTC")
    assert [(s.key, s.name, s.persons, s.lost) for s in found.stages] == [
        (LEAD, "Lead", 40, 60),
        (BUY, "Purchase", 8, 32),
        (MORE, "Upsell", 4, 4),
    ]
    buy = found.stages[1]
    rate = known(buy.rate_of_previous)
    assert rate.estimate == pytest.approx(0.2)
    limits = proportion_confint(8, 40, method="wilson")
    assert (rate.interval.lower, rate.interval.upper) == pytest.approx(limits)
    assert known(buy.rate_of_first).estimate == pytest.approx(0.08)
    assert known(buy.drop_off).estimate == pytest.approx(0.8)
    assert found.biggest_leak == BUY


def test_money_of_all_traffic(filled: Store) -> None:
    found = funnel(filled)
    assert (found.buyers, found.orders, found.revenue) == (8, 12, 480.0)
    assert [(s.orders, s.revenue) for s in found.stages] == [(0, 0), (8, 240), (4, 240)]
    assert known(found.revenue_per_visitor).estimate == pytest.approx(4.8)
    assert known(found.average_order_value).estimate == pytest.approx(40)


def test_the_lever_is_what_lies_behind_a_step(filled: Store) -> None:
    """A tenth more leads or buyers is a tenth more of all; of upsells, of half."""
    found = funnel(filled)
    assert found.has_revenue
    gains = [stage.gain for stage in found.stages]
    assert gains == pytest.approx([0.1, 0.1, 0.05])
    assert found.strongest_lever == BUY  # as good as more leads, and more room


def test_nobody_can_be_better_than_everybody(store: Store) -> None:
    store.add_experiment(experiment("home", LEAD, BUY))
    store.record(events(100, (LEAD, 96, None), (BUY, 96, None)), received_at=NOW)
    found = funnel(store)
    assert not found.has_revenue
    lead, buy = found.stages
    assert lead.gain == pytest.approx(100 / 96 - 1)
    assert buy.gain == 0
    assert (found.biggest_leak, found.strongest_lever) == (LEAD, LEAD)
    assert found.revenue_per_visitor == NotEstimable(Reason.NO_REVENUE)


def test_an_empty_time_says_nothing(filled: Store) -> None:
    found = funnel(filled, first_day=date(2025, 1, 1), last_day=date(2025, 1, 9))
    assert (found.visitors, found.biggest_leak, found.strongest_lever) == (
        0,
        None,
        None,
    )
    assert {s.gain for s in found.stages} == {None}
    assert found.stages[0].rate_of_previous == NotEstimable(Reason.NO_CONVERSIONS)


def test_who_skips_a_step_counts_where_they_were(filled: Store) -> None:
    stage = funnel(filled, steps=("upsell", "lead")).stages[1]
    assert (stage.persons, stage.lost) == (40, 0)
    assert known(stage.rate_of_previous).estimate == 1.0


def test_days_are_those_of_the_funnels_time_zone(store: Store) -> None:
    store.add_experiment(experiment("home", LEAD, zone="Asia/Tokyo"))
    store.record(
        events(3, (LEAD, 1, None), at=datetime(2026, 1, 20, 16, tzinfo=UTC)),
        received_at=NOW,
    )
    late = date(2026, 1, 21)
    assert funnel(store, first_day=late, last_day=late).visitors == 3
    early = late - timedelta(days=1)
    assert funnel(store, first_day=early, last_day=early).visitors == 0


def test_which_funnel(store: Store) -> None:
    """That of most experiments that are not archived; of as many, the newest."""
    old = experiment("old", MORE).after(Action.STOP, NOW).after(Action.ARCHIVE, NOW)
    for made in (old, replace(old, key=ExperimentKey("older"))):
        store.add_experiment(made)
    assert [s.key for s in funnel(store).stages] == [MORE]
    store.add_experiment(experiment("one", LEAD, BUY))
    store.add_experiment(experiment("two", LEAD, BUY, MORE, zone="Europe/Vienna"))
    assert len(funnel(store).stages) == 3
    store.add_experiment(experiment("three", LEAD, BUY))
    assert len(funnel(store).stages) == 2
    of_two = funnel(store, experiment=ExperimentKey("two"))
    assert (len(of_two.stages), of_two.time_zone) == (3, "Europe/Vienna")
    assert [s.key for s in funnel(store, steps=("upsell",)).stages] == [MORE]


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"steps": ("nothing",)}, "?steps"),
        ({"steps": ()}, "?steps"),
        ({"steps": ("lead", "lead")}, "?steps"),
        ({"last_day": date(2026, 2, 1)}, "?to"),
        ({"first_day": date(2026, 2, 1)}, "?from"),
    ],
    ids=["unknown", "none", "twice", "not over", "backwards"],
)
def test_what_cannot_be_asked(
    filled: Store, asked: dict[str, object], pointer: str
) -> None:
    with pytest.raises(AbtestError) as error:
        funnel(filled, **asked)
    assert error.value.errors[0].pointer == pointer


def test_there_must_be_a_funnel(store: Store) -> None:
    with pytest.raises(AbtestError) as error:
        funnel(store)
    assert error.value.code is ErrorCode.NOT_FOUND
    store.add_experiment(experiment("home", LEAD))
    with pytest.raises(AbtestError) as error:
        funnel(store, experiment=ExperimentKey("away"))
    assert error.value.code is ErrorCode.NOT_FOUND
