"""The report desk gives what `analyze` gives, and calculates only what has changed."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abtest.domain.events import Event, EventId, Exposure
from abtest.domain.experiment import Action, ExperimentKey, VisitorId
from abtest.domain.funnel import CountWeights
from abtest.errors import AbtestError, ErrorCode
from abtest.services.analysis import analyze
from abtest.services.calculating import OwnProcess, Task
from abtest.services.reporting import Question, ReportDesk, write
from abtest.store.protocol import Store
from abtest.store.sqlite.store import open_store
from abtest.web.render.serialize import report_to_json
from tests.services.traffic import KEY, START, Cohort, events, running
from tests.store.event_sets import event_sets, sendings

T = TypeVar("T")

DAY_20 = START + timedelta(days=20, hours=12)


class Counting(OwnProcess):
    """Counts the tasks it does."""

    def __init__(self, store: Store) -> None:
        super().__init__(lambda: store)
        self.tasks: list[bool] = []

    def submit(self, task: Task[T], *, is_urgent: bool) -> Future[T]:
        self.tasks.append(is_urgent)
        return super().submit(task, is_urgent=is_urgent)


class Slow(OwnProcess):
    """Keeps tasks until it is told to do them."""

    def __init__(self, store: Store) -> None:
        super().__init__(lambda: store)
        self.kept: list[tuple[Task[object], Future[object], bool]] = []

    def submit(self, task: Task[T], *, is_urgent: bool) -> Future[T]:
        if is_urgent:
            return super().submit(task, is_urgent=True)
        future: Future[T] = Future()
        self.kept.append((task, future, is_urgent))  # type: ignore[arg-type]
        return future

    def work(self) -> None:
        """Do what was kept and not taken back."""
        kept, self.kept = self.kept, []
        for task, future, _ in kept:
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(task(self._store()))
            except Exception as error:  # noqa: BLE001 - as calculators do
                future.set_exception(error)


@contextmanager
def fresh_store(empty: Path) -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(empty, folder))
        with closing(open_store(path, durability="normal")) as store:
            yield store


@pytest.fixture
def filled(store: Store) -> Store:
    store.add_experiment(running())
    store.record(
        events(
            [
                Cohort(variant=key, day=day, visitors=40, first=12, second=4)
                for day in range(10)
                for key in "ab"
            ]
        ),
        received_at=DAY_20,
    )
    return store


def told(report: object) -> str:
    return json.dumps(report)


ASKED = st.builds(
    Question,
    experiment=st.just(KEY),
    as_of=st.none() | st.integers(0, 40).map(lambda n: date(2026, 1, 1 + n % 28)),
    first_weight=st.sampled_from([None, None, 0.5]),
    second_weight=st.sampled_from([None, None, 2.0]),
)
MOMENTS = st.sampled_from([1, 2, 5, 6, 12, 40]).map(
    lambda days: datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=days)
)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), sent=event_sets())
def test_the_desk_gives_what_analyze_gives(
    empty_database: Path, data: st.DataObject, sent: list[Event]
) -> None:
    known = [e for e in sent if not isinstance(e, Exposure) or e.experiment == KEY]
    batches = data.draw(sendings(known))
    changes = data.draw(st.lists(st.integers(0, 6), max_size=2))
    with fresh_store(empty_database) as store:
        store.add_experiment(running(window_days=3))
        desk = ReportDesk(store, OwnProcess(lambda: store))
        for number, batch in enumerate([[], *batches]):
            if batch:
                store.record(batch, received_at=DAY_20)
            if number in changes:
                experiment = store.get_experiment(KEY)
                weights = CountWeights(first=1, second=number + 1, currency="EUR")
                changed = replace(experiment, weights=weights)
                version = experiment.version + 1
                store.replace_experiment(replace(changed, version=version))
            question, now = data.draw(ASKED), data.draw(MOMENTS)
            # Asked twice: the second answer comes from what was kept.
            for asked in (replace(question, as_of=None), question, question):
                try:
                    expected = write(store, asked, now)
                except AbtestError:
                    with pytest.raises(AbtestError, match="must be a complete day"):
                        desk.report(asked, now=now)
                    continue
                found = desk.report(asked, now=now)
                assert found == expected
                assert told(report_to_json(found, "en")) == told(
                    report_to_json(expected, "en")
                )


def test_what_does_not_change_is_calculated_once(filled: Store) -> None:
    calculator = Counting(filled)
    desk = ReportDesk(filled, calculator)
    question = Question(experiment=KEY)
    first = desk.report(question, now=DAY_20)
    # The same day in other words, later on the same day, and on the overview.
    as_of = date(2026, 1, 24)
    assert desk.report(replace(question, as_of=as_of), now=DAY_20) == first
    assert desk.report(question, now=DAY_20 + timedelta(hours=3)) == first
    (standing,) = desk.standings(now=DAY_20, patience=0)
    assert standing.report == first
    assert calculator.tasks == [True]
    desk.report(replace(question, second_weight=2.0), now=DAY_20)
    desk.report(question, now=DAY_20 + timedelta(days=1))
    assert len(calculator.tasks) == 3


def seen(variant: str, day: int, number: int) -> Event:
    """Return an exposure of somebody new, with an id that is not taken."""
    cohort = Cohort(variant=variant, day=day, visitors=1, first=0, second=0)
    (event,) = events([cohort])
    assert isinstance(event, Exposure)
    return replace(event, id=EventId(bytes([number]) * 16), visitor=VisitorId("new"))


def test_today_is_fresh_without_a_calculation(filled: Store) -> None:
    calculator = Counting(filled)
    desk = ReportDesk(filled, calculator)
    before = desk.report(Question(experiment=KEY), now=DAY_20)
    filled.record([seen("a", 20, 200)], received_at=DAY_20)
    after = desk.report(Question(experiment=KEY), now=DAY_20)
    assert (before.today.exposures, after.today.exposures) == (0, 1)
    assert after.data_through == START + timedelta(days=20, hours=9)
    assert len(calculator.tasks) == 1


def test_a_late_event_of_an_earlier_day_is_calculated_in(filled: Store) -> None:
    desk = ReportDesk(filled, OwnProcess(lambda: filled))
    before = desk.report(Question(experiment=KEY), now=DAY_20)
    filled.record([seen("b", 3, 200)], received_at=DAY_20)
    after = desk.report(Question(experiment=KEY), now=DAY_20)
    assert after.maturity.visitors == before.maturity.visitors + 1
    assert after == analyze(filled, KEY, now=DAY_20)


def test_whoever_saw_two_variants_is_noticed_at_once(filled: Store) -> None:
    desk = ReportDesk(filled, OwnProcess(lambda: filled))
    desk.report(Question(experiment=KEY), now=DAY_20)
    both = [seen("a", 20, 200), seen("b", 20, 201)]
    filled.record(both, received_at=DAY_20)
    assert filled.facts(KEY).contaminated == 1
    after = desk.report(Question(experiment=KEY), now=DAY_20)
    assert after == analyze(filled, KEY, now=DAY_20)


def test_only_so_many_are_kept(filled: Store) -> None:
    calculator = Counting(filled)
    desk = ReportDesk(filled, calculator, kept=2)
    for weight in (1.0, 2.0, 1.0, 4.0, 1.0, 2.0):
        desk.report(Question(experiment=KEY, second_weight=weight), now=DAY_20)
    assert len(calculator.tasks) == 4  # 1, 2, 4, and 2 again


def test_an_overview_does_not_wait_for_what_is_being_written(filled: Store) -> None:
    calculator = Slow(filled)
    desk = ReportDesk(filled, calculator)
    (standing,) = desk.standings(now=DAY_20, patience=0)
    assert (standing.report, standing.has_failed) == (None, False)
    assert sum(day.exposures for day in standing.days) == 800
    desk.standings(now=DAY_20, patience=0)
    assert len(calculator.kept) == 1
    calculator.work()
    (standing,) = desk.standings(now=DAY_20, patience=0)
    assert standing.report is not None
    assert calculator.kept == []


def test_somebody_who_waits_goes_first(filled: Store) -> None:
    calculator = Slow(filled)
    desk = ReportDesk(filled, calculator)
    desk.standings(now=DAY_20, patience=0)
    report = desk.report(Question(experiment=KEY), now=DAY_20)
    ((_, queued, _),) = calculator.kept
    assert queued.cancelled()
    (standing,) = desk.standings(now=DAY_20, patience=0)
    assert standing.report == report


def test_running_experiments_are_written_first(store: Store) -> None:
    for key, status in (("old", "stop"), ("new", ""), ("done", "stop"), ("last", "")):
        experiment = replace(running(), key=ExperimentKey(key))
        if status:
            experiment = experiment.after(Action.STOP, DAY_20)
        store.add_experiment(experiment)
    calculator = Slow(store)
    ReportDesk(store, calculator).standings(now=DAY_20, patience=0)
    asked = [task.keywords["question"] for task, _, _ in calculator.kept]  # type: ignore[attr-defined]
    assert [q.experiment for q in asked] == ["last", "new", "done", "old"]


def test_a_failure_is_told_and_tried_again(
    filled: Store, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(OwnProcess):
        def submit(self, task: Task[T], *, is_urgent: bool) -> Future[T]:
            del task, is_urgent
            future: Future[T] = Future()
            future.set_exception(ZeroDivisionError())
            tries.append(future)
            return future

    tries: list[object] = []
    desk = ReportDesk(filled, Broken(lambda: filled))
    for later, expected in ((0, 1), (30, 1), (90, 2)):
        now = DAY_20 + timedelta(seconds=later)
        (standing,) = desk.standings(now=now, patience=0)
        assert (standing.report, standing.has_failed) == (None, True)
        assert len(tries) == expected
    assert "no report of Question(experiment='home'" in caplog.text
    with pytest.raises(ZeroDivisionError):
        desk.report(Question(experiment=KEY), now=DAY_20)


def test_an_unknown_experiment(store: Store) -> None:
    desk = ReportDesk(store, OwnProcess(lambda: store))
    with pytest.raises(AbtestError) as caught:
        desk.report(Question(experiment=ExperimentKey("none")), now=DAY_20)
    assert caught.value.code is ErrorCode.NOT_FOUND
