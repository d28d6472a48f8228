"""What a serving process remembers, and when it must not."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from abtest.domain.access import ApiKey, KeyId, KeyKind
from abtest.domain.experiment import ExperimentKey, Status, VisitorId
from abtest.store.sqlite import SqliteStore, memory, open_store
from abtest.store.sqlite.memory import Recent
from tests.store.builders import HOME, NOW, exposure, home

V1 = VisitorId("v1")


class Watch:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(memory, "monotonic", watch)
    return watch


@pytest.fixture
def path(tmp_path: Path, empty_file: Path) -> Path:
    return Path(shutil.copy(empty_file, tmp_path / "abtest.db"))


@pytest.fixture
def serving(path: Path, watch: Watch) -> Iterator[SqliteStore]:
    """A store that remembers."""
    assert watch.time > 0
    with closing(open_store(path, durability="normal", remembers=True)) as store:
        yield store


@pytest.fixture
def other(path: Path) -> Iterator[SqliteStore]:
    """The store of another process on the same file, for example the command line."""
    with closing(open_store(path, durability="normal")) as store:
        yield store


def key() -> ApiKey:
    return ApiKey(
        id=KeyId("k1"),
        kind=KeyKind.PUBLISHABLE,
        name="Shop",
        secret_hash="aa",
        hint="wxyz",
        created_at=NOW,
    )


def counting(values: dict[str, str]) -> tuple[list[str], Callable[[str], str | None]]:
    asked: list[str] = []

    def read(name: str) -> str | None:
        asked.append(name)
        return values.get(name)

    return asked, read


def test_a_value_is_read_once_until_it_is_too_old(watch: Watch) -> None:
    asked, read = counting({"a": "A"})
    recent: Recent[str, str | None] = Recent(seconds=10, size=5)
    assert [recent.get("a", read) for _ in range(3)] == ["A"] * 3
    assert asked == ["a"]
    watch.time += 9.9
    recent.get("a", read)
    assert asked == ["a"]
    watch.time += 0.1
    recent.get("a", read)
    assert asked == ["a", "a"]


def test_what_is_not_there_is_asked_for_again(watch: Watch) -> None:
    assert watch.time > 0
    asked, read = counting({})
    recent: Recent[str, str | None] = Recent(seconds=10, size=5)
    assert [recent.get("a", read), recent.get("a", read)] == [None, None]
    assert asked == ["a", "a"]


def test_the_memory_is_bounded(watch: Watch) -> None:
    assert watch.time > 0
    recent: Recent[int, str] = Recent(seconds=10, size=5)
    for n in range(1000):
        recent.get(n, str)
        assert len(recent._values) <= 6


@pytest.mark.parametrize("how", ["forget", "drop"])
def test_what_is_dropped_is_read_again(watch: Watch, how: str) -> None:
    assert watch.time > 0
    asked, read = counting({"a": "A"})
    recent: Recent[str, str | None] = Recent(seconds=10, size=5)
    recent.get("a", read)
    if how == "drop":
        recent.drop("a")
        recent.drop("b")
    else:
        recent.forget()
    recent.get("a", read)
    assert asked == ["a", "a"]


def test_what_was_read_before_a_change_is_not_kept_after_it(watch: Watch) -> None:
    assert watch.time > 0
    recent: Recent[str, str] = Recent(seconds=10, size=5)

    def overtaken(_: str) -> str:
        recent.forget()  # the change, while the old value is on its way
        return "old"

    assert recent.get("a", overtaken) == "old"
    assert recent.get("a", lambda _: "new") == "new"


def test_a_key_revoked_here_is_useless_at_once(serving: SqliteStore) -> None:
    assert serving.find_key("aa") is None
    serving.add_key(key())
    assert serving.find_key("aa") == key()
    serving.revoke_key(KeyId("k1"), NOW)
    assert serving.find_key("aa") is None


def test_a_key_revoked_elsewhere_is_useless_within_the_bound(
    serving: SqliteStore, other: SqliteStore, watch: Watch
) -> None:
    other.add_key(key())
    assert serving.find_key("aa") == key()
    other.revoke_key(KeyId("k1"), NOW)
    assert serving.find_key("aa") == key()
    watch.time += memory.CONFIGURATION_SECONDS
    assert serving.find_key("aa") is None


def test_the_bound_is_a_moment() -> None:
    assert memory.CONFIGURATION_SECONDS <= 1


def test_experiments_changed_here_are_known_at_once(serving: SqliteStore) -> None:
    assert serving.list_experiments() == ()
    serving.add_experiment(home())
    assert serving.list_experiments() == (home(),)
    changed = home(status=Status.RUNNING, version=2)
    serving.replace_experiment(changed)
    assert serving.list_experiments() == (changed,)
    assert serving.list_experiments() is serving.list_experiments()


def test_experiments_changed_elsewhere_are_known_within_the_bound(
    serving: SqliteStore, other: SqliteStore, watch: Watch
) -> None:
    assert serving.list_experiments() == ()
    other.add_experiment(home())
    watch.time += memory.CONFIGURATION_SECONDS
    assert serving.list_experiments() == (home(),)


def test_an_exposure_stored_here_is_known_at_once(serving: SqliteStore) -> None:
    serving.add_experiment(home())
    assert serving.find_exposures(V1) == {}
    serving.expose(V1, [exposure(1, "v1", variant="b")], received_at=NOW)
    assert serving.find_exposures(V1) == {HOME: "b"}
    earlier = exposure(2, "v1", variant="a", hours=-5)
    serving.record([earlier], received_at=NOW)
    assert serving.find_exposures(V1) == {HOME: "a"}


def test_an_exposure_is_remembered(
    serving: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving.add_experiment(home())
    serving.expose(V1, [exposure(1, "v1", variant="b")], received_at=NOW)
    held = serving.find_exposures(V1)
    nobody = SimpleNamespace(read=None, close=serving._readers.close)
    monkeypatch.setattr(serving, "_readers", nobody)
    assert serving.find_exposures(V1) is held


def test_an_exposure_stored_elsewhere_holds_here(
    serving: SqliteStore, other: SqliteStore
) -> None:
    other.add_experiment(home())
    assert serving.find_exposures(V1) == {}
    other.expose(V1, [exposure(1, "v1", variant="b")], received_at=NOW)
    held = serving.expose(V1, [exposure(2, "v1", variant="a")], received_at=NOW)
    assert (held[HOME].variant, held[HOME].is_first) == ("b", False)
    assert serving.find_exposures(V1) == {HOME: "b"}


def test_who_was_not_exposed_is_looked_up_again_when_the_draw_changed(
    serving: SqliteStore, other: SqliteStore, watch: Watch
) -> None:
    other.add_experiment(home())
    serving.list_experiments()
    assert serving.find_exposures(V1) == {}
    other.expose(V1, [exposure(1, "v1", variant="b")], received_at=NOW)
    other.replace_experiment(home(coverage=0.5, version=2))
    watch.time += memory.CONFIGURATION_SECONDS
    serving.list_experiments()
    assert serving.find_exposures(V1) == {HOME: "b"}


def test_visitors_who_hold_the_same_share_the_answer(serving: SqliteStore) -> None:
    serving.add_experiment(home())
    for n in range(3):
        shown = exposure(n, f"v{n}", variant="b")
        serving.expose(shown.visitor, [shown], received_at=NOW)
    found = [serving.find_exposures(VisitorId(f"v{n}")) for n in range(3)]
    assert found[0] == {ExperimentKey("home"): "b"}
    assert found[0] is found[1] is found[2]
