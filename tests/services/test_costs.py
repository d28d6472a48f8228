"""What the traffic cost, beside what it may cost."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from abtest.domain.events import Cost, EventId
from abtest.domain.experiment import Experiment
from abtest.domain.funnel import CountWeights, MoneyWeights
from abtest.domain.visitor import to_milliseconds
from abtest.services.analysis import analyze
from abtest.services.costs import CostReport, DayCost, SourceCost, describe_costs
from abtest.stats.results import KeyFigure, NotEstimable, Reason
from abtest.store.protocol import Store
from tests.services.shoppers import Shopper, shop, table, visits
from tests.services.traffic import KEY, START, running

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
MONEY = running(weights=MoneyWeights(currency="EUR"))
PEOPLE = shop("a", 300, seed=5, rate=0.2)
OTHERS = shop("b", 100, seed=6, rate=0.2)
Z = 1.959963984540054


def cost(number: int, amount: int, **changes: object) -> Cost:
    known = Cost(
        id=EventId((10**9 + number).to_bytes(16, "big")),
        at=to_milliseconds(START),
        experiment=KEY,
        source="ads",
        day="2026-01-05",
        amount=amount,
        currency="EUR",
    )
    return replace(known, **changes)  # type: ignore[arg-type]  # any field


def costs(
    store: Store, *told: Cost, experiment: Experiment = MONEY, as_of: date | None = None
) -> CostReport:
    store.add_experiment(experiment)
    store.record([*visits([*PEOPLE, *OTHERS]), *told], received_at=NOW)
    return describe_costs(store, analyze(store, KEY, now=NOW, as_of=as_of))


def known(figure: KeyFigure | NotEstimable) -> KeyFigure:
    assert isinstance(figure, KeyFigure)
    return figure


def test_costs_are_shared_by_visitors(store: Store) -> None:
    found = costs(
        store,
        cost(1, 30_000),
        cost(2, 8_000, source=None, day="2026-01-06"),
        cost(3, 2_000, day="2026-01-06"),
        cost(4, 9_900, day="2026-04-01"),
        cost(5, 700, experiment=None),
        cost(6, 500, currency="CHF"),
    )
    assert (found.currency, found.amount, found.visitors) == ("EUR", 400.0, 400)
    assert found.cost_per_visitor == pytest.approx(1.0)
    assert found.days == (
        DayCost(day=date(2026, 1, 5), amount=300),
        DayCost(day=date(2026, 1, 6), amount=100),
    )
    assert found.sources == (
        SourceCost(source="ads", amount=320),
        SourceCost(source=None, amount=80),
    )
    assert found.other_currencies == (("CHF", 5.0),)
    assert [v.visitors for v in found.variants] == [300, 100]
    assert [v.amount for v in found.variants] == pytest.approx([300, 100])


def test_cost_against_worth(store: Store) -> None:
    """Everybody was followed for the whole window: plain means of the visitors."""
    control = costs(store, cost(1, 40_000)).variants[0]
    rows = table(PEOPLE)
    worth = (rows[:, 2] + rows[:, 3]) / 100
    error = worth.std(ddof=1) / len(rows) ** 0.5
    margin = known(control.margin_per_visitor)
    assert margin.estimate == pytest.approx(worth.mean() - 1)
    assert margin.interval.lower == pytest.approx(worth.mean() - 1 - Z * error)
    assert control.pays is True
    back = known(control.return_on_ad_spend)
    assert back.estimate == pytest.approx(worth.mean())
    assert back.interval.upper == pytest.approx(worth.mean() + Z * error)
    won = known(control.acquisition_cost)
    rate = rows[:, 0].mean()
    half = Z * rows[:, 0].std(ddof=1) / len(rows) ** 0.5
    assert won.estimate == pytest.approx(1 / rate)
    limits = (won.interval.lower, won.interval.upper)
    assert limits == pytest.approx((1 / (rate + half), 1 / (rate - half)), rel=1e-3)
    report = analyze(store, KEY, now=NOW).variants[0]
    assert control.highest_acquisition_cost == report.highest_acquisition_cost
    assert control.break_even_cost_per_click == report.break_even_cost_per_click


@pytest.mark.parametrize(
    ("factor", "pays"), [(0.5, True), (1.0, None), (2.0, False)], ids=str
)
def test_whether_a_visitor_pays(
    store: Store, *, factor: float, pays: bool | None
) -> None:
    rows = table(PEOPLE)
    per_visitor = (rows[:, 2] + rows[:, 3]).mean()
    found = costs(store, cost(1, round(per_visitor * factor * 400)))
    assert found.variants[0].pays is pays


def test_without_costs_nothing_is_said(store: Store) -> None:
    found = costs(store)
    missing = NotEstimable(Reason.NOT_APPLICABLE)
    assert (found.amount, found.cost_per_visitor) == (0.0, missing)
    control = found.variants[0]
    assert (control.amount, control.pays) == (0.0, None)
    assert control.acquisition_cost == control.margin_per_visitor == missing
    assert control.return_on_ad_spend == missing


def test_points_have_a_cost_but_no_return(store: Store) -> None:
    points = running(weights=CountWeights(first=1, second=3))
    found = costs(store, cost(1, 40_000), experiment=points)
    control = found.variants[0]
    assert (found.currency, found.cost_per_visitor) == ("EUR", 1.0)
    assert known(control.acquisition_cost).estimate > 1
    no_revenue = NotEstimable(Reason.NO_REVENUE)
    assert control.margin_per_visitor == control.return_on_ad_spend == no_revenue


def test_what_is_free_or_not_there_yet(store: Store) -> None:
    free = costs(store, cost(1, 0)).variants[0]
    assert free.return_on_ad_spend == NotEstimable(Reason.NOT_POSITIVE)
    early = describe_costs(store, analyze(store, KEY, now=NOW, as_of=date(2026, 1, 4)))
    assert early.cost_per_visitor == NotEstimable(Reason.NOT_APPLICABLE)
    store.record([cost(2, 100, day="2026-01-01")], received_at=NOW)
    nobody = describe_costs(store, analyze(store, KEY, now=NOW, as_of=date(2026, 1, 4)))
    assert nobody.cost_per_visitor == NotEstimable(Reason.NO_VISITORS)


def test_nobody_bought_yet(store: Store) -> None:
    store.add_experiment(MONEY)
    lookers = [Shopper(variant=v) for v in "aabb"]
    store.record([*visits(lookers), cost(1, 400)], received_at=NOW)
    control = describe_costs(store, analyze(store, KEY, now=NOW)).variants[0]
    assert control.acquisition_cost == NotEstimable(Reason.NO_CONVERSIONS)
    early = describe_costs(
        store, analyze(store, KEY, now=NOW, as_of=date(2026, 1, 5))
    ).variants[0]
    assert early.acquisition_cost == NotEstimable(Reason.NOT_MATURE)
