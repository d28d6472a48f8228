"""All purchases of a person, told as stories."""

import pytest

from abtest.domain.events import Conversion, Refund
from abtest.domain.experiment import Experiment
from abtest.domain.funnel import FunnelStep, StepKey, StepKind
from abtest.domain.purchases import (
    CreditedPurchases,
    Purchase,
    credited_purchases,
    purchase_steps,
)
from abtest.domain.visitor import Entry, History, OutcomePlan, resolve
from tests.store.builders import (
    BUY,
    LEAD,
    UPSELL,
    conversion,
    exposure,
    home,
    refund,
    trial,
)

DAY_0 = 20_454
"""2026-01-01."""
PLAN = OutcomePlan.of(home())


def bought(*conversions: Conversion, refunds: tuple[Refund, ...] = ()) -> History:
    """Return the history of somebody exposed at the START."""
    return History(exposures=[exposure(1)], conversions=conversions, refunds=refunds)


def credited(history: History, plan: OutcomePlan = PLAN) -> CreditedPurchases:
    found = credited_purchases(history, plan, {BUY})
    assert found is not None
    return found


def test_every_purchase_counts_not_only_two() -> None:
    history = bought(*(conversion(n, hours=24 * n) for n in range(5, 1, -1)))
    found = credited(history)
    assert (found.visitor, found.variant, found.day) == ("v1", "a", DAY_0)
    assert [p.day - DAY_0 for p in found.purchases] == [2, 3, 4, 5]
    assert {p.amount(DAY_0 + 9) for p in found.purchases} == {5000}


def test_browser_and_shop_tell_of_the_same_order() -> None:
    (purchase,) = credited(
        bought(
            conversion(2, order="o1", value=4000, trusted=False),
            conversion(3, order="o1", value=5000, hours=30),
        )
    ).purchases
    assert purchase == Purchase(step=BUY, payments=((DAY_0, 5000),))


def test_refunds_are_taken_off_on_their_day_and_never_exceed_the_order() -> None:
    history = bought(
        conversion(2, order="o1"),
        conversion(3, order="o2", hours=2),
        refunds=(
            refund(4, "o1", hours=30, value=1500),
            refund(4, "o1", hours=30, value=1500),
            refund(5, "o1", hours=50, value=9000),
            refund(6, "o3", hours=50),
        ),
    )
    first, second = credited(history).purchases
    assert first.payments == (
        (DAY_0, 5000), (DAY_0 + 1, -1500), (DAY_0 + 2, -3500),
    )  # fmt: skip
    left = [first.amount(DAY_0 + n) for n in (-1, 0, 1, 2)]
    assert left == [0, 5000, 3500, 0]
    assert second.payments == ((DAY_0, 5000),)


def test_foreign_money_and_what_is_above_the_cap_do_not_count() -> None:
    plan = OutcomePlan.of(home(order_cap=3000))
    history = bought(conversion(2), conversion(3, hours=2, currency="CHF"))
    amounts = [p.payments[0][1] for p in credited(history, plan).purchases]
    assert amounts == [3000, 0]


def test_the_visitor_exposed_first_is_credited_from_then_on() -> None:
    history = History(
        exposures=[
            exposure(1, "phone", hours=9, variant="b"),
            exposure(2, "laptop", hours=5),
        ],
        conversions=[
            conversion(3, "phone", hours=4),
            conversion(4, "phone", hours=6),
            conversion(5, "phone", hours=6, step=LEAD),
        ],
    )
    found = credited(history)
    assert (found.visitor, found.variant, len(found.purchases)) == ("laptop", "a", 1)


@pytest.mark.parametrize(
    "history",
    [
        History(exposures=(), conversions=[conversion(1)]),
        History(exposures=[exposure(1, hours=5)], conversions=[conversion(2)]),
        bought(conversion(2, step=LEAD)),
        bought(),
    ],
    ids=["never exposed", "bought before", "only a lead", "only looked"],
)
def test_nothing_was_bought(history: History) -> None:
    assert credited_purchases(history, PLAN, {BUY}) is None


def test_the_first_two_are_those_of_the_report() -> None:
    """`resolve` and `credited_purchases` must understand orders alike."""
    history = bought(
        conversion(2, order="o1", hours=3),
        conversion(3, order="o1", hours=40, value=7000),
        conversion(4, order="o2", hours=50),
        conversion(5, hours=80),
        refunds=(refund(6, "o1", hours=60, value=500), refund(7, "o2", hours=99)),
    )
    (outcome,) = resolve(history, PLAN)
    entries = tuple(
        Entry(
            ordinal=ordinal,
            lag=day - DAY_0,
            count=int(day == purchase.day),
            amount=amount,
        )
        for ordinal, purchase in enumerate(credited(history).purchases[:2], 1)
        for day, amount in purchase.payments
    )
    assert entries == outcome.entries


def kinds(*kinds: StepKind) -> tuple[FunnelStep, ...]:
    keys = (LEAD, BUY, UPSELL)
    return tuple(
        FunnelStep(key=key, name=key, kind=kind)
        for key, kind in zip(keys, kinds, strict=True)
    )


@pytest.mark.parametrize(
    ("experiment", "expected"),
    [
        (home(), {BUY}),
        (trial(), {LEAD, UPSELL}),
        (
            trial(funnel=kinds(StepKind.LEAD, StepKind.CUSTOM, StepKind.CUSTOM)),
            {UPSELL},
        ),
        (
            trial(funnel=kinds(StepKind.LEAD, StepKind.MAIN, StepKind.UPSELL)),
            {BUY, UPSELL},
        ),
        (
            home(funnel=kinds(StepKind.LEAD, StepKind.VISIT, StepKind.CUSTOM)),
            set(),
        ),
    ],
    ids=["no kinds", "no kinds, later step", "a lead first", "buying kinds", "none"],
)
def test_where_somebody_buys(experiment: Experiment, expected: set[StepKey]) -> None:
    assert purchase_steps(experiment) == expected
