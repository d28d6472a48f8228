"""The part of the store that shows, exports, erases and folds persons."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import monotonic, sleep

from abtest.domain.events import Event, Milliseconds
from abtest.domain.experiment import ExperimentKey
from abtest.domain.person import PersonName, PersonRecord
from abtest.store.lean_sqlite_utils import Database
from abtest.store.privacy_protocol import Erased, Folded, Retention, Space
from abtest.store.sqlite import persons, retention
from abtest.store.sqlite.config_tables import ConfigTables
from abtest.store.sqlite.erasure import clean, empty_log, erase, transact
from abtest.store.sqlite.folded import visitors_of
from abtest.store.sqlite.people import Person
from abtest.store.sqlite.retention import FOLDED_AT_ONCE, Horizon


class PrivacyTables(ConfigTables):
    """See `PrivacyStore` for what each method promises."""

    _path: Path

    def find_person(self, name: PersonName) -> PersonRecord | None:
        """Return everything stored about the person with this name."""

        def read(database: Database) -> PersonRecord | None:
            database.conn.execute("BEGIN")
            known = self._experiments.known(database)
            return persons.find_person(database.conn, known, name)

        return self._readers.read(read)

    def erase_person(self, name: PersonName) -> Erased:
        """Delete the person and every trace of the names."""

        def work(database: Database) -> tuple[Erased, tuple[PersonName, ...]]:
            done = erase(database, name)
            self._experiments.renew(database)
            return done

        erased, names = self._writer.alone(lambda db: transact(db, work))
        self._forget_visitors()
        clean(self._writer.alone, self._path, names)
        return erased

    def experiment_events(self, key: ExperimentKey) -> Iterator[Event]:
        """Give the raw events behind an experiment; `not_found`."""
        known = self._readers.read(self._experiments.known)
        number = known.number(key)
        last = 0
        while True:
            last, events = self._readers.read(
                partial(self._events_after, number=number, last=last)
            )
            if not last:
                break
            yield from events
        yield from self._readers.read(lambda db: persons.costs_of(db.conn, number, key))

    def retention(self) -> Retention:
        """Return the horizon and what was folded."""
        return self._lately()[0].retention

    def folded_visitors(self) -> Mapping[ExperimentKey, int]:
        """Return how many visitors are folded, by experiment that has any."""

        def read(database: Database) -> Mapping[ExperimentKey, int]:
            known = self._experiments.known(database)
            visitors = visitors_of(database.conn)
            return {known.keys[number]: count for number, count in visitors.items()}

        return self._readers.read(read)

    def fold(
        self, horizon: Milliseconds, *, is_rehearsal: bool = False
    ) -> Iterator[Folded]:
        """Delete old events and keep what they contribute to every sum."""
        horizon = max(horizon, self.retention().horizon or horizon)
        if not is_rehearsal:
            self._writer.alone(
                lambda db: transact(
                    db, lambda db: retention.begin(db, self._experiments, horizon)
                )
            )
            self._forget_visitors()
        known = self._readers.read(self._experiments.known)
        until = Horizon.of(horizon, known)
        last = 0
        while found := self._readers.read(partial(_next_persons, after=last)):
            last = found[-1]
            if is_rehearsal:
                yield self._readers.read(
                    partial(self._rehearse, found=found, until=until)
                )
            else:
                yield from self._fold(found, until)
        if not is_rehearsal:
            self._forget_visitors()

    def space(self) -> Space:
        """Return how large the files are."""

        def read(database: Database) -> Space:
            (size,) = database.conn.execute("PRAGMA page_size").fetchone()
            (free,) = database.conn.execute("PRAGMA freelist_count").fetchone()
            files = (self._path, self._path.with_name(f"{self._path.name}-wal"))
            total = sum(file.stat().st_size for file in files if file.exists())
            return Space(total=total, free=size * free)

        return self._readers.read(read)

    def compact(self) -> None:
        """Give free space back to the disk; others wait meanwhile."""
        self._writer.alone(lambda db: db.conn.execute("VACUUM"))
        empty_log(self._writer.alone)

    def _fold(self, found: Sequence[Person], until: Horizon) -> Iterator[Folded]:
        """Fold those who can be, in transactions that keep nobody waiting for long."""
        chosen = self._readers.read(
            lambda db: retention.foldable(db.conn, found, until)
        )
        left = len(found) - len(chosen)
        for start in range(0, len(chosen), FOLDED_AT_ONCE):
            some = chosen[start : start + FOLDED_AT_ONCE]
            began = monotonic()
            yield self._writer.alone(partial(self._fold_some, some=some, until=until))
            # As long again belongs to the writers of other processes.
            sleep(monotonic() - began)
        yield Folded(
            checked=left, persons=0, visitors=0, events=0, experiments=frozenset()
        )

    def _rehearse(
        self, database: Database, *, found: Sequence[Person], until: Horizon
    ) -> Folded:
        known = self._experiments.known(database)
        return retention.rehearse(database.conn, known, found, until)

    def _fold_some(
        self, database: Database, *, some: Sequence[Person], until: Horizon
    ) -> Folded:
        return transact(
            database, lambda db: retention.fold(db, self._experiments, some, until)
        )

    def _events_after(
        self, database: Database, *, number: int, last: int
    ) -> tuple[int, list[Event]]:
        database.conn.execute("BEGIN")
        known = self._experiments.known(database)
        return persons.events_after(database.conn, known, number, last)

    def _forget_visitors(self) -> None:
        """Drop what this process remembers of visitors, and of experiments."""
        self._lists.forget()
        self._exposures.forget()


def _next_persons(database: Database, *, after: int) -> list[Person]:
    return retention.next_persons(database.conn, after)
