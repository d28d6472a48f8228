"""The experiments of the demo: what is tested, how visitors answer, what to see."""

from collections.abc import Mapping
from dataclasses import dataclass

from abtest.services.definition import (
    ExperimentDefinition,
    FirstDefinition,
    SecondDefinition,
    StepDefinition,
    VariantDefinition,
    WeightsDefinition,
)
from abtest.services.demo.shapes import Stage

_SHOP = (StepDefinition(key="purchase", name="Purchase", kind="main"),)
_SECOND_DAY = SecondDefinition(step="purchase", ordinal=2, min_gap_hours=24)
_ZONE = "Europe/Berlin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided, when and why."""

    days_ago: int
    variant: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One experiment of the demo; days count back from today.

    Attributes:
        journeys: variant -> what its visitors may do, in order.
        visitors_per_day: of all variants together.
        began: days ago; None for a draft.
        closed: days ago; None while it takes visitors.
        lost: variant -> share of its visitors who are never counted.
        look_at: one line for the person who opens it.
    """

    definition: ExperimentDefinition
    journeys: Mapping[str, tuple[Stage, ...]]
    visitors_per_day: int = 0
    began: int | None = None
    closed: int | None = None
    decision: Decision | None = None
    lost: Mapping[str, float] | None = None
    look_at: str


def _variants(**names: str) -> tuple[VariantDefinition, ...]:
    return tuple(VariantDefinition(key=key, name=name) for key, name in names.items())


def _shop(rate: float, repeat: float, *, value: float = 42.0) -> tuple[Stage, ...]:
    """Return the journey of a shop: a first purchase, and a second one later."""
    return (
        Stage(step="purchase", rate=rate, value=value),
        Stage(step="purchase", rate=repeat, is_soon=False, value=value),
    )


def _leads(lead: float, starter: float, course: float) -> tuple[Stage, ...]:
    return (
        Stage(step="lead", rate=lead),
        Stage(step="starter", rate=starter, value=9.0),
        Stage(step="course", rate=course, is_soon=False, value=240.0),
    )


STORIES = (
    Story(
        definition=ExperimentDefinition(
            key="honest-promise",
            name="Honest promise instead of a countdown",
            hypothesis="A page that promises less and explains more sells less at once,"
            " but its customers come back.",
            variants=_variants(countdown="Countdown", honest="Honest promise"),
            funnel=_SHOP,
            first_conversion=FirstDefinition(step="purchase"),
            second_conversion=_SECOND_DAY,
            weights=WeightsDefinition(first=1, second=3, currency="EUR"),
            minimum_detectable_effect=0.08,
            time_zone=_ZONE,
        ),
        journeys={"countdown": _shop(0.08, 0.20), "honest": _shop(0.073, 0.35)},
        visitors_per_day=1150,
        began=150,
        closed=90,
        look_at="it loses first purchases and wins all the same: see the worth of a"
        " second purchase at which that turns",
    ),
    Story(
        definition=ExperimentDefinition(
            key="bold-headline",
            name="A bolder headline",
            hypothesis="A headline that promises more brings more customers.",
            variants=_variants(plain="Plain headline", bold="Bold headline"),
            funnel=_SHOP,
            first_conversion=FirstDefinition(step="purchase"),
            second_conversion=_SECOND_DAY,
            weights=WeightsDefinition(first=1, second=3, currency="EUR"),
            minimum_detectable_effect=0.08,
            time_zone=_ZONE,
        ),
        journeys={"plain": _shop(0.07, 0.33), "bold": _shop(0.077, 0.14)},
        visitors_per_day=500,
        began=100,
        look_at="more first purchases, far fewer second ones: a test of first purchases"
        " alone would have crowned it",
    ),
    Story(
        definition=ExperimentDefinition(
            key="price-table",
            name="Price table with three columns",
            hypothesis="Three prices side by side make the middle one look fair.",
            variants=_variants(one="One price", three="Three prices"),
            funnel=_SHOP,
            first_conversion=FirstDefinition(step="purchase"),
            second_conversion=_SECOND_DAY,
            weights=WeightsDefinition(first=1, second=3, currency="EUR"),
            time_zone=_ZONE,
        ),
        journeys={"one": _shop(0.05, 0.25), "three": _shop(0.055, 0.25)},
        visitors_per_day=300,
        began=18,
        look_at="running, and too early to say: when a decision will be possible",
    ),
    Story(
        definition=ExperimentDefinition(
            key="shipping-offer",
            name="Which offer on shipping and price?",
            hypothesis="Free shipping from EUR 60 raises the order value more than a"
            " voucher raises the number of orders.",
            variants=_variants(
                none="No offer", shipping="Free shipping", voucher="Voucher of 10 %"
            ),
            funnel=_SHOP,
            first_conversion=FirstDefinition(step="purchase"),
            second_conversion=_SECOND_DAY,
            weights=WeightsDefinition(money=True, currency="EUR"),
            order_cap=400,
            time_zone=_ZONE,
        ),
        journeys={
            "none": _shop(0.05, 0.26),
            "shipping": _shop(0.052, 0.32, value=55.0),
            "voucher": _shop(0.056, 0.25, value=35.0),
        },
        visitors_per_day=750,
        began=140,
        closed=75,
        look_at="three variants judged in money: where the gain comes from, and what a"
        " visitor may cost",
    ),
    Story(
        definition=ExperimentDefinition(
            key="free-webinar",
            name="Checklist or webinar as the free offer",
            hypothesis="A webinar asks for an hour: fewer start, more buy the course.",
            variants=_variants(checklist="Checklist", webinar="Webinar"),
            funnel=(
                StepDefinition(key="lead", name="Gave an address", kind="lead"),
                StepDefinition(key="starter", name="Starter kit", kind="activator"),
                StepDefinition(key="course", name="Course", kind="main"),
            ),
            first_conversion=FirstDefinition(step="starter"),
            second_conversion=SecondDefinition(step="course"),
            weights=WeightsDefinition(first=1, second=8, currency="EUR"),
            time_zone=_ZONE,
        ),
        journeys={
            "checklist": _leads(0.20, 0.30, 0.26),
            "webinar": _leads(0.16, 0.24, 0.70),
        },
        visitors_per_day=680,
        began=130,
        closed=70,
        look_at="worth more per visitor, but it loses more first purchases than was"
        " allowed: a person must decide",
    ),
    Story(
        definition=ExperimentDefinition(
            key="gift-wrap",
            name="Offer gift wrapping on the landing page",
            hypothesis="People who buy a gift come back for the next one.",
            variants=_variants(without="No wrapping", wrapped="Gift wrapping"),
            funnel=_SHOP,
            first_conversion=FirstDefinition(step="purchase"),
            second_conversion=_SECOND_DAY,
            weights=WeightsDefinition(first=1, second=3, currency="EUR"),
            time_zone=_ZONE,
        ),
        journeys={},
        look_at="a draft: start it when the page is ready",
    ),
    Story(
        definition=ExperimentDefinition(
            key="quick-checkout",
            name="Redirect to a quicker checkout",
            hypothesis="One page instead of three loses fewer people on the way.",
            variants=_variants(three="Three pages", single="One page"),
            funnel=_SHOP,
            first_conversion=FirstDefinition(step="purchase"),
            second_conversion=_SECOND_DAY,
            weights=WeightsDefinition(first=1, second=3, currency="EUR"),
            time_zone=_ZONE,
        ),
        journeys={"three": _shop(0.06, 0.25), "single": _shop(0.066, 0.25)},
        visitors_per_day=200,
        began=80,
        lost={"single": 0.15},
        look_at="unhealthy: the redirect loses visitors, so the numbers are not to be"
        " used",
    ),
    Story(
        definition=ExperimentDefinition(
            key="guarantee-badge",
            name="Guarantee next to the button",
            hypothesis="A guarantee in plain words takes the fear of a first purchase.",
            variants=_variants(without="No guarantee", badge="Guarantee"),
            funnel=_SHOP,
            first_conversion=FirstDefinition(step="purchase"),
            second_conversion=_SECOND_DAY,
            weights=WeightsDefinition(first=1, second=3, currency="EUR"),
            time_zone=_ZONE,
        ),
        journeys={"without": _shop(0.06, 0.24), "badge": _shop(0.072, 0.30)},
        visitors_per_day=550,
        began=260,
        closed=215,
        decision=Decision(
            days_ago=150,
            variant="badge",
            note="Better at both purchases. We keep the guarantee and will try it in"
            " the basket next.",
        ),
        look_at="finished, decided and archived: what was learned stays readable",
    ),
)
