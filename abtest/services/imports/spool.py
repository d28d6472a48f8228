"""Keeps a file's events until all are checked, and gives those of a person together."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from tempfile import TemporaryFile
from typing import IO
from zlib import crc32

import msgspec

from abtest.domain.events import Conversion, Cost, Event, Exposure, Identity, Refund
from abtest.errors import AbtestError, ErrorCode
from abtest.services.imports.identity import told_apart

IN_MEMORY = 50_000
"""Events that are kept in memory, in the order of the file; more go to the disk."""

_PARTS = 64
"""A part is read at once: of ten million events, some 150,000."""

_DECODERS: dict[type[Event], Callable[[bytes], Sequence[Event]]] = {
    Exposure: msgspec.msgpack.Decoder(list[Exposure]).decode,
    Conversion: msgspec.msgpack.Decoder(list[Conversion]).decode,
    Refund: msgspec.msgpack.Decoder(list[Refund]).decode,
    Identity: msgspec.msgpack.Decoder(list[Identity]).decode,
}

_Piece = tuple[type[Event], int, int]
"""Kind, place in the file and length of some events of a part."""


class Spool:
    """The events of a file, in a temporary file when there are many.

    A store is several times faster with persons whose events come together, and so
    nothing is stored before the last row was checked. The same events in the same
    order are given in the same order whenever that is, which a resumed import needs.
    """

    def __init__(self) -> None:
        self.count = 0
        self._recent: list[Event] = []
        self._parts: list[list[_Piece]] = [[] for _ in range(_PARTS)]
        self._file: IO[bytes] | None = None
        self._end = 0

    def close(self) -> None:
        """Release the temporary file."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()

    def add(self, event: Event) -> None:
        """Keep the event.

        Raises:
            AbtestError: `unavailable` when the temporary folder is full.
        """
        self.count += 1
        self._recent.append(event)
        if len(self._recent) >= IN_MEMORY:
            try:
                self._spill()
            except OSError as error:
                raise AbtestError(
                    ErrorCode.UNAVAILABLE,
                    "the events do not fit into the temporary folder"
                    f" ({error.strerror}); nothing was stored. Free space, or name"
                    " another folder with TMPDIR",
                ) from error

    def __iter__(self) -> Iterator[Event]:
        """Give all events; equal ones that may be repeated get ids of their own."""
        if self._file is None:
            return told_apart(self._recent)
        return chain.from_iterable(self._part(number) for number in range(_PARTS))

    def _spill(self) -> None:
        """Move what is in memory to the end of the file, part by part."""
        if self._file is None:
            self._file = TemporaryFile(prefix="abtest-import-")  # noqa: SIM115 - `close` closes it
        parts: dict[tuple[int, type[Event]], list[Event]] = {}
        for event in self._recent:
            parts.setdefault((_part_of(event), type(event)), []).append(event)
        for (number, kind), events in parts.items():
            data = msgspec.msgpack.encode(events)
            self._file.write(data)
            self._parts[number].append((kind, self._end, len(data)))
            self._end += len(data)
        self._file.flush()
        self._recent = []

    def _part(self, number: int) -> Iterator[Event]:
        """Give the events of some persons, one person after the other."""
        events = list(chain.from_iterable(map(self._read, self._parts[number])))
        events += [event for event in self._recent if _part_of(event) == number]
        events.sort(key=_whose)
        return told_apart(events)

    def _read(self, piece: _Piece) -> Sequence[Event]:
        kind, place, length = piece
        if self._file is None:
            return ()
        self._file.seek(place)
        return _DECODERS[kind](self._file.read(length))


def _part_of(event: Event) -> int:
    return crc32(_whose(event).encode()) % _PARTS


def _whose(event: Event) -> str:
    """Name the person, or the order when the event names none."""
    if isinstance(event, Conversion):
        return event.visitor or event.customer or ""
    if isinstance(event, Exposure | Identity):
        return event.visitor
    return "" if isinstance(event, Cost) else event.order
