"""Ids of events and visitors: what a caller's id becomes, and how new ones are made."""

import hashlib
import os
import re
import secrets
from collections import deque
from datetime import datetime
from uuid import UUID

from abtest.domain.events import EventId
from abtest.domain.visitor import to_milliseconds

_DRAWN_AT_ONCE = 512
"""To ask the system costs ten times what a draw does, and lets other threads go on."""

_drawn: deque[bytes] = deque()
os.register_at_fork(after_in_child=_drawn.clear)

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def to_event_id(text: str) -> EventId:
    """Turn a caller's id into sixteen bytes.

    A UUID in its usual form becomes its own bytes; any other text the first sixteen
    bytes of the SHA-256 of its UTF-8 bytes.
    """
    if _UUID.fullmatch(text):
        return EventId(bytes.fromhex(text.replace("-", "")))
    return EventId(hashlib.sha256(text.encode()).digest()[:16])


def new_id(now: datetime) -> EventId:
    """Make a UUID of version 7: ids made later sort later.

    References:
        RFC 9562, section 5.7: https://www.rfc-editor.org/rfc/rfc9562#section-5.7
    """
    milliseconds = to_milliseconds(now).to_bytes(6, "big")
    rest = bytearray(_draw())
    rest[0] = 0x70 | (rest[0] & 0x0F)
    rest[2] = 0x80 | (rest[2] & 0x3F)
    return EventId(milliseconds + bytes(rest))


def new_visitor_id(now: datetime) -> str:
    """Make an id for a visitor who has none, as the text of a UUID."""
    return str(UUID(bytes=bytes(new_id(now))))


def _draw() -> bytes:
    """Return ten random bytes that were not returned before."""
    while True:
        try:
            return _drawn.popleft()
        except IndexError:
            drawn = secrets.token_bytes(10 * _DRAWN_AT_ONCE)
            _drawn.extend(drawn[i : i + 10] for i in range(0, len(drawn), 10))
