"""An answer that one thread waits for and another one gives."""

import threading

import pytest

from abtest.store.sqlite.promise import Promise


def test_an_answer_given_before_or_after_somebody_waits() -> None:
    early: Promise[int] = Promise()
    early.set_result(1)
    assert early.result() == 1
    late: Promise[int] = Promise()
    got: list[int] = []
    waiting = threading.Thread(target=lambda: got.append(late.result()))
    waiting.start()
    assert got == []
    late.set_result(2)
    waiting.join(10)
    assert got == [2]


def test_an_error_is_raised_where_it_is_waited_for() -> None:
    promise: Promise[int] = Promise()
    promise.set_exception(ValueError("why"))
    with pytest.raises(ValueError, match="why"):
        promise.result()
