"""The embedded store behind the `Store` contract."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from abtest.domain.events import Conversion, Event, Exposure, Milliseconds
from abtest.domain.experiment import ExperimentKey, VariantKey, VisitorId
from abtest.domain.quality import QualityMark
from abtest.domain.visitor import to_milliseconds
from abtest.errors import AbtestError, ErrorCode
from abtest.stats.moments import Moments
from abtest.store.condition import StoreCondition
from abtest.store.file_lock import FileLock, use_database
from abtest.store.lean_sqlite_utils import Database
from abtest.store.migrate import pending
from abtest.store.protocol import (
    Bookmark,
    DayActivity,
    Difference,
    ExperimentFacts,
    ExposureOutcome,
    Progress,
    RecordOutcome,
)
from abtest.store.sqlite import rebuild
from abtest.store.sqlite.bulk import Load, load
from abtest.store.sqlite.connection import Readers
from abtest.store.sqlite.experiments import Known
from abtest.store.sqlite.insights import Insights
from abtest.store.sqlite.integrity import read_condition, try_writing
from abtest.store.sqlite.privacy_tables import PrivacyTables
from abtest.store.sqlite.reading import (
    read_activities,
    read_activity,
    read_facts,
)
from abtest.store.sqlite.recording import (
    Batch,
    Wanted,
    expose,
    exposures_of,
    record,
)
from abtest.store.sqlite.rollup import read_moments
from abtest.store.sqlite.share_tables import ShareTables
from abtest.store.sqlite.tally import (
    DAY_MILLISECONDS,
    Counts,
    Tally,
    read_tally,
    unassigned_marks,
    write_tally,
)
from abtest.store.sqlite.writer import GroupCommit

T = TypeVar("T")


def open_store(
    path: Path, *, durability: str = "full", remembers: bool = False
) -> "SqliteStore":
    """Open the database, whose schema must be the one this version knows.

    Args:
        durability: `full` (an acknowledged event survives a power cut) or `normal`.
        remembers: keep what every request asks for in memory; what other processes
            change is then seen late by as much as `memory` says.

    Raises:
        AbtestError: `unavailable` when migrations are pending, when the database is
            newer than this version, or when it cannot be read.
    """
    if missing := pending(path):
        raise AbtestError(
            ErrorCode.UNAVAILABLE,
            f"the database {path} lacks {', '.join(missing)}; run `abtest migrate`",
        )
    return SqliteStore(
        path, durability=durability, remembers=remembers, lock=use_database(path)
    )


class SqliteStore(Insights, PrivacyTables, ShareTables):
    """One SQLite file; see `Store` for what each method promises.

    A process that forks opens no connection before the first call, so it may open
    the store first and fork then.
    """

    def __init__(
        self,
        path: Path,
        *,
        durability: str = "full",
        remembers: bool = False,
        lock: FileLock | None = None,
    ) -> None:
        if durability not in {"full", "normal"}:
            raise ValueError(f"durability is {durability!r}; it must be full or normal")
        super().__init__(
            Readers(path), GroupCommit(path, durability), remembers=remembers
        )
        self._path = path
        self._durability = durability
        self._lock = lock
        self._tally = Tally(lambda counts: self._writer.write(self._add_tally, counts))

    def record(self, batch: Sequence[Event], *, received_at: datetime) -> RecordOutcome:
        """Store the batch in one transaction; durable when this returns.

        Raises:
            AbtestError: `not_found` for an exposure in an unknown experiment.
        """
        request = Batch(events=batch, received_at=to_milliseconds(received_at))
        is_new = self._writer.write(self._record, request, weight=len(batch))
        outcome = RecordOutcome(is_new=is_new)
        for event in batch:
            if isinstance(event, Exposure):
                self._exposures.drop(event.visitor)
        return outcome

    def load(
        self, batch: Sequence[Event], *, received_at: datetime, bookmark: Bookmark
    ) -> RecordOutcome:
        """Do what `record` does and put the bookmark, in one transaction.

        Raises:
            AbtestError: as `record`.
        """
        at = to_milliseconds(received_at)
        request = Load(events=batch, received_at=at, bookmark=bookmark)
        is_new = self._writer.write(self._load, request, weight=len(batch))
        outcome = RecordOutcome(is_new=is_new)
        self._exposures.forget()
        return outcome

    def expose(
        self, visitor: VisitorId, wanted: Sequence[Exposure], *, received_at: datetime
    ) -> Mapping[ExperimentKey, ExposureOutcome]:
        """Store each wanted exposure unless the visitor has one there.

        Raises:
            AbtestError: `not_found` for an unknown experiment.
        """
        at = to_milliseconds(received_at)
        request = Wanted(visitor=visitor, exposures=wanted, received_at=at)
        held = self._writer.write(self._expose, request)
        self._exposures.drop(visitor)
        return held

    def find_exposures(self, visitor: VisitorId) -> Mapping[ExperimentKey, VariantKey]:
        """Return the variant of the visitor's own first exposure per experiment."""
        return self._exposures.get(visitor, self._find_exposures)

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

    def activity(self, key: ExperimentKey) -> tuple[DayActivity, ...]:
        """Return the days on which something happened, in order; `not_found`."""
        return self._consistently(key, read_activity)

    def activities(self) -> Mapping[ExperimentKey, tuple[DayActivity, ...]]:
        """Return the activity of every experiment, as of one moment."""
        return self._at_once(read_activities)

    def rebuild(self) -> Iterator[Progress]:
        """Recompute everything derived, while consumed and while others write."""
        return rebuild.rebuild(self._path, self._durability)

    def verify(self) -> Iterator[Progress | Difference]:
        """Compare everything derived with the raw events; changes nothing."""
        return rebuild.verify(self._path)

    def check_writable(self) -> None:
        """Write and roll back; `unavailable` says why it cannot."""
        try_writing(self._path)

    def condition(self) -> StoreCondition:
        """Tell how the file, its log and the disk are."""
        return read_condition(self._path)

    def tally(self, day: int, counts: Mapping[QualityMark, int]) -> None:
        """Add to the counts of the day; they are stored within a second."""
        self._tally.add(day, counts)

    def read_tally(
        self, key: ExperimentKey | None, *, since: int
    ) -> Mapping[int, Mapping[QualityMark, int]]:
        """Return the counts of each day from `since` on; `not_found`."""

        def read(database: Database) -> Counts:
            return read_tally(database, self._experiments.known(database), key, since)

        counts = self._tally.including(lambda: self._readers.read(read))
        days: dict[int, dict[QualityMark, int]] = {}
        for (day, mark), count in counts.items():
            if day >= since and mark.experiment == key:
                days.setdefault(day, {})[mark] = count
        return days

    def close(self) -> None:
        """Finish what was accepted and release the files."""
        self._tally.close()
        self._writer.close()
        self._readers.close()
        if self._lock is not None:
            self._lock.close()

    def _find_exposures(self, visitor: VisitorId) -> Mapping[ExperimentKey, VariantKey]:
        return self._readers.read(lambda db: exposures_of(db.conn, visitor))

    def _record(
        self, database: Database, batches: Sequence[Batch]
    ) -> list[tuple[bool, ...]]:
        known = self._experiments.known(database)
        unassigned: list[Conversion] = []
        flags = record(database.conn, known, batches, unassigned=unassigned)
        self._count_unassigned(known, unassigned, batches[-1].received_at)
        return flags

    def _load(
        self, database: Database, requests: Sequence[Load]
    ) -> list[tuple[bool, ...]]:
        known = self._experiments.known(database)
        unassigned: list[Conversion] = []
        flags = [
            load(database.conn, known, request, unassigned=unassigned)
            for request in requests
        ]
        self._count_unassigned(known, unassigned, requests[-1].received_at)
        return flags

    def _count_unassigned(
        self, known: Known, conversions: Sequence[Conversion], received_at: Milliseconds
    ) -> None:
        if conversions:
            marks = unassigned_marks(known, conversions)
            self._tally.add(received_at // DAY_MILLISECONDS, marks)

    def _add_tally(
        self, database: Database, requests: Sequence[Counts]
    ) -> Sequence[None]:
        known = self._experiments.known(database)
        for counts in requests:
            write_tally(database, known, counts)
        return [None] * len(requests)

    def _expose(
        self, database: Database, requests: Sequence[Wanted]
    ) -> list[dict[ExperimentKey, ExposureOutcome]]:
        return expose(database.conn, self._experiments.known(database), requests)

    def _consistently(
        self,
        key: ExperimentKey,
        work: Callable[[sqlite3.Connection, Known, int], T],
    ) -> T:
        """Let the work read several tables of one experiment as of one moment."""
        return self._at_once(
            lambda connection, known: work(connection, known, known.number(key))
        )

    def _at_once(self, work: Callable[[sqlite3.Connection, Known], T]) -> T:
        def read(database: Database) -> T:
            database.conn.execute("BEGIN")
            answer = work(database.conn, self._experiments.known(database))
            database.conn.execute("COMMIT")
            return answer

        return self._readers.read(read)
