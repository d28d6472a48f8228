"""The embedded store behind the `Store` contract."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from abtest.domain.events import Event, Exposure
from abtest.domain.experiment import ExperimentKey, VariantKey, VisitorId
from abtest.domain.visitor import to_milliseconds
from abtest.errors import AbtestError, ErrorCode
from abtest.stats.moments import Moments
from abtest.store.lean_sqlite_utils import Database
from abtest.store.migrate import pending
from abtest.store.protocol import (
    Difference,
    ExperimentFacts,
    ExposureOutcome,
    Progress,
    RecordOutcome,
)
from abtest.store.sqlite import rebuild
from abtest.store.sqlite.config_tables import ConfigTables
from abtest.store.sqlite.connection import Readers
from abtest.store.sqlite.experiments import Known
from abtest.store.sqlite.integrity import try_writing
from abtest.store.sqlite.reading import read_facts
from abtest.store.sqlite.recording import (
    Batch,
    Wanted,
    expose,
    find_exposures,
    record,
)
from abtest.store.sqlite.rollup import read_moments
from abtest.store.sqlite.writer import GroupCommit

T = TypeVar("T")


def open_store(path: Path, *, durability: str = "full") -> "SqliteStore":
    """Open the database, whose schema must be the one this version knows.

    Args:
        durability: `full` (an acknowledged event survives a power cut) or `normal`.

    Raises:
        AbtestError: `unavailable` when migrations are pending, when the database is
            newer than this version, or when it cannot be read.
    """
    if missing := pending(path):
        raise AbtestError(
            ErrorCode.UNAVAILABLE,
            f"the database {path} lacks {', '.join(missing)}; run `abtest migrate`",
        )
    return SqliteStore(path, durability=durability)


class SqliteStore(ConfigTables):
    """One SQLite file; see `Store` for what each method promises.

    A process that forks opens no connection before the first call, so it may open
    the store first and fork then.
    """

    def __init__(self, path: Path, *, durability: str = "full") -> None:
        if durability not in {"full", "normal"}:
            raise ValueError(f"durability is {durability!r}; it must be full or normal")
        super().__init__(Readers(path), GroupCommit(path, durability))
        self._path = path
        self._durability = durability

    def record(self, batch: Sequence[Event], *, received_at: datetime) -> RecordOutcome:
        """Store the batch in one transaction; durable when this returns.

        Raises:
            AbtestError: `not_found` for an exposure in an unknown experiment.
        """
        request = Batch(events=batch, received_at=to_milliseconds(received_at))
        return RecordOutcome(is_new=self._writer.write(self._record, request))

    def expose(
        self, visitor: VisitorId, wanted: Sequence[Exposure], *, received_at: datetime
    ) -> Mapping[ExperimentKey, ExposureOutcome]:
        """Store each wanted exposure unless the visitor has one there.

        Raises:
            AbtestError: `not_found` for an unknown experiment.
        """
        at = to_milliseconds(received_at)
        request = Wanted(visitor=visitor, exposures=wanted, received_at=at)
        return self._writer.write(self._expose, request)

    def find_exposures(self, visitor: VisitorId) -> Mapping[ExperimentKey, VariantKey]:
        """Return the variant of the visitor's own first exposure per experiment."""
        found = self._readers.read(lambda db: find_exposures(db.conn, [visitor]))
        return found[visitor]

    def moments(self, key: ExperimentKey) -> Mapping[VariantKey, Moments]:
        """Return the sufficient statistics; `not_found`."""

        def work(
            connection: sqlite3.Connection, _: Known, number: int
        ) -> Mapping[VariantKey, Moments]:
            return read_moments(connection, number)

        return self._consistently(key, work)

    def facts(self, key: ExperimentKey) -> ExperimentFacts:
        """Return facts for the health checks; `not_found`."""
        return self._consistently(key, read_facts)

    def rebuild(self) -> Iterator[Progress]:
        """Recompute everything derived, in one transaction, while consumed."""
        return rebuild.rebuild(self._path, self._durability)

    def verify(self) -> Iterator[Progress | Difference]:
        """Compare everything derived with the raw events; changes nothing."""
        return rebuild.verify(self._path)

    def check_writable(self) -> None:
        """Write and roll back; `unavailable` says why it cannot."""
        try_writing(self._path)

    def close(self) -> None:
        """Finish what was accepted and release the files."""
        self._writer.close()
        self._readers.close()

    def _record(
        self, database: Database, batches: Sequence[Batch]
    ) -> list[tuple[bool, ...]]:
        return record(database.conn, self._experiments.known(database), batches)

    def _expose(
        self, database: Database, requests: Sequence[Wanted]
    ) -> list[dict[ExperimentKey, ExposureOutcome]]:
        return expose(database.conn, self._experiments.known(database), requests)

    def _consistently(
        self,
        key: ExperimentKey,
        work: Callable[[sqlite3.Connection, Known, int], T],
    ) -> T:
        """Let the work read several tables as of one moment."""

        def read(database: Database) -> T:
            database.conn.execute("BEGIN")
            known = self._experiments.known(database)
            answer = work(database.conn, known, known.number(key))
            database.conn.execute("COMMIT")
            return answer

        return self._readers.read(read)
