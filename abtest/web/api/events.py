"""POST /api/v1/events: what visitors did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec

from abtest.domain.access import Right
from abtest.errors import AbtestError, ErrorCode, invalid_field
from abtest.services.event_rules import EventRequest
from abtest.services.recording import Rejection, record_events
from abtest.web.api.decoding import complain, decode, parse
from abtest.web.context import Context
from abtest.web.exchange import Call, Reply, json_reply
from abtest.web.security import authorize_publicly, public_key_in

MAX_EVENTS = 500


@dataclass(slots=True, kw_only=True)
class EventsBody(EventRequest):
    """One event, or a list of them in `events`.

    Attributes:
        sent_at: when it was sent, by the sender's clock; corrects the events' times.
        key: a publishable key, where no header can be set.
    """

    events: list[EventRequest] | None = None
    sent_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    key: str | None = None


class _Envelope(msgspec.Struct, frozen=True):
    """All of a body but its events."""

    sent_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    events: Sequence[EventRequest | Rejection]
    sent_at: datetime | None
    key: str | None


_DECODER = msgspec.json.Decoder(EventsBody)
_ENVELOPE = msgspec.json.Decoder(_Envelope)


def answer_events(context: Context, call: Call) -> Reply:
    """Record the events and say what became of each."""
    batch = _read(call.body)
    store = context.store
    key = batch.key or public_key_in(call)
    caller = authorize_publicly(store, call, Right.RECORD, key)
    result = record_events(
        store, batch.events, caller, context.now(), sent_at=batch.sent_at
    )
    context.metrics.count_events(
        accepted=result.accepted,
        duplicates=result.duplicates,
        rejected=len(result.rejected),
    )
    return json_reply(result)


def _read(content: bytes) -> _Batch:
    """Read a body; an event that is not right stands there as its rejection.

    Raises:
        AbtestError: `invalid` when the body as a whole is not right; `too_large`.
    """
    try:
        body = _DECODER.decode(content)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        batch = _read_one_by_one(content)
    else:
        events = [body] if body.events is None else body.events
        batch = _Batch(events=events, sent_at=body.sent_at, key=body.key)
    if len(batch.events) > MAX_EVENTS:
        raise AbtestError(
            ErrorCode.TOO_LARGE,
            f"{len(batch.events)} events were sent; send at most {MAX_EVENTS} a call",
        )
    return batch


def _read_one_by_one(content: bytes) -> _Batch:
    """Read what is right of a body that is not right as a whole."""
    told = parse(content)
    envelope = decode(content, _ENVELOPE)
    events = told.get("events", [told]) if isinstance(told, dict) else None
    if not isinstance(events, list):
        raise invalid_field(
            "/events",
            "invalid_type",
            'the body is no list of events; send {"events": [...]} or one event',
        )
    return _Batch(
        events=[_event(index, event) for index, event in enumerate(events)],
        sent_at=envelope.sent_at,
        key=envelope.key,
    )


def _event(index: int, told: object) -> EventRequest | Rejection:
    try:
        return msgspec.convert(told, EventRequest)
    except msgspec.ValidationError as error:
        event_id = told.get("id") if isinstance(told, dict) else None
        return Rejection.of(
            index,
            event_id if isinstance(event_id, str) else None,
            complain(str(error), told),
        )
