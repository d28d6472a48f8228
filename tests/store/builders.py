"""Short ways to say events and experiments in tests."""

from dataclasses import replace
from datetime import UTC, datetime

from abtest.domain.events import (
    Conversion,
    Cost,
    EventId,
    Exposure,
    Identity,
    Milliseconds,
    Refund,
)
from abtest.domain.experiment import (
    CustomerId,
    Experiment,
    ExperimentKey,
    Variant,
    VariantKey,
    VisitorId,
)
from abtest.domain.funnel import (
    ConversionGoal,
    FunnelStep,
    LaterStep,
    MoneyWeights,
    Repeat,
    StepKey,
)

HOUR = 3_600_000
DAY = 24 * HOUR
START = Milliseconds(1_767_225_600_000)
"""2026-01-01 00:00 UTC."""

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

HOME = ExperimentKey("home")
TRIAL = ExperimentKey("trial")
LEAD, BUY, UPSELL = StepKey("lead"), StepKey("purchase"), StepKey("upsell")


def event_id(number: int) -> EventId:
    """Return sixteen bytes."""
    return EventId(number.to_bytes(16, "big"))


def after(hours: float) -> Milliseconds:
    """Return a time so many hours after START."""
    return Milliseconds(START + round(hours * HOUR))


def exposure(
    number: int,
    visitor: str = "v1",
    *,
    variant: str = "a",
    experiment: ExperimentKey = HOME,
    hours: float = 0,
    attributes: str | None = None,
) -> Exposure:
    """Return an exposure; the number is its id."""
    return Exposure(
        id=event_id(number),
        at=after(hours),
        visitor=VisitorId(visitor),
        experiment=experiment,
        variant=VariantKey(variant),
        attributes_json=attributes,
        trusted=True,
    )


def conversion(
    number: int,
    visitor: str | None = "v1",
    *,
    customer: str | None = None,
    step: StepKey = BUY,
    hours: float = 1,
    value: int | None = 5000,
    currency: str | None = "EUR",
    order: str | None = None,
    trusted: bool = True,
) -> Conversion:
    """Return a purchase of 50 euros an hour after START, or what is said."""
    return Conversion(
        id=event_id(number),
        at=after(hours),
        visitor=None if visitor is None else VisitorId(visitor),
        customer=None if customer is None else CustomerId(customer),
        step=step,
        value=value,
        currency=currency,
        order=order,
        trusted=trusted,
    )


def refund(
    number: int, order: str, *, hours: float = 30, value: int | None = None
) -> Refund:
    """Return a refund of the whole order, or of a part."""
    return Refund(
        id=event_id(number),
        at=after(hours),
        order=order,
        value=value,
        currency="EUR",
        trusted=True,
    )


def identity(number: int, visitor: str, customer: str, *, hours: float = 2) -> Identity:
    """Return the news that the visitor is the customer."""
    return Identity(
        id=event_id(number),
        at=after(hours),
        visitor=VisitorId(visitor),
        customer=CustomerId(customer),
        trusted=True,
    )


def cost(number: int, *, experiment: ExperimentKey | None = HOME) -> Cost:
    """Return 12 euros spent on the first day."""
    return Cost(
        id=event_id(number),
        at=START,
        experiment=experiment,
        source="ads",
        day="2026-01-01",
        amount=1200,
        currency="EUR",
    )


def home(**changes: object) -> Experiment:
    """Return an experiment about euros of the first and second purchase."""
    experiment = Experiment(
        key=HOME,
        name="Home page",
        variants=_variants("a", "b"),
        funnel=(FunnelStep(key=LEAD, name="Lead"), FunnelStep(key=BUY, name="Buy")),
        goal=ConversionGoal(first=BUY, second=Repeat(step=BUY)),
        weights=MoneyWeights(currency="EUR"),
        salt="home-salt",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return replace(experiment, **changes)  # type: ignore[arg-type]  # any field


def trial(**changes: object) -> Experiment:
    """Return an experiment about a lead that later buys, counted in Auckland's days."""
    experiment = Experiment(
        key=TRIAL,
        name="Free trial",
        variants=_variants("a", "b", "c"),
        funnel=(
            FunnelStep(key=LEAD, name="Lead"),
            FunnelStep(key=UPSELL, name="Upsell"),
        ),
        goal=ConversionGoal(first=LEAD, second=LaterStep(step=UPSELL)),
        time_zone="Pacific/Auckland",
        salt="trial-salt",
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    return replace(experiment, **changes)  # type: ignore[arg-type]  # any field


def _variants(*keys: str) -> tuple[Variant, ...]:
    return tuple(Variant(key=VariantKey(key), name=key.upper()) for key in keys)
