"""Guessing passwords gets slower and slower."""

from datetime import UTC, datetime, timedelta

import pytest

from abtest.errors import AbtestError, ErrorCode
from abtest.services.back_off import CAPACITY, BackOff, SignInGuard

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def wait(guard: BackOff, now: datetime) -> int:
    """Try, and return the seconds one has to wait for that."""
    try:
        guard.begin(b"anna", now)
    except AbtestError as error:
        return error.retry_after or 0
    return 0


def fail(code: ErrorCode = ErrorCode.UNAUTHENTICATED) -> None:
    raise AbtestError(code, "no")


def test_a_thousand_tries_in_an_hour_test_eleven_passwords() -> None:
    guard, now, tested, waits = BackOff(5), NOW, 0, []
    for _ in range(1000):
        seconds = wait(guard, now)
        tested += seconds == 0
        waits.append(seconds)
        now += timedelta(hours=1) / 1000
    # Five at once, then after about 1, 3, 7, 15, 30 and 45 minutes.
    assert tested == 5 + 6
    # The fifth came after 14.4 s, the sixth after 18.
    assert waits[5] == 57
    assert max(waits) <= 900


def test_waits_double_up_to_a_quarter_of_an_hour() -> None:
    guard, now, waits = BackOff(5), NOW, []
    for _ in range(5):
        assert wait(guard, now) == 0
    for _ in range(7):
        waits.append(wait(guard, now))
        now += timedelta(seconds=waits[-1])
        assert wait(guard, now) == 0
    assert waits == [60, 120, 240, 480, 900, 900, 900]


def test_success_and_half_an_hour_forgive() -> None:
    guard = BackOff(5)
    for _ in range(5):
        guard.begin(b"anna", NOW)
    assert wait(guard, NOW) == 60
    guard.succeed(b"anna")
    for _ in range(5):
        assert wait(guard, NOW) == 0
    assert wait(guard, NOW) == 60
    later = NOW + timedelta(minutes=31)
    assert [wait(guard, later) for _ in range(6)] == [0, 0, 0, 0, 0, 60]


def test_what_is_remembered_is_bounded() -> None:
    guard = BackOff(5)
    for number in range(CAPACITY + 10):
        guard.begin(b"%d" % number, NOW)
    assert len(guard._tries) == CAPACITY


def test_one_network_cannot_try_many_names() -> None:
    guard = SignInGuard()
    refused = 0
    for number in range(100):
        try:
            with guard.attempt(f"user{number}", b"\x01\x02\x03", NOW):
                fail()
        except AbtestError as error:
            refused += error.code is ErrorCode.RATE_LIMITED
    assert refused == 80
    with guard.attempt("user1", b"\x09\x09\x09", NOW):
        pass


def test_ones_own_account_does_not_free_the_network() -> None:
    guard = SignInGuard()
    for number in range(20):
        with pytest.raises(AbtestError), guard.attempt(f"u{number}", b"net", NOW):
            fail()
        if number < 19:
            with guard.attempt("own", b"net", NOW):
                pass
    with pytest.raises(AbtestError) as error, guard.attempt("own", b"net", NOW):
        pass
    assert error.value.code is ErrorCode.RATE_LIMITED


def test_a_database_that_is_away_costs_no_attempt() -> None:
    guard = SignInGuard()
    for _ in range(50):
        with pytest.raises(AbtestError) as error, guard.attempt("anna", b"net", NOW):
            fail(ErrorCode.UNAVAILABLE)
        assert error.value.code is ErrorCode.UNAVAILABLE
