"""Keeps a file's events until all are checked, and gives those of a person together."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from tempfile import TemporaryFile
from typing import IO
from zlib import crc32

from abtest.domain.events import Conversion, Cost, Event, Exposure, Identity
from abtest.errors import AbtestError, ErrorCode
from abtest.services.imports.drafts import Draft, Kind, append_to, finish, read
from abtest.services.imports.identity import told_apart

IN_MEMORY = 10_000
"""Events that are kept in memory, in the order of the file; more go to the disk."""

_PARTS = 64
"""A part is read at once: of ten million events, some 150,000."""

_Where = tuple[int, Kind]
"""Part and kind of events."""


class Spool:
    """The events of a file, in a temporary file when there are many.

    A store is several times faster with persons whose events come together, and so
    nothing is stored before the last row was checked. The same events in the same
    order are given in the same order whenever that is, which a resumed import needs.
    """

    def __init__(self) -> None:
        self.count = 0
        self._few: list[Draft] = []
        self._written: dict[_Where, bytearray] = defaultdict(bytearray)
        self._counts: dict[_Where, int] = defaultdict(int)
        self._pieces: dict[_Where, list[tuple[int, int]]] = defaultdict(list)
        self._file: IO[bytes] | None = None
        self._end = 0

    def close(self) -> None:
        """Release the temporary file."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()

    def add(self, draft: Draft) -> None:
        """Keep the event.

        Raises:
            AbtestError: `unavailable` when the temporary folder is full.
        """
        self.count += 1
        if self.count <= IN_MEMORY:
            self._few.append(draft)
            return
        if self._few:
            self._spread(self._few)
            self._few = []
        self._spread((draft,))
        if self.count % IN_MEMORY == 0:
            self._spill()

    def __iter__(self) -> Iterator[Event]:
        """Give all events; equal ones that may be repeated get ids of their own.

        Raises:
            AbtestError: as `add`.
        """
        if self.count <= IN_MEMORY:
            return told_apart(finish(self._few))
        file = self._spill()
        return chain.from_iterable(self._part(file, n) for n in range(_PARTS))

    def _spread(self, drafts: Iterable[Draft]) -> None:
        """Write each draft behind those of its part and kind."""
        for kind, whose, fields in drafts:
            where = crc32(whose.encode()) % _PARTS, kind
            append_to(self._written[where], fields)
            self._counts[where] += 1

    def _spill(self) -> IO[bytes]:
        """Move what was written to the end of the file; return the file."""
        try:
            if self._file is None:
                self._file = TemporaryFile(prefix="abtest-import-")  # noqa: SIM115 - `close` closes it
            self._file.seek(self._end)
            for where, written in self._written.items():
                self._file.write(written)
                self._pieces[where].append((self._end, len(written)))
                self._end += len(written)
            self._file.flush()
        except OSError as error:
            raise AbtestError(
                ErrorCode.UNAVAILABLE,
                "the events do not fit into the temporary folder"
                f" ({error.strerror}); nothing was stored. Free space, or name another"
                " folder with TMPDIR",
            ) from error
        self._written.clear()
        return self._file

    def _part(self, file: IO[bytes], number: int) -> Iterator[Event]:
        """Give the events of some persons, one person after the other."""
        events: list[Event] = []
        for (part, kind), count in self._counts.items():
            if part == number:
                pieces = self._pieces[part, kind]
                written = b"".join([_cut(file, *piece) for piece in pieces])
                events += read(kind, written, count)
        events.sort(key=_whose)
        return told_apart(events)


def _cut(file: IO[bytes], place: int, length: int) -> bytes:
    file.seek(place)
    return file.read(length)


def _whose(event: Event) -> str:
    """Say of an event what its draft said."""
    if isinstance(event, Conversion):
        return event.visitor or event.customer or ""
    if isinstance(event, Exposure | Identity):
        return event.visitor
    return "" if isinstance(event, Cost) else event.order
