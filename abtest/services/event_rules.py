"""What an event must look like to be recorded, and how it is read."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from abtest.domain.events import (
    OLDEST,
    Conversion,
    Cost,
    Event,
    EventId,
    Exposure,
    Identity,
    Milliseconds,
    Refund,
)
from abtest.domain.experiment import (
    CustomerId,
    Experiment,
    Status,
    VariantKey,
    VisitorId,
)
from abtest.domain.funnel import StepKey
from abtest.domain.visitor import to_milliseconds
from abtest.errors import AbtestError, ErrorCode, FieldError, invalid_field
from abtest.services.catalogue import Catalogue
from abtest.services.checks import (
    AttributeValue,
    attributes_json,
    check_length,
    check_person,
    listed,
    shown,
)
from abtest.services.identifiers import new_id, to_event_id
from abtest.services.money_rules import read_currency, read_money, to_cents
from abtest.store.privacy_protocol import Retention

MAX_EVENT_ID = 64
MAX_ORDER = 128
MAX_SOURCE = 64
AHEAD = timedelta(hours=24)
"""How far a clock may be ahead before the time is taken for a mistake."""
BROWSER_MEMORY = timedelta(days=30)
"""How old an event may be that comes with a browser key."""

_ENDED = frozenset({"stop", "decide"})


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


_AHEAD = _milliseconds(AHEAD)
_BROWSER_MEMORY = _milliseconds(BROWSER_MEMORY)


class EventType(StrEnum):
    """What can be recorded."""

    EXPOSURE = "exposure"
    CONVERSION = "conversion"
    REFUND = "refund"
    IDENTIFY = "identify"
    COST = "cost"


_SERVER_ONLY = frozenset({EventType.EXPOSURE, EventType.COST})


@dataclass(slots=True, kw_only=True)
class EventRequest:
    """One event as a caller tells it; API.md says which fields belong to which type.

    Attributes:
        at: aware; None means now.
        value, amount: major units of `currency`.
        trusted: False lets a server say that a browser told it, as exports do.
        day: local ISO date.
    """

    type: str = ""
    id: str | None = None
    at: datetime | None = None
    visitor: str | None = None
    customer: str | None = None
    step: str | None = None
    value: float | None = None
    currency: str | None = None
    order: str | None = None
    experiment: str | None = None
    variant: str | None = None
    attributes: dict[str, AttributeValue] | None = None
    source: str | None = None
    day: str | None = None
    amount: float | None = None
    trusted: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReader:
    """Turns requests into events, or raises what is wrong with them.

    Attributes:
        is_trusted: told by a server.
        now: when the call came in.
        clock_error: what must be added to the caller's times.
        retention: what is taken no more.
    """

    catalogue: Catalogue
    is_trusted: bool
    now: datetime
    clock_error: timedelta = timedelta(0)
    retention: Retention = Retention()  # noqa: RUF009 - it is frozen

    def read(self, request: EventRequest) -> Event:
        """Return the event.

        Raises:
            AbtestError: `invalid` or `not_allowed` with exactly one field error.
        """
        try:
            kind = EventType(request.type)
        except ValueError:
            raise invalid_field(
                "/type",
                "unknown_type" if request.type else "required",
                f"type {shown(request.type)} is not known;"
                f" use one of {', '.join(EventType)}",
            ) from None
        if kind in _SERVER_ONLY and not self.is_trusted:
            raise _not_allowed(kind)
        event_id = self._id(request.id)
        at = self._at(request.at)
        event = self._event(kind, request, event_id, at)
        self.retention.check(event)
        return event

    def _event(
        self,
        kind: EventType,
        request: EventRequest,
        event_id: EventId,
        at: Milliseconds,
    ) -> Event:
        match kind:
            case EventType.CONVERSION:
                return self._conversion(request, event_id, at)
            case EventType.EXPOSURE:
                return self._exposure(request, event_id, at)
            case EventType.REFUND:
                return self._refund(request, event_id, at)
            case EventType.IDENTIFY:
                return self._identity(request, event_id, at)
            case EventType.COST:
                return self._cost(request, event_id, at)

    def _is_trusted(self, request: EventRequest) -> bool:
        return self.is_trusted and request.trusted is not False

    def _id(self, text: str | None) -> EventId:
        if text is None:
            return new_id(self.now)
        return to_event_id(check_length("/id", text, longest=MAX_EVENT_ID))

    def _at(self, told: datetime | None) -> Milliseconds:
        now = to_milliseconds(self.now)
        if told is None:
            return now
        if told.tzinfo is None:
            raise invalid_field(
                "/at",
                "invalid_time",
                f"at {told.isoformat()} has no offset; add Z or one like +01:00",
            )
        at = to_milliseconds(told)
        if self.clock_error:
            at = Milliseconds(at + _milliseconds(self.clock_error))
        if at > now + _AHEAD:
            raise invalid_field(
                "/at",
                "at_in_future",
                f"at {told.isoformat()} lies more than 24 hours ahead;"
                " check the sender's clock and offset",
            )
        if at < OLDEST:
            raise invalid_field(
                "/at",
                "at_too_old",
                f"at {told.isoformat()} lies before 1990;"
                " check the sender's clock and the unit of the time",
            )
        if not self.is_trusted and at < now - _BROWSER_MEMORY:
            raise invalid_field(
                "/at",
                "at_too_old",
                f"at {told.isoformat()} is older than 30 days, which a browser key"
                " may not tell; send it with a server key (sk)",
            )
        return Milliseconds(min(at, now))

    def _conversion(
        self, request: EventRequest, event_id: EventId, at: Milliseconds
    ) -> Conversion:
        step = _required("/step", request.step)
        currencies = self.catalogue.steps.get(step)
        if currencies is None:
            raise invalid_field(
                "/step",
                "unknown_step",
                f"step {shown(step)} belongs to no experiment;"
                f" known are {listed(self.catalogue.steps)}",
            )
        visitor, customer = _people(request)
        value, currency = read_money(request.value, request.currency, currencies)
        return Conversion(
            id=event_id,
            at=at,
            visitor=visitor,
            customer=customer,
            step=StepKey(step),
            value=value,
            currency=currency,
            order=_order(request.order),
            trusted=self._is_trusted(request),
        )

    def _exposure(
        self, request: EventRequest, event_id: EventId, at: Milliseconds
    ) -> Exposure:
        experiment = self._experiment(_required("/experiment", request.experiment))
        _check_open(experiment, at)
        variant = _required("/variant", request.variant)
        known = [v.key for v in experiment.variants]
        if variant not in known:
            raise invalid_field(
                "/variant",
                "unknown_variant",
                f"variant {shown(variant)} is not in experiment {experiment.key};"
                f" use one of {', '.join(known)}",
            )
        return Exposure(
            id=event_id,
            at=at,
            visitor=VisitorId(
                check_person("/visitor", _required("/visitor", request.visitor))
            ),
            experiment=experiment.key,
            variant=VariantKey(variant),
            attributes_json=attributes_json("/attributes", request.attributes),
            trusted=True,
        )

    def _refund(
        self, request: EventRequest, event_id: EventId, at: Milliseconds
    ) -> Refund:
        order = _order(_required("/order", request.order))
        value, currency = read_money(
            request.value, request.currency, self.catalogue.currencies
        )
        if value == 0:
            raise invalid_field(
                "/value",
                "invalid_value",
                "value of a refund is 0; send what went back, or leave value out when"
                " the whole order was refunded",
            )
        return Refund(
            id=event_id,
            at=at,
            order=order or "",
            value=value,
            currency=currency,
            trusted=self._is_trusted(request),
        )

    def _identity(
        self, request: EventRequest, event_id: EventId, at: Milliseconds
    ) -> Identity:
        _required("/visitor", request.visitor)
        _required("/customer", request.customer)
        visitor, customer = _people(request)
        assert visitor is not None  # noqa: S101 - required above
        assert customer is not None  # noqa: S101 - required above
        return Identity(
            id=event_id,
            at=at,
            visitor=visitor,
            customer=customer,
            trusted=self._is_trusted(request),
        )

    def _cost(self, request: EventRequest, event_id: EventId, at: Milliseconds) -> Cost:
        if request.experiment is None and request.source is None:
            raise invalid_field(
                "/experiment",
                "required",
                "neither experiment nor source is given; say what the money was for",
            )
        key = request.experiment
        experiment = None if key is None else self._experiment(key)
        source = request.source
        currency = read_currency(request.currency, self.catalogue.currencies)
        if currency is None:
            raise invalid_field(
                "/currency", "required", 'currency is missing; send for example "EUR"'
            )
        return Cost(
            id=event_id,
            at=at,
            experiment=None if experiment is None else experiment.key,
            source=source and check_length("/source", source, longest=MAX_SOURCE),
            day=_day(_required("/day", request.day)),
            amount=to_cents("/amount", _amount(request.amount), currency),
            currency=currency,
        )

    def _experiment(self, key: str) -> Experiment:
        experiment = self.catalogue.by_key.get(key)
        if experiment is None:
            raise invalid_field(
                "/experiment",
                "unknown_experiment",
                f"experiment {shown(key)} is not known;"
                f" known are {listed(self.catalogue.by_key)}",
            )
        return experiment


def _check_open(experiment: Experiment, at: Milliseconds) -> None:
    """Refuse an exposure to what is not, or was not then, running."""
    match experiment.status:
        case Status.RUNNING | Status.PAUSED | Status.CLOSED:
            return
        case Status.STOPPED | Status.DECIDED:
            ended = min(e.at for e in experiment.log if e.action in _ENDED)
            if at < to_milliseconds(ended):
                return
            why = f"ended at {ended:%Y-%m-%dT%H:%M:%SZ}; send exposures from before it"
        case Status.DRAFT:
            why = "is a draft; start it first"
        case Status.ARCHIVED:
            why = "is archived; nothing is added to it any more"
    raise invalid_field(
        "/experiment", "not_running", f"experiment {experiment.key} {why}"
    )


def _people(request: EventRequest) -> tuple[VisitorId | None, CustomerId | None]:
    visitor, customer = request.visitor, request.customer
    if visitor is None and customer is None:
        raise invalid_field(
            "/visitor", "required", "neither visitor nor customer is given; send one"
        )
    return (
        None if visitor is None else VisitorId(check_person("/visitor", visitor)),
        None if customer is None else CustomerId(check_person("/customer", customer)),
    )


def _order(order: str | None) -> str | None:
    if order is None:
        return None
    return check_length("/order", order, longest=MAX_ORDER)


def _amount(amount: float | None) -> float:
    if amount is None:
        raise invalid_field("/amount", "required", "amount is missing")
    return amount


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise invalid_field(
            "/day", "invalid_day", f"day {shown(text)} is none; write 2026-01-31"
        ) from None


def _required(pointer: str, text: str | None) -> str:
    if text is None:
        raise invalid_field(pointer, "required", f"{pointer[1:]} is missing")
    return text


def _not_allowed(kind: EventType) -> AbtestError:
    detail = f"an event of type {kind} needs a server key (sk)"
    return AbtestError(
        ErrorCode.NOT_ALLOWED,
        detail,
        (FieldError(pointer="/type", code="not_allowed", detail=detail),),
    )
