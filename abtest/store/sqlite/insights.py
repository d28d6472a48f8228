"""Questions beyond the verdict, answered by going through raw events."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from abtest.domain.events import Milliseconds
from abtest.domain.experiment import ExperimentKey, VariantKey
from abtest.domain.funnel import StepKey
from abtest.domain.purchases import CreditedPurchases
from abtest.domain.traffic import CostSum, Traffic
from abtest.stats.moments import Moments
from abtest.store.lean_sqlite_utils import Database
from abtest.store.sqlite.config_tables import ConfigTables
from abtest.store.sqlite.connection import connect, translated
from abtest.store.sqlite.experiments import Known
from abtest.store.sqlite.purchases import read_purchases
from abtest.store.sqlite.segments import (
    read_segment_attributes,
    read_segment_moments,
)
from abtest.store.sqlite.traffic import count_received, read_costs, read_traffic

T = TypeVar("T")


class Insights(ConfigTables):
    """The part of the store that explains; see `InsightStore`."""

    _path: Path

    def purchases(self, key: ExperimentKey) -> Iterator[CreditedPurchases]:
        """Give what each credited visitor bought, one by one; `not_found`."""
        self.get_experiment(key)
        return self._purchases(key)

    def traffic(
        self,
        steps: Sequence[StepKey],
        *,
        since: Milliseconds,
        until: Milliseconds,
        currency: str | None,
    ) -> Traffic:
        """Return what all persons did from `since` to before `until`."""
        return self._as_of_now(
            lambda connection, _: read_traffic(
                connection, steps, since=since, until=until, currency=currency
            )
        )

    def costs(self, key: ExperimentKey | None = None) -> tuple[CostSum, ...]:
        """Return what was spent, in order; `not_found`."""
        return self._as_of_now(
            lambda connection, known: read_costs(
                connection, known, None if key is None else known.number(key)
            )
        )

    def segment_moments(
        self, key: ExperimentKey, attribute: str
    ) -> Mapping[str, Mapping[VariantKey, Moments]]:
        """Return the sums by the value of an attribute; `not_found`."""
        return self._as_of_now(
            lambda connection, known: read_segment_moments(
                connection, known.number(key), attribute
            )
        )

    def received_since(self, moment: Milliseconds) -> int:
        """Return how many events came in from a moment on."""
        return self._readers.read(lambda db: count_received(db.conn, moment))

    def segment_attributes(self, key: ExperimentKey) -> tuple[str, ...]:
        """Return names of attributes among recent exposures, sorted; `not_found`."""
        return self._as_of_now(
            lambda connection, known: read_segment_attributes(
                connection, known.number(key)
            )
        )

    def _purchases(self, key: ExperimentKey) -> Iterator[CreditedPurchases]:
        database = None
        try:
            database = connect(self._path)
            database.conn.execute("BEGIN")
            known = self._experiments.known(database)
            yield from read_purchases(database.conn, known, known.number(key))
        except sqlite3.Error as error:
            raise translated(error, self._path) from error
        finally:
            if database is not None:
                database.rollback()
                database.close()

    def _as_of_now(self, work: Callable[[sqlite3.Connection, Known], T]) -> T:
        """Let the work read several tables as of one moment."""

        def read(database: Database) -> T:
            database.conn.execute("BEGIN")
            answer = work(database.conn, self._experiments.known(database))
            database.conn.execute("COMMIT")
            return answer

        return self._readers.read(read)
