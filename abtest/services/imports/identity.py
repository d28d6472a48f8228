"""Gives imported events ids that are the same whenever a row is imported again."""

from collections import Counter
from hashlib import blake2b

from abtest.domain.events import EventId, Milliseconds


class EventNames:
    """Makes event ids from what a row says, not from its file or place in it.

    A second import of the same rows, of a longer file, or of the same rows in another
    order finds the same ids. Rows that say exactly the same are told apart by their
    number among themselves, so that two equal purchases of one day both count.
    """

    def __init__(self) -> None:
        self._seen: Counter[bytes] = Counter()

    def single(self, at: Milliseconds, *said: str) -> EventId:
        """Return the id of an event that can happen once only."""
        return _timed(at, _digest(said))

    def repeatable(self, at: Milliseconds, *said: str) -> EventId:
        """Return the id of an event of which several equal ones may exist."""
        digest = _digest((str(at), *said))
        again = self._seen[digest]
        self._seen[digest] = again + 1
        return _timed(at, _digest((*said, str(again))) if again else _digest(said))


def _digest(said: tuple[str, ...]) -> bytes:
    return blake2b(_joined(said), digest_size=10).digest()


def _joined(said: tuple[str, ...]) -> bytes:
    # No text may hold the separator: control characters are refused in ids.
    return "\x1f".join(said).encode()


def _timed(at: Milliseconds, digest: bytes) -> EventId:
    """Put the time first, as UUID version 8: ids in time order are stored faster."""
    rest = bytearray(digest)
    rest[0] = 0x80 | rest[0] & 0x0F
    rest[2] = 0x80 | rest[2] & 0x3F
    return EventId(at.to_bytes(6, "big") + bytes(rest))
