"""Events as they were told: what `POST /api/v1/events` takes, it can be given back."""

import json
from datetime import UTC, datetime
from typing import assert_never
from uuid import UUID

from abtest.domain.events import (
    Conversion,
    Cost,
    Event,
    Exposure,
    Identity,
    Milliseconds,
    Refund,
)
from abtest.domain.money import to_major
from abtest.services.event_rules import EventRequest, EventType


def to_request(event: Event) -> EventRequest:
    """Return the request that records this very event when a server key sends it."""
    told = EventRequest(id=str(UUID(bytes=bytes(event.id))), at=moment(event.at))
    if not isinstance(event, Exposure | Cost) and not event.trusted:
        told.trusted = False
    match event:
        case Exposure():
            told.type = EventType.EXPOSURE.value
            told.visitor = event.visitor
            told.experiment = event.experiment
            told.variant = event.variant
            if event.attributes_json is not None:
                told.attributes = json.loads(event.attributes_json)
        case Conversion():
            told.type = EventType.CONVERSION.value
            told.visitor = event.visitor
            told.customer = event.customer
            told.step = event.step
            told.value = _major(event.value, event.currency)
            told.currency = event.currency
            told.order = event.order
        case Refund():
            told.type = EventType.REFUND.value
            told.order = event.order
            told.value = _major(event.value, event.currency)
            told.currency = event.currency
        case Identity():
            told.type = EventType.IDENTIFY.value
            told.visitor = event.visitor
            told.customer = event.customer
        case Cost():
            told.type = EventType.COST.value
            told.experiment = event.experiment
            told.source = event.source
            told.day = event.day
            told.amount = _major(event.amount, event.currency)
            told.currency = event.currency
        case _ as unknown:
            assert_never(unknown)
    return told


def moment(at: Milliseconds) -> datetime:
    """Turn milliseconds since 1970 into an aware time, exactly."""
    return datetime.fromtimestamp(at // 1000, UTC).replace(microsecond=at % 1000 * 1000)


def _major(minor: int | None, currency: str | None) -> float | None:
    return None if minor is None else to_major(minor, currency)
