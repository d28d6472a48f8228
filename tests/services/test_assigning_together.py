"""Two serving processes on one database show a visitor the same."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime

import pytest

from abtest.app import open_embedded_store
from abtest.config import Settings
from abtest.domain.access import RIGHTS, KeyKind
from abtest.domain.experiment import Action, ExperimentKey
from abtest.services.access import COMMAND_LINE, Caller
from abtest.services.assigning import AssignRequest, assign
from abtest.services.experiments import act_on_experiment, create_experiment
from abtest.store.protocol import Store
from abtest.store.sqlite import memory
from tests.services.definitions import HOME

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BROWSER = Caller(name="pk", rights=RIGHTS[KeyKind.PUBLISHABLE])


class Watch:
    """Time that passes when it is told to."""

    time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(memory, "monotonic", watch)
    return watch


@pytest.fixture
def processes(settings: Settings, watch: Watch) -> Iterator[list[Store]]:
    assert watch.time > 0
    with ExitStack() as stack:
        yield [
            stack.enter_context(closing(open_embedded_store(settings)))
            for _ in range(2)
        ]


def shown(store: Store, visitor: str, *, is_recorded: bool = True) -> tuple[str, bool]:
    request = AssignRequest(visitor=visitor)
    result = assign(store, request, BROWSER, NOW, is_recorded=is_recorded)
    (one,) = result.shown
    return one.variant.key, one.first_exposure


def test_whoever_asks_second_is_told_what_the_first_was(
    processes: list[Store], watch: Watch
) -> None:
    one, two = processes
    create_experiment(one, HOME, COMMAND_LINE, NOW)
    act_on_experiment(one, ExperimentKey("home"), Action.START, COMMAND_LINE, NOW)
    watch.time += memory.CONFIGURATION_SECONDS
    for n in range(60):
        visitor = f"v{n}"
        first, second = (one, two) if n % 2 else (two, one)
        # Both remember that the visitor has seen nothing.
        drawn = {shown(store, visitor, is_recorded=False) for store in processes}
        assert len(drawn) == 1
        variant, is_first = shown(first, visitor)
        assert (variant, is_first) in drawn
        for _ in range(2):
            assert shown(second, visitor) == (variant, False)
            assert shown(first, visitor) == (variant, False)
    for store in processes:
        moments = store.moments(ExperimentKey("home"))
        assert sum(m.visitors for m in moments.values()) == 60


def test_a_paused_experiment_is_paused_for_both(
    processes: list[Store], watch: Watch
) -> None:
    one, two = processes
    create_experiment(one, HOME, COMMAND_LINE, NOW)
    act_on_experiment(one, ExperimentKey("home"), Action.START, COMMAND_LINE, NOW)
    watch.time += memory.CONFIGURATION_SECONDS
    visitors = [f"v{n}" for n in range(20)]
    before = [shown(two, visitor)[0] for visitor in visitors]
    assert set(before) == {"a", "b"}
    act_on_experiment(one, ExperimentKey("home"), Action.PAUSE, COMMAND_LINE, NOW)
    assert {shown(one, visitor)[0] for visitor in visitors} == {"a"}
    watch.time += memory.CONFIGURATION_SECONDS
    assert {shown(two, visitor)[0] for visitor in visitors} == {"a"}
    act_on_experiment(two, ExperimentKey("home"), Action.RESUME, COMMAND_LINE, NOW)
    watch.time += memory.CONFIGURATION_SECONDS
    for store in processes:
        assert [shown(store, visitor)[0] for visitor in visitors] == before
