"""What is known of one person: names on devices and in shops, and events."""

from dataclasses import dataclass
from enum import StrEnum

from abtest.domain.events import Event, Milliseconds


class NameKind(StrEnum):
    """What a name stands for."""

    VISITOR = "visitor"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonName:
    """A visitor id (a device) or a customer id (an account)."""

    kind: NameKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event and when it came in."""

    event: Event
    received_at: Milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRecord:
    """Everything that is stored about one person.

    Attributes:
        names: all that events have joined, in the order in which they came.
        events: in time order; refunds are those of the person's orders.
    """

    names: tuple[PersonName, ...]
    events: tuple[StoredEvent, ...]
