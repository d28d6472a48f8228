"""The report desk: reports written once and handed out until something changes."""

import logging
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from threading import RLock

from abtest.domain.experiment import Experiment, ExperimentKey, Status
from abtest.errors import AbtestError
from abtest.services.calculating import Calculator, result_of
from abtest.services.report import ExperimentReport, Segment
from abtest.services.report_day import as_of_day, moment_of, today_of
from abtest.store.protocol import DayActivity, ExperimentFacts, Store

REPORTS_KEPT = 250
"""Reports that are kept beside one for each experiment; each takes about 60 KB."""

FEW = 5
"""Missing reports that an overview waits for; more would take too long anyway."""

_FAILURES_KEPT = timedelta(minutes=1)

Days = tuple[DayActivity, ...]

_log = logging.getLogger("abtest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which report is wanted; see `analysis.analyze` for what the fields mean."""

    experiment: ExperimentKey
    as_of: date | None = None
    first_weight: float | None = None
    second_weight: float | None = None
    lift_prior: float | None = None
    segment: Segment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an experiment stands, as far as that is known without waiting.

    Attributes:
        days: what happened on each day so far.
        report: None while it is being written, or when it cannot be.
        has_failed: it cannot be.
    """

    experiment: Experiment
    days: Days
    report: ExperimentReport | None = None
    has_failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stamp:
    """What a report was written from: equal stamps, equal reports.

    All but what `_up_to_date` puts in anew. `changes` covers the sums up to the
    report's day; beside them a report looks at two facts of later days.

    Attributes:
        is_complete: the newest visitors have been followed for the whole window.
        later: changes of later days, where the newest visitors are not known.
    """

    version: int
    changes: int
    is_complete: bool
    contaminated: int
    later: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """A question with everything that decides its answer."""

    question: Question
    day: int
    stamp: _Stamp

    @property
    def place(self) -> tuple[Question, int]:
        """Where the answer is kept; a new one replaces that of an older stamp."""
        return replace(self.question, as_of=None), self.day


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flight:
    """A report that is being written."""

    future: Future[ExperimentReport]
    is_urgent: bool


def write(store: Store, question: Question, now: datetime) -> ExperimentReport:
    """Write a report; a task for a calculator."""
    # scipy takes seconds to load and 100 MB: only who calculates loads it.
    from abtest.services.analysis import analyze  # noqa: PLC0415

    return analyze(
        store,
        question.experiment,
        now=now,
        as_of=question.as_of,
        first_weight=question.first_weight,
        second_weight=question.second_weight,
        lift_prior=question.lift_prior,
        segment=question.segment,
    )


class ReportDesk:
    """Hands out reports: the same as `analyze`, but each is written once.

    A report is written anew when the experiment, the day or the sums that it rests on
    have changed. Two who ask for the same at the same time wait for one calculation.
    """

    def __init__(
        self, store: Store, calculator: Calculator, *, kept: int = REPORTS_KEPT
    ) -> None:
        self._store = store
        self._calculator = calculator
        self._kept = kept
        self._experiments = 0
        self._lock = RLock()
        self._done: OrderedDict[
            tuple[Question, int], tuple[_Stamp, ExperimentReport]
        ] = OrderedDict()
        self._flights: dict[_Order, _Flight] = {}
        self._failures: dict[_Order, datetime] = {}

    def report(self, question: Question, *, now: datetime) -> ExperimentReport:
        """Return the report.

        Raises:
            AbtestError: `not_found`; `invalid` when `as_of` is not complete yet;
                `unavailable` when it cannot be written now.
        """
        experiment = self._store.get_experiment(question.experiment)
        day = as_of_day(experiment, now, question.as_of)
        days = self._store.activity(experiment.key)
        facts = self._store.facts(experiment.key)
        order = _order(question, experiment, days, facts, day)
        report = self._find(order)
        if report is None:
            report = result_of(self._fly(order, now, is_urgent=True))
        return _up_to_date(report, days, facts, experiment=experiment, now=now)

    def standings(self, *, now: datetime, patience: float) -> tuple[Standing, ...]:
        """Return how all experiments stand, oldest first.

        What is not known is being calculated when this returns: running experiments
        first, the newest of them before the others.

        Args:
            now: decides which day was the last complete one.
            patience: seconds to wait for what is not known yet, if that is little.
        """
        experiments = self._store.list_experiments()
        self._experiments = len(experiments)
        activities = self._store.activities()
        orders: dict[ExperimentKey, _Order] = {}
        newest_first = experiments[::-1]
        for experiment in sorted(newest_first, key=_is_over):
            key = experiment.key
            orders[key] = _order(
                Question(experiment=key),
                experiment,
                activities.get(key, ()),
                self._store.facts(key),
                as_of_day(experiment, now, None),
            )
        missing = [order for order in orders.values() if self._find(order) is None]
        flights = [
            self._fly(order, now, is_urgent=False)
            for order in missing
            if not self._has_failed(order, now)
        ]
        if len(flights) <= FEW:
            wait(flights, timeout=patience)
        return tuple(
            Standing(
                experiment=experiment,
                days=activities.get(experiment.key, ()),
                report=self._find(orders[experiment.key]),
                has_failed=self._has_failed(orders[experiment.key], now),
            )
            for experiment in experiments
        )

    def _find(self, order: _Order) -> ExperimentReport | None:
        with self._lock:
            found = self._done.get(order.place)
            if found is None or found[0] != order.stamp:
                return None
            self._done.move_to_end(order.place)
            return found[1]

    def _fly(
        self, order: _Order, now: datetime, *, is_urgent: bool
    ) -> Future[ExperimentReport]:
        """Have the report written, unless that is under way already."""
        with self._lock:
            known = self._flights.get(order)
            if known is not None:
                # One that waits behind others is taken back and sent off in front.
                overtakes = is_urgent and not known.is_urgent
                if not (overtakes and known.future.cancel()):
                    return known.future
            task = partial(write, question=order.question, now=now)
            future = self._calculator.submit(task, is_urgent=is_urgent)
            self._flights[order] = _Flight(future=future, is_urgent=is_urgent)
            future.add_done_callback(partial(self._land, order, now))
            return future

    def _land(
        self, order: _Order, now: datetime, future: Future[ExperimentReport]
    ) -> None:
        with self._lock:
            flight = self._flights.get(order)
            if flight is not None and flight.future is future:
                del self._flights[order]
            if future.cancelled():
                return
            if (error := future.exception()) is not None:
                if not isinstance(error, AbtestError):
                    _log.error("no report of %s", order.question, exc_info=error)
                self._note_failure(order, now)
                return
            self._failures.pop(order, None)
            self._done[order.place] = (order.stamp, future.result())
            self._done.move_to_end(order.place)
            while len(self._done) > self._kept + self._experiments:
                self._done.popitem(last=False)

    def _has_failed(self, order: _Order, now: datetime) -> bool:
        with self._lock:
            at = self._failures.get(order)
            return at is not None and now - at <= _FAILURES_KEPT

    def _note_failure(self, order: _Order, now: datetime) -> None:
        kept = self._failures.items()
        self._failures = {o: t for o, t in kept if now - t <= _FAILURES_KEPT}
        self._failures[order] = now


def _order(
    question: Question,
    experiment: Experiment,
    days: Sequence[DayActivity],
    facts: ExperimentFacts,
    day: int,
) -> _Order:
    newest = max((d.day for d in days if d.exposures), default=None)
    stamp = _Stamp(
        version=experiment.version,
        changes=sum(d.changes for d in days if d.day <= day),
        is_complete=newest is not None and newest + experiment.window_days <= day,
        contaminated=facts.contaminated,
        later=sum(d.changes for d in days if question.segment and d.day > day),
    )
    return _Order(question=question, day=day, stamp=stamp)


def _up_to_date(
    report: ExperimentReport,
    days: Sequence[DayActivity],
    facts: ExperimentFacts,
    *,
    experiment: Experiment,
    now: datetime,
) -> ExperimentReport:
    """Put in what came after the report's day."""
    return replace(
        report,
        data_through=moment_of(facts.last_event),
        today=today_of(experiment, days, now),
    )


def _is_over(experiment: Experiment) -> bool:
    return experiment.status not in {Status.RUNNING, Status.PAUSED, Status.CLOSED}
