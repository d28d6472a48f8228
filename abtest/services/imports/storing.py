"""Stores the events of a file batch by batch, and goes on where it was broken off."""

from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from time import perf_counter, sleep

from abtest.domain.events import Event
from abtest.services.imports.spool import Spool
from abtest.services.imports.summary import Tally
from abtest.store.protocol import Bookmark, Store

BATCH = 20_000
"""Events of one transaction: about half a second."""

BATCH_BESIDE_SERVICE = 3_000
_FEWEST = 500
_SECONDS = 0.15
"""How long a service may wait for a transaction; on a busy machine it gets smaller."""

_PAUSE = 0.12
"""Seconds for others; who waits for SQLite's lock looks ten times in one."""


class Trail:
    """The events stored so far, as the number of them and a digest of their ids.

    Whatever else was changed (the file, its name, the mapping): who has stored events
    with these ids may leave them out, because a second time they would change nothing.
    """

    def __init__(self) -> None:
        self.events = 0
        self._ids = blake2b(digest_size=16)

    def follow(self, batch: list[Event]) -> None:
        """Add the ids of the events."""
        self.events += len(batch)
        self._ids.update(b"".join([event.id for event in batch]))

    def __str__(self) -> str:
        """Write it as it is kept in the store."""
        return f"{self.events} {self._ids.hexdigest()}"


def store_events(
    store: Store,
    spool: Spool,
    tally: Tally,
    *,
    bookmark: str,
    received_at: datetime,
    batch_size: int | None,
    is_served: Callable[[], bool],
    on_stored: Callable[[int], None],
) -> None:
    """Store all events of the spool, those aside that an earlier run has stored.

    Args:
        bookmark: the setting that remembers how far it has come. It changes in the
            transaction of each batch and is gone with the last.
        batch_size: events of one transaction; None for what suits the circumstances.
        is_served: tells whether a service writes into the same database now. It gets
            its turn several times a second.
        on_stored: is told at first and after each batch how many events are stored.
    """
    trail, events = _beginning(spool, store.get_setting(bookmark))
    tally.resumed_at = tally.duplicates = trail.events
    on_stored(trail.events)
    pace = _Pace(batch_size, is_served)
    while batch := list(islice(events, pace.size)):
        trail.follow(batch)
        began = perf_counter()
        is_last = trail.events == spool.count
        outcome = store.load(
            batch,
            received_at=received_at,
            bookmark=Bookmark(name=bookmark, value=None if is_last else str(trail)),
        )
        tally.accepted += outcome.accepted
        tally.duplicates += outcome.duplicates
        on_stored(trail.events)
        if not is_last:
            pace.rest(len(batch), perf_counter() - began)
    if trail.events == tally.resumed_at:
        store.put_setting(bookmark, None)


class _Pace:
    """How many events a transaction has, and when others get their turn.

    Attributes:
        size: events of the next transaction.
    """

    def __init__(self, fixed: int | None, is_served: Callable[[], bool]) -> None:
        self._fixed = fixed
        self._is_served = is_served
        self.size = fixed or (BATCH_BESIDE_SERVICE if is_served() else BATCH)

    def rest(self, events: int, seconds: float) -> None:
        """Let a service write, after so many events took so long."""
        if self._is_served():
            possible = max(_FEWEST, int(_SECONDS * events / max(seconds, 1e-9)))
            self.size = self._fixed or min(BATCH_BESIDE_SERVICE, possible)
            sleep(_PAUSE)
        else:
            self.size = self._fixed or BATCH


def _beginning(spool: Spool, kept: str | None) -> tuple[Trail, Iterator[Event]]:
    """Return where to begin: after what is stored if it is the same, else at once."""
    trail, events = Trail(), iter(spool)
    if kept is None:
        return trail, events
    stored = int(kept.partition(" ")[0])
    while batch := list(islice(events, min(BATCH, stored - trail.events))):
        trail.follow(batch)
    if str(trail) == kept:
        return trail, events
    return Trail(), iter(spool)
