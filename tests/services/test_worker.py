"""The process for the statistics: works, is replaced, and never outlives its server."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest

from abtest.errors import AbtestError, ErrorCode
from abtest.services.calculating import calculate
from abtest.services.worker import MOST_WAITING, Worker, WorkerError
from tests.services import worker_tasks as tasks

COMMAND = (
    sys.executable,
    "-c",
    "from tests.services.worker_tasks import main; main()",
)


@pytest.fixture(scope="module")
def shared() -> Iterator[Worker]:
    """A worker for tests that do it no harm: it takes seconds to start."""
    worker = Worker(COMMAND)
    yield worker
    worker.close()


def is_alive(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_for_end(process: int, seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not is_alive(process):
            return True
        time.sleep(0.02)
    return False


def wait_until_running(future: Future[int]) -> None:
    while not future.running():
        time.sleep(0.01)


def test_tasks_are_done_in_another_process(shared: Worker) -> None:
    seen = calculate(shared, tasks.look)
    assert seen.process != os.getpid()
    assert seen.parent == os.getpid()
    assert seen.has_scipy
    assert calculate(shared, tasks.look) == seen
    assert calculate(shared, partial(tasks.add, left=2, right=3)) == 5


def test_refusals_and_failures_come_back(shared: Worker) -> None:
    with pytest.raises(AbtestError) as caught:
        calculate(shared, tasks.refuse)
    assert caught.value.code is ErrorCode.INVALID
    assert [e.pointer for e in caught.value.errors] == ["/as_of"]
    with pytest.raises(WorkerError, match="in fail\n"):
        calculate(shared, tasks.fail)
    with pytest.raises(AttributeError, match="local object"):
        calculate(shared, lambda _: None)
    assert calculate(shared, partial(tasks.add, left=1, right=1)) == 2


def test_urgent_tasks_go_first_and_some_are_taken_back(
    shared: Worker, tmp_path: Path
) -> None:
    path = str(tmp_path / "order")
    note = partial(tasks.note, path=path)
    busy = shared.submit(partial(tasks.sleep, seconds=0.3), is_urgent=False)
    wait_until_running(busy)
    later = [
        shared.submit(partial(note, name=f"later {n}"), is_urgent=False)
        for n in range(3)
    ]
    assert later[1].cancel()
    calculate(shared, partial(note, name="urgent"))
    later[2].result(timeout=10)
    assert Path(path).read_text().splitlines() == ["urgent", "later 0", "later 2"]


def test_only_so_many_wait(shared: Worker) -> None:
    busy = shared.submit(partial(tasks.sleep, seconds=0.5), is_urgent=False)
    waiting = [shared.submit(tasks.look, is_urgent=True) for _ in range(MOST_WAITING)]
    with pytest.raises(AbtestError, match="too many reports") as caught:
        shared.submit(tasks.look, is_urgent=True)
    assert caught.value.code is ErrorCode.UNAVAILABLE
    busy.result(timeout=20)
    for future in waiting:
        future.result(timeout=20)
    assert calculate(shared, tasks.look).process != os.getpid()


def test_a_dead_or_hanging_process_is_replaced() -> None:
    worker = Worker(COMMAND, task_seconds=4)
    try:
        first = calculate(worker, tasks.look).process
        with pytest.raises(AbtestError, match="process ended") as caught:
            calculate(worker, tasks.die)
        assert caught.value.code is ErrorCode.UNAVAILABLE
        second = calculate(worker, tasks.look).process
        # One that died while nobody asked is not even noticed.
        os.kill(second, signal.SIGKILL)
        assert wait_for_end(second)
        third = calculate(worker, tasks.look).process
        assert len({first, second, third}) == 3
        with pytest.raises(AbtestError, match="took too long") as caught:
            calculate(worker, partial(tasks.sleep, seconds=60))
        assert caught.value.code is ErrorCode.UNAVAILABLE
        assert wait_for_end(third)
    finally:
        worker.close()


def test_what_cannot_start_is_an_error_and_no_hang() -> None:
    worker = Worker((sys.executable, "-c", "raise SystemExit(3)"))
    for _ in range(2):
        with pytest.raises(AbtestError, match="process ended"):
            calculate(worker, tasks.look)
    worker.close()


def test_closing_gives_up_what_is_not_done() -> None:
    worker = Worker(COMMAND)
    worker.start()
    worker.start()
    process = calculate(worker, tasks.look).process
    busy = worker.submit(partial(tasks.sleep, seconds=60), is_urgent=True)
    queued = worker.submit(tasks.look, is_urgent=False)
    wait_until_running(busy)
    begin = time.monotonic()
    worker.close()
    assert time.monotonic() - begin < 5
    assert not is_alive(process)
    assert queued.cancelled()
    with pytest.raises(AbtestError, match="process ended"):
        busy.result(timeout=0)
    with pytest.raises(AbtestError, match="ending"):
        worker.submit(tasks.look, is_urgent=True)


def test_nothing_starts_before_somebody_asks() -> None:
    worker = Worker(("/no/such/program",))
    assert worker._thread is None
    worker.close()


@pytest.mark.parametrize("is_busy", [False, True])
def test_the_worker_ends_with_a_server_that_is_killed(*, is_busy: bool) -> None:
    code = (
        "import sys, time\n"
        "from functools import partial\n"
        "from abtest.services.calculating import calculate\n"
        "from abtest.services.worker import Worker\n"
        "from tests.services import worker_tasks as tasks\n"
        f"worker = Worker({COMMAND!r})\n"
        "print(calculate(worker, tasks.look).process, flush=True)\n"
        "task = partial(tasks.sleep, seconds=60)\n"
        f"if {is_busy}: worker.submit(task, is_urgent=True)\n"
        "time.sleep(60)\n"
    )
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    with server:
        assert server.stdout is not None
        process = int(server.stdout.readline())
        time.sleep(0.2)
        assert is_alive(process)
        server.kill()
    assert wait_for_end(process)


def test_the_waiting_are_told_when_it_takes_too_long(
    shared: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("abtest.services.calculating.PATIENCE", 0.05)
    busy = shared.submit(partial(tasks.sleep, seconds=0.5), is_urgent=False)
    wait_until_running(busy)
    with pytest.raises(AbtestError, match="busy") as caught:
        calculate(shared, tasks.look)
    assert caught.value.code is ErrorCode.UNAVAILABLE
    busy.result(timeout=10)
