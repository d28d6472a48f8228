"""Answers of the calculator beside the report, kept until something changes."""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime
from threading import RLock
from typing import TypeVar, cast

from abtest.domain.events import Milliseconds
from abtest.domain.experiment import ExperimentKey
from abtest.services.calculating import Calculator, Task, calculate
from abtest.services.report_day import as_of_day
from abtest.store.protocol import Store

T = TypeVar("T")

ANSWERS_KEPT = 100
"""Each takes about 60 KB."""


class Shelf:
    """Keeps what is a function of an experiment's plan and its complete days."""

    def __init__(
        self, store: Store, calculator: Calculator, *, kept: int = ANSWERS_KEPT
    ) -> None:
        self._store = store
        self._calculator = calculator
        self._kept = kept
        self._lock = RLock()
        self._answers: OrderedDict[Hashable, tuple[Hashable, object]] = OrderedDict()

    def answer(
        self, key: ExperimentKey, task: Task[T], *, name: Hashable, now: datetime
    ) -> T:
        """Return what the task answers, from the shelf while that is still true.

        Args:
            key: the experiment that the task looks at.
            task: depends on nothing but the experiment, its sums up to the last
                complete day, and what `name` names.
            name: of the task; equal names, equal tasks.
            now: decides which day was the last complete one.

        Raises:
            AbtestError: `not_found`, `unavailable`, or the task's own.
        """
        experiment = self._store.get_experiment(key)
        day = as_of_day(experiment, now, None)
        days = self._store.activity(key)
        changes = sum(d.changes for d in days if d.day <= day)
        newest = max((d.day for d in days if d.exposures), default=day)
        is_followed = newest + experiment.window_days <= day
        stamp = (experiment.version, day, changes, is_followed)
        return self._kept_or_new((key, name), stamp, task)

    def answer_of_all_events(
        self, task: Task[T], *, name: Hashable, now: datetime
    ) -> T:
        """Return what the task answers; until any event comes.

        Args:
            task: depends on events, experiments and the quarter of an hour.
            name: of the task; equal names, equal tasks.
            now: the time.

        Raises:
            AbtestError: `unavailable`, or the task's own.
        """
        stamp = (
            now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0),
            self._store.received_since(Milliseconds(0)),
            tuple(e.version for e in self._store.list_experiments()),
            sum(d.changes for days in self._store.activities().values() for d in days),
        )
        return self._kept_or_new(name, stamp, task)

    def _kept_or_new(self, place: Hashable, stamp: Hashable, task: Task[T]) -> T:
        with self._lock:
            found = self._answers.get(place)
            if found is not None and found[0] == stamp:
                self._answers.move_to_end(place)
                return cast("T", found[1])
        answer = calculate(self._calculator, task)
        with self._lock:
            self._answers[place] = (stamp, answer)
            self._answers.move_to_end(place)
            while len(self._answers) > self._kept:
                self._answers.popitem(last=False)
        return answer
