"""Gives imported events ids that are the same whenever a row is imported again."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b

from abtest.domain.events import Conversion, Event, EventId, Milliseconds, Refund

_HASHED = 10
_KEPT = ~(0xF0 << 72 | 0xC0 << 56)
_VERSION_8 = 0x80 << 72 | 0x80 << 56
"""The bits of the last ten bytes that say what kind of UUID it is."""


class EventNames:
    """Makes event ids from what a row says, not from its file or place in it.

    A second import of the same rows, of a longer file, or of the same rows in another
    order finds the same ids.
    """

    def single(self, at: Milliseconds, *said: str) -> EventId:
        """Return the id of an event that can happen once only.

        The time comes first, as UUID version 8: ids in time order are stored faster.
        """
        # No text may hold the separator: control characters are refused in ids.
        joined = "\x1f".join(said).encode()
        digest = int.from_bytes(blake2b(joined, digest_size=_HASHED).digest(), "big")
        rest = digest & _KEPT | _VERSION_8
        return EventId((at << 8 * _HASHED | rest).to_bytes(16, "big"))

    def repeatable(self, event: Conversion | Refund, again: int = 0) -> EventId:
        """Return the id of an event of which several equal ones may exist.

        Args:
            again: how many equal ones there were before.
        """
        said = [str(event.value), *([str(again)] if again else [])]
        if isinstance(event, Refund):
            return self.single(event.at, "refund", event.order, *said)
        who = event.visitor or "", event.customer or ""
        return self.single(event.at, "conversion", *who, event.step, *said)


def told_apart(events: Sequence[Event]) -> Iterator[Event]:
    """Give equal events that may be repeated ids of their own, and return all.

    Rows that say exactly the same are told apart by their number among themselves, so
    that two equal purchases of one day both count.
    """
    if len({event.id for event in events}) == len(events):
        return iter(events)
    return _numbered(events)


def _numbered(events: Sequence[Event]) -> Iterator[Event]:
    names, seen = EventNames(), Counter[EventId]()
    for event in events:
        again = seen[event.id]
        seen[event.id] += 1
        if (
            again
            and isinstance(event, Conversion | Refund)
            # Ids of the file's own, or with an order number, name one event for ever.
            and event.id == names.repeatable(event)
        ):
            yield replace(event, id=names.repeatable(event, again))
        else:
            yield event
