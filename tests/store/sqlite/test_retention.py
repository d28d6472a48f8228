"""`abtest gc` in a process of its own, killed whenever it likes."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

from abtest.domain.events import Event
from abtest.domain.experiment import Status
from abtest.store.protocol import Difference
from abtest.store.sqlite import SqliteStore, open_store
from tests.store.builders import HOME, NOW, conversion, exposure, home

PERSONS = 3000


def start(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "abtest", "gc", "--keep-days", "1", "--json"],
        env={**os.environ, "ABTEST_DATABASE": str(path)},
        stdout=subprocess.DEVNULL,
    )


def folded(store: SqliteStore) -> int:
    return store.folded_visitors().get(HOME, 0)


def test_a_killed_folding_leaves_whole_steps_and_is_taken_up_again(path: Path) -> None:
    events: list[Event] = [
        event
        for i in range(PERSONS)
        for event in (
            exposure(3 * i, f"v{i}", variant="ab"[i % 2], hours=i % 100),
            conversion(3 * i + 1, f"v{i}", hours=i % 100 + 3, value=i),
            conversion(3 * i + 2, f"v{i}", hours=i % 100 + 40, value=2 * i),
        )
    ]
    kills = 0
    with closing(open_store(path)) as store:
        store.add_experiment(home())
        store.record(events, received_at=NOW)
        store.replace_experiment(home(status=Status.STOPPED, version=2))
        sums, facts = store.moments(HOME), store.facts(HOME)
        while folded(store) < PERSONS:
            before = folded(store)
            process = start(path)
            while process.poll() is None and folded(store) == before:
                threading.Event().wait(0.002)
            if process.poll() is None and kills < 3:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.wait(timeout=60)
            assert folded(store) > before
            assert store.moments(HOME) == sums
            assert not any(isinstance(step, Difference) for step in store.verify())
        assert kills > 0
        for _ in store.rebuild():
            pass
        assert (store.moments(HOME), store.facts(HOME)) == (sums, facts)
