"""Clients in threads that send batches until each is acknowledged, and note which."""

import http.client
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from abtest.services.identifiers import to_event_id
from tests.faults.serving import Connection, Server

SIZE = 10
"""Events in a batch."""

RETRIED = frozenset({429, 502, 503, 504})
"""After these answers a client sends the same again."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A few visitors, half of whom buy."""

    name: str

    @property
    def ids(self) -> list[str]:
        return [f"{self.name}-{i}" for i in range(SIZE)]

    @property
    def body(self) -> dict[str, object]:
        return {"events": [self._event(i) for i in range(SIZE)]}

    def _event(self, i: int) -> dict[str, object]:
        told: dict[str, object] = {
            "id": f"{self.name}-{i}",
            "visitor": f"{self.name}-{i // 2}",
        }
        if i % 2:
            return {**told, "type": "conversion", "step": "purchase"}
        return {**told, "type": "exposure", "experiment": "home", "variant": "a"}


@dataclass(slots=True)
class Journal:
    """What the clients saw.

    Attributes:
        acknowledged: batches answered 200.
        open: batches sent whose answer is not known, by client.
        statuses: how often each answer was given.
        broken: how often there was none.
        refused: answers after which a client would give up; there should be none.
        slowest: seconds until an answer.
    """

    acknowledged: list[Batch] = field(default_factory=list)
    open: dict[str, Batch] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    refused: list[Any] = field(default_factory=list)
    slowest: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def note(self, batch: Batch, connection: Connection, client: str) -> bool:
        """Send the batch; return whether it was acknowledged."""
        self.open[client] = batch
        try:
            answer = connection.ask("POST", "/api/v1/events", batch.body)
        except (OSError, http.client.HTTPException):
            with self._lock:
                self.broken += 1
            return False
        with self._lock:
            self.statuses[answer.status] += 1
            self.slowest = max(self.slowest, answer.seconds)
            if answer.status in RETRIED:
                return False
            told = answer.content or {}
            whole = (told.get("accepted"), told.get("duplicates")) in {
                (SIZE, 0),
                (0, SIZE),
            }
            if answer.status != 200 or not whole:
                self.refused.append((answer.status, told))
            self.acknowledged.append(batch)
            del self.open[client]
        return True


class Clients:
    """Several clients who send one batch after the other."""

    def __init__(
        self, server: Server, name: str, *, count: int = 8, pause: float = 0.05
    ) -> None:
        self.journal = Journal()
        self._ending = Event()
        self._pause = pause
        self._threads = [
            Thread(target=self._send, args=(server, f"{name}-{n}"))
            for n in range(count)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Let everybody finish the answer that is waited for."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _send(self, server: Server, client: str) -> None:
        number = 0
        batch = Batch(f"{client}-{number}")
        with server.connection() as connection:
            while not self._ending.is_set():
                if self.journal.note(batch, connection, client):
                    number += 1
                    batch = Batch(f"{client}-{number}")
                else:
                    self._ending.wait(self._pause)


@contextmanager
def sending(server: Server, name: str, *, count: int = 8) -> Iterator[Journal]:
    """Send meanwhile; nobody sends any more afterwards."""
    clients = Clients(server, name, count=count)
    clients.start()
    try:
        yield clients.journal
    finally:
        clients.end()


def stored(database: Path, batches: Iterable[Batch]) -> dict[Batch, int]:
    """Return how many events of each batch are in the database."""
    marks = ",".join("?" * SIZE)
    with closing(sqlite3.connect(database)) as connection:
        return {
            batch: connection.execute(
                f"SELECT count(*) FROM event WHERE id IN ({marks})",  # noqa: S608 - marks
                [to_event_id(id_) for id_ in batch.ids],
            ).fetchone()[0]
            for batch in batches
        }


def count_events(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        count: int = connection.execute("SELECT count(*) FROM event").fetchone()[0]
        return count


def send_again(server: Server, batches: Sequence[Batch]) -> tuple[int, int]:
    """Send once more; return how many events were new and how many known."""
    new = known = 0
    with server.connection() as connection:
        for batch in batches:
            answer = connection.ask("POST", "/api/v1/events", batch.body)
            assert answer.status == 200, answer
            new += answer.content["accepted"]
            known += answer.content["duplicates"]
    return new, known
