"""Recording what visitors did: each event is kept, known already, or refused."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from abtest.domain.access import Right
from abtest.domain.events import Event
from abtest.errors import AbtestError, FieldError
from abtest.services.access import Caller, require
from abtest.services.catalogue import catalogue_of
from abtest.services.checks import MAX_SHOWN
from abtest.services.event_rules import EventReader, EventRequest
from abtest.services.quality import tally_batch
from abtest.store.protocol import RecordOutcome, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why one event was not kept.

    Attributes:
        index: its place in the batch.
        id: its id as told, shortened.
        field: the field that is wrong, without a leading slash.
    """

    index: int
    id: str | None
    code: str
    field: str
    detail: str

    @classmethod
    def of(cls, index: int, event_id: str | None, complaint: FieldError) -> "Rejection":
        """Take the complaint about the event's field."""
        return cls(
            index=index,
            id=event_id and event_id[:MAX_SHOWN],
            code=complaint.code,
            field=complaint.pointer.removeprefix("/"),
            detail=complaint.detail,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordResult:
    """What became of a batch."""

    accepted: int
    duplicates: int
    rejected: tuple[Rejection, ...]


def record_events(
    store: Store,
    events: Iterable[EventRequest | Rejection],
    caller: Caller,
    now: datetime,
    *,
    sent_at: datetime | None = None,
) -> RecordResult:
    """Store the valid events of a batch; durable when this returns.

    Args:
        events: requests in order; one that could not even be read comes as its
            rejection.
        caller: whose rights decide which types and times are taken.
        now: when the call came in.
        sent_at: when it was sent by the sender's own clock, which corrects the times
            of its events; aware.

    Raises:
        AbtestError: `not_allowed`; `unavailable`, and then nothing was stored.
    """
    require(caller, Right.RECORD)
    reader = EventReader(
        catalogue=catalogue_of(store.list_experiments()),
        is_trusted=caller.is_trusted,
        now=now,
        clock_error=timedelta(0) if sent_at is None else now - sent_at,
        retention=store.retention(),
    )
    kept: list[tuple[EventRequest, Event]] = []
    rejected: list[Rejection] = []
    refused: list[tuple[EventRequest | None, str]] = []
    for index, request in enumerate(events):
        if isinstance(request, Rejection):
            rejected.append(request)
            refused.append((None, request.code))
            continue
        try:
            kept.append((request, reader.read(request)))
        except AbtestError as error:
            rejected.append(Rejection.of(index, request.id, error.errors[0]))
            refused.append((request, rejected[-1].code))
    batch = [event for _, event in kept]
    outcome = store.record(batch, received_at=now) if batch else RecordOutcome()
    tally_batch(
        store,
        reader.catalogue,
        kept,
        outcome.is_new,
        rejected=refused,
        is_trusted=reader.is_trusted,
        clock_error=reader.clock_error,
        now=now,
    )
    return RecordResult(
        accepted=outcome.accepted,
        duplicates=outcome.duplicates,
        rejected=tuple(rejected),
    )
