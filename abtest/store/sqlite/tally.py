"""Counts that may be a second old on disk: gathered in memory, stored together."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from abtest.domain.events import Conversion
from abtest.domain.experiment import ExperimentKey
from abtest.domain.quality import QualityKind, QualityMark
from abtest.errors import AbtestError
from abtest.store.lean_sqlite_utils import Database
from abtest.store.sqlite.connection import query
from abtest.store.sqlite.experiments import Known

SECONDS = 1.0
"""Between two writes, while there is something to write."""

INSTALLATION = 0
"""Stands for all experiments and none."""

DAY_MILLISECONDS = 86_400_000

DayMark = tuple[int, QualityMark]
Counts = Counter[DayMark]


class Tally:
    """Gathers counts and hands them over once a second.

    The timer runs only while something waits, and starts with the first count, so
    that a process may fork before.

    Args:
        store: writes the counts durably, or raises and has written none.
    """

    def __init__(self, store: Callable[[Counts], None]) -> None:
        self._store = store
        self._waiting: Counts = Counter()
        self._timer: threading.Timer | None = None
        self._adding = threading.Lock()
        self._storing = threading.Lock()
        self._is_closed = False

    def add(self, day: int, counts: Mapping[QualityMark, int]) -> None:
        """Add to what waits."""
        with self._adding:
            for mark, count in counts.items():
                self._waiting[day, mark] += count
            self._set_timer()

    def including(self, read: Callable[[], Counts]) -> Counts:
        """Return what `read` finds stored, and what waits."""
        with self._storing:
            stored = read()
            with self._adding:
                return stored + self._waiting

    def close(self) -> None:
        """Store what waits, as far as that is possible."""
        with self._adding:
            self._is_closed = True
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        self._flush()

    def _set_timer(self) -> None:
        if self._timer is None and not self._is_closed:
            self._timer = threading.Timer(SECONDS, self._flush)
            self._timer.daemon = True
            self._timer.start()

    def _flush(self) -> None:
        with self._storing:
            with self._adding:
                counts, self._waiting = self._waiting, Counter()
                self._timer = None
            if not counts:
                return
            try:
                self._store(counts)
            except AbtestError:
                # Another second may do; there are only so many counters.
                with self._adding:
                    self._waiting.update(counts)
                    self._set_timer()


def unassigned_marks(
    known: Known, conversions: Iterable[Conversion]
) -> Counter[QualityMark]:
    """Count conversions for the installation and for all that declare their step."""
    marks: Counter[QualityMark] = Counter()
    for conversion in conversions:
        whose = [e.key for e in known.by_key.values() if conversion.step in e.step_keys]
        for key in (None, *whose):
            marks[QualityMark(kind=QualityKind.UNASSIGNED, experiment=key)] += 1
    return marks


def write_tally(database: Database, known: Known, counts: Counts) -> None:
    """Add the counts to the table, inside an open transaction."""
    rows = [
        (
            INSTALLATION if mark.experiment is None else known.number(mark.experiment),
            day,
            mark.kind.value,
            mark.code,
            count,
        )
        for (day, mark), count in counts.items()
    ]
    database.conn.executemany(query("add_tally"), rows)


def read_tally(
    database: Database, known: Known, key: ExperimentKey | None, since: int
) -> Counts:
    """Return the stored counts; `not_found`."""
    number = INSTALLATION if key is None else known.number(key)
    rows = database.conn.execute(query("read_tally"), (number, since)).fetchall()
    return Counter(
        {
            (day, QualityMark(kind=QualityKind(kind), experiment=key, code=code)): count
            for day, kind, code, count in rows
        }
    )
