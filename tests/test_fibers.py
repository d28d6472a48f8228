"""Calls in fibers wait, fail and end as they do on threads."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import TypeVar

import pytest

from abtest.fibers import Fibers, Signal

T = TypeVar("T")


def on_a_loop(main: Callable[[], Coroutine[None, None, T]]) -> T:
    """Run it on a thread of its own: a browser of other tests may use this one's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(asyncio.wait_for(main(), 20))).result()


def soon(act: Callable[[], None]) -> None:
    threading.Timer(0.01, act).start()


def wait_for(signal: Signal, value: int) -> int:
    signal.wait()
    if value % 10 == 9:
        raise ValueError(value)
    return value


def test_a_thread_waits_for_another() -> None:
    signal = Signal()
    soon(signal.set)
    assert wait_for(signal, 3) == 3
    signal = Signal()
    signal.set()
    assert wait_for(signal, 4) == 4


def test_each_call_gets_its_own_answer() -> None:
    signals: list[Signal] = []

    def call(value: int) -> int:
        signal = Signal()
        signals.append(signal)
        return wait_for(signal, value)

    def set_all() -> None:
        assert len(signals) == 100
        for signal in reversed(signals):
            signal.set()

    async def main() -> list[int | BaseException]:
        fibers = Fibers(asyncio.get_running_loop())
        calls = asyncio.gather(
            *(fibers.run(call, n) for n in range(100)), return_exceptions=True
        )
        await asyncio.sleep(0.01)
        await asyncio.to_thread(set_all)
        return await calls

    answers = on_a_loop(main)
    assert [n for n in answers if not isinstance(n, BaseException)] == [
        n for n in range(100) if n % 10 != 9
    ]
    failed = [error.args for error in answers if isinstance(error, ValueError)]
    assert failed == [(n,) for n in range(9, 100, 10)]


def test_what_happened_before_is_not_waited_for() -> None:
    def call() -> str:
        signal = Signal()
        signal.set()
        signal.wait()
        return "done"

    async def main() -> str:
        return await Fibers(asyncio.get_running_loop()).run(call)

    assert on_a_loop(main) == "done"


def test_a_call_given_up_cleans_up_and_another_takes_no_harm() -> None:
    ended: list[str] = []

    def call(name: str, *, waits: bool) -> str:
        try:
            if waits:
                Signal().wait()
        finally:
            ended.append(name)
        return name

    async def main() -> str:
        fibers = Fibers(asyncio.get_running_loop())
        lost = asyncio.create_task(fibers.run(lambda: call("lost", waits=True)))
        await asyncio.sleep(0.01)
        lost.cancel()
        with pytest.raises(asyncio.CancelledError):
            await lost
        assert ended == ["lost"]
        return await fibers.run(lambda: call("next", waits=False))

    assert on_a_loop(main) == "next"
    assert ended == ["lost", "next"]


def test_a_signal_for_a_call_given_up_is_heard_by_nobody() -> None:
    signals: list[Signal] = []

    def call() -> None:
        signals.append(Signal())
        signals[0].wait()

    async def main() -> None:
        fibers = Fibers(asyncio.get_running_loop())
        lost = asyncio.create_task(fibers.run(call))
        await asyncio.sleep(0.01)
        lost.cancel()
        await asyncio.gather(lost, return_exceptions=True)
        signals[0].set()
        await asyncio.sleep(0.01)

    on_a_loop(main)


def test_context_stays_with_its_call() -> None:
    name: ContextVar[str] = ContextVar("name", default="nobody")

    def call(mine: str) -> tuple[str, str, str]:
        before = name.get()
        token = name.set(mine)
        signal = Signal()
        soon(signal.set)
        signal.wait()
        meanwhile = name.get()
        name.reset(token)
        return before, meanwhile, name.get()

    async def main() -> list[tuple[str, str, str]]:
        fibers = Fibers(asyncio.get_running_loop())
        first = await asyncio.gather(*(fibers.run(call, str(n)) for n in range(20)))
        # The same fibers once more.
        return first + await asyncio.gather(
            *(fibers.run(call, str(n)) for n in range(20))
        )

    assert on_a_loop(main) == [
        ("nobody", str(n), "nobody") for n in (*range(20), *range(20))
    ]
