"""`/readyz`: each reason by its name, and no way to keep the service busy with it."""

import shutil
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from werkzeug.test import Client

from abtest.app import create_service
from abtest.domain.events import Milliseconds
from abtest.domain.visitor import to_milliseconds
from abtest.errors import AbtestError, ErrorCode
from abtest.services.readiness import judge_condition
from abtest.store.condition import StoreCondition
from abtest.store.protocol import Store
from abtest.web import readiness
from abtest.web.context import Context
from tests.conftest import Clock
from tests.store.builders import NOW, exposure, home

WELL = StoreCondition(
    pending=(),
    size=10**9,
    log_size=256 * 2**20,
    disk_size=100,
    disk_free=5,
    last_received=to_milliseconds(NOW + timedelta(days=1)),
)


def codes(condition: StoreCondition) -> list[str]:
    return [found.code for found in judge_condition(condition, NOW)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (WELL, []),
        (replace(WELL, last_received=None), []),
        (replace(WELL, pending=("0009_later",)), ["migrations_pending"]),
        (replace(WELL, disk_free=4), ["disk_low"]),
        (replace(WELL, log_size=256 * 2**20 + 1), ["log_large"]),
        (
            replace(WELL, last_received=Milliseconds((WELL.last_received or 0) + 1)),
            ["clock_behind"],
        ),
    ],
    ids=["well", "no event", "pending", "disk", "log", "clock"],
)
def test_each_bound_is_where_it_is_said(
    condition: StoreCondition, expected: list[str]
) -> None:
    assert codes(condition) == expected


def problem(client: Client) -> dict[str, str]:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    content = answer.get_json()
    assert content["type"] == "/problems/unavailable"
    return {error["code"]: error["detail"] for error in content["errors"]}


@pytest.fixture(autouse=True)
def _always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_FRESH", 0.0)


def test_a_ready_service(client: Client) -> None:
    assert client.get("/readyz").get_json()["status"] == "ready"


def test_every_reason_is_named(
    client: Client,
    store: Store,
    clock: Clock,
    settings_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store.add_experiment(home())
    store.record([exposure(1)], received_at=clock.time + timedelta(days=1, minutes=1))
    low = shutil.disk_usage(settings_path)._replace(free=1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: low)

    def refuse() -> None:
        raise AbtestError(ErrorCode.UNAVAILABLE, "the disk is full")

    monkeypatch.setattr(store, "check_writable", refuse)
    found = problem(client)
    assert found.keys() == {"not_writable", "disk_low", "clock_behind"}
    assert found["not_writable"] == "the disk is full"
    clock.time += timedelta(hours=1)
    assert "clock_behind" not in problem(client)
    monkeypatch.undo()


@pytest.fixture
def settings_path(context: Context) -> Path:
    return Path(context.settings.database)


def test_a_database_that_is_gone_or_cannot_be_opened(
    client: Client, settings_path: Path, store: Store
) -> None:
    assert store.list_experiments() == ()
    settings_path.rename(settings_path.with_name("away.db"))
    assert problem(client).keys() == {"not_writable", "not_readable"}


def test_a_store_that_cannot_be_opened(context: Context) -> None:
    def refuse() -> Store:
        raise AbtestError(ErrorCode.UNAVAILABLE, "no such database")

    client = Client(create_service(Context(context.settings, refuse)))
    assert problem(client) == {"no_database": "no such database"}


class Slow:
    """A store that takes its time to be written, and counts how often it is."""

    def __init__(self, store: Store) -> None:
        self.condition = store.condition
        self.asked = 0
        self.gate = threading.Event()
        self.gate.set()

    def check_writable(self) -> None:
        self.asked += 1
        assert self.gate.wait(10)


def test_however_many_ask_the_store_is_asked_once_a_second(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "_FRESH", 60.0)
    slow = Slow(store)
    ready = readiness.Readiness(lambda: slow)  # type: ignore[arg-type, return-value]
    answers: list[object] = []

    def ask(now: datetime = clock.time) -> None:
        answers.append(ready.obstacles(now))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [()] * 20
    assert slow.asked == 1
    # An answer that is too old is given to all but the one who asks anew.
    monkeypatch.setattr(ready, "_until", 0.0)
    slow.gate.clear()
    asking = threading.Thread(target=ask)
    asking.start()
    while slow.asked < 2:
        time.sleep(0.001)
    began = time.monotonic()
    assert ready.obstacles(clock.time) == ()
    assert time.monotonic() - began < 1
    slow.gate.set()
    asking.join()
    assert slow.asked == 2
