"""What an experiment of the demo is made of: plan, visitors, costs, notes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from abtest.services.definition import (
    ExperimentDefinition,
    SecondDefinition,
    StepDefinition,
    VariantDefinition,
    WeightsDefinition,
)
from abtest.services.demo.shapes import Pace, Stage

ZONE = "Europe/Berlin"
SHOP = (
    StepDefinition(key="basket", name="Basket", kind="custom"),
    StepDefinition(key="checkout", name="Checkout", kind="custom"),
    StepDefinition(key="purchase", name="Purchase", kind="main"),
)
SECOND_DAY = SecondDefinition(step="purchase", ordinal=2, min_gap_hours=24)
POINTS = WeightsDefinition(first=1, second=3, currency="EUR")
MONEY = WeightsDefinition(money=True, currency="EUR")

CHECKOUT_RATE = 0.55
"""Of those who put something into the basket, how many begin to pay."""

_BASKETS_PER_PURCHASE = 4.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided, when and why."""

    days_ago: int
    variant: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What somebody wrote into the decision log."""

    days_ago: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One experiment of the demo; days count back from today.

    Attributes:
        journeys: variant -> what its visitors may do, in order.
        on_phones: variant -> what visitors with a phone do instead.
        visitors_per_day: of all variants together.
        began: days ago; None for a draft.
        closed: days ago; None while it takes visitors.
        lost: variant -> share of its visitors who are never counted.
        costs: source -> what is spent there for a visitor of the experiment, from
            wherever they come; major units.
        refused: code -> refused events for each visitor, beside the usual ones.
        look_at: one line for the person who opens it.
    """

    definition: ExperimentDefinition
    journeys: Mapping[str, tuple[Stage, ...]]
    on_phones: Mapping[str, tuple[Stage, ...]] = field(default_factory=dict)
    visitors_per_day: int = 0
    began: int | None = None
    closed: int | None = None
    decision: Decision | None = None
    notes: tuple[Note, ...] = ()
    lost: Mapping[str, float] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    refused: Mapping[str, float] = field(default_factory=dict)
    look_at: str


def variants(**names: str) -> tuple[VariantDefinition, ...]:
    """Return variants with these names, the control first."""
    return tuple(VariantDefinition(key=key, name=name) for key, name in names.items())


def shop(
    rate: float, repeat: float, *, value: float = 42.0, basket: float | None = None
) -> tuple[Stage, ...]:
    """Return the journey of a shop: a first purchase, and a second one later.

    Args:
        rate: of visitors who buy.
        repeat: of buyers who do it again within 60 days.
        value: median of an order.
        basket: of visitors who fill a basket; None lets it go with the purchases.
    """
    basket = basket or rate * _BASKETS_PER_PURCHASE
    paying = rate / (basket * CHECKOUT_RATE)
    return (
        Stage(step="basket", rate=basket),
        Stage(step="checkout", rate=CHECKOUT_RATE, pace=Pace.AT_ONCE),
        Stage(step="purchase", rate=paying, pace=Pace.AT_ONCE, value=value),
        Stage(step="basket", rate=repeat, pace=Pace.LATER),
        Stage(step="checkout", rate=1.0, pace=Pace.AT_ONCE),
        Stage(step="purchase", rate=1.0, pace=Pace.AT_ONCE, value=value),
    )
