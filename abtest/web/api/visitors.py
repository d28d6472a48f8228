"""/api/v1/visitors/{id}: what is stored about a person, and its erasure."""

from datetime import datetime

import msgspec

from abtest.domain.events import Conversion, Event, Exposure, Identity, Refund
from abtest.domain.person import NameKind, PersonName, PersonRecord, StoredEvent
from abtest.services.event_documents import moment, to_request
from abtest.services.privacy import erase_person, person_name, show_person
from abtest.web.api.serving import Asked, Parameter
from abtest.web.exchange import Reply, json_reply

KIND = Parameter(
    name="kind", help="what the id is: visitor (default) or customer", type="string"
)


class PersonEventView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event as it was told, and when it came in; what was not told is left out."""

    id: str
    at: datetime
    received_at: datetime
    experiment: str | None = None
    variant: str | None = None
    visitor: str | None = None
    customer: str | None = None
    attributes: dict[str, str | int | float | bool | None] | None = None
    step: str | None = None
    value: float | None = None
    currency: str | None = None
    order: str | None = None
    trusted: bool | None = None


class PersonView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything stored about one person.

    Attributes:
        visitors, customers: all names that events have joined.
    """

    visitors: tuple[str, ...]
    customers: tuple[str, ...]
    exposures: tuple[PersonEventView, ...]
    conversions: tuple[PersonEventView, ...]
    refunds: tuple[PersonEventView, ...]
    identities: tuple[PersonEventView, ...]


def get_visitor(asked: Asked) -> Reply:
    """Answer with everything stored about the person."""
    return json_reply(person_view(show_person(asked.store, _name(asked), asked.caller)))


def delete_visitor(asked: Asked) -> Reply:
    """Erase the person; somebody unknown is erased already."""
    erase_person(asked.store, _name(asked), asked.caller, asked.now)
    return Reply(status=204)


def person_view(record: PersonRecord) -> PersonView:
    """Return what callers are sent of a person."""
    return PersonView(
        visitors=_names(record, NameKind.VISITOR),
        customers=_names(record, NameKind.CUSTOMER),
        exposures=_events(record, Exposure),
        conversions=_events(record, Conversion),
        refunds=_events(record, Refund),
        identities=_events(record, Identity),
    )


def _name(asked: Asked) -> PersonName:
    return person_name(asked.query.get("kind", "visitor"), asked.call.args["id"])


def _names(record: PersonRecord, kind: NameKind) -> tuple[str, ...]:
    return tuple(name.name for name in record.names if name.kind is kind)


def _events(record: PersonRecord, kind: type[Event]) -> tuple[PersonEventView, ...]:
    return tuple(_view(told) for told in record.events if isinstance(told.event, kind))


def _view(told: StoredEvent) -> PersonEventView:
    request = to_request(told.event)
    return PersonEventView(
        id=request.id or "",
        at=moment(told.event.at),
        received_at=moment(told.received_at),
        experiment=request.experiment,
        variant=request.variant,
        visitor=request.visitor,
        customer=request.customer,
        attributes=request.attributes,
        step=request.step,
        value=request.value,
        currency=request.currency,
        order=request.order,
        trusted=request.trusted,
    )
