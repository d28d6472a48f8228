"""Token buckets: how often, how long to wait, and how much is remembered."""

from dataclasses import replace
from typing import Any

import pytest

from abtest.config import Settings, read_settings
from abtest.errors import AbtestError
from abtest.web.guards import limits
from abtest.web.guards.limits import Buckets, Limits, Rate

ASSIGN, EVENTS = "/api/v1/assign", "/api/v1/events"
REPORT = "/api/v1/experiments/home/report"
SERVER = "Bearer abtest_sk_" + "x" * 43
READER = "Bearer abtest_rk_" + "x" * 43


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def allowed(
    guard: Limits, path: str, address: str, calls: int, **environ: str
) -> tuple[int, int]:
    """Call at once; return how many pass, and the seconds the next has to wait."""
    passed, wait = 0, 0
    asked: dict[str, Any] = {
        "PATH_INFO": path,
        "REQUEST_METHOD": "GET",
        "REMOTE_ADDR": address,
        **environ,
    }
    for _ in range(calls):
        try:
            guard.check(asked)
        except AbtestError as error:
            wait = error.retry_after or 0
        else:
            passed += 1
    return passed, wait


def test_a_bucket_holds_its_burst_and_fills_at_its_rate(time: Time) -> None:
    buckets = Buckets(Rate(per_second=2, burst=10), time)
    assert [buckets.take("a") for _ in range(10)] == [0.0] * 10
    assert buckets.take("a") == pytest.approx(0.5)
    assert buckets.wait("a") == pytest.approx(0.5)
    assert buckets.take("b") == 0
    time.now += 2
    assert [buckets.take("a") for _ in range(4)] == [0.0] * 4
    assert buckets.take("a") > 0
    time.now += 3600
    assert sum(buckets.take("a") == 0 for _ in range(100)) == 10


def test_memory_is_bounded_and_busy_callers_are_not_forgotten(
    time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CAPACITY", 100)
    buckets = Buckets(Rate(per_second=0.001, burst=50), time)
    for stranger in range(2000):
        buckets.take(stranger)
        if stranger % 40 == 0:
            buckets.take("busy")
        assert len(buckets._young) + len(buckets._old) <= 200
    assert buckets.take("busy") > 0


def test_a_new_day_has_another_salt(time: Time) -> None:
    buckets = Buckets(Rate(per_second=0.0001, burst=1), time)
    salt = buckets._salt
    assert (buckets.take("a"), buckets.take("a") > 0) == (0.0, True)
    time.now += 86_401
    assert buckets.take("a") == 0
    assert buckets._salt != salt
    assert "a" not in repr(buckets._young)


def test_browsers_are_limited_by_network(settings: Settings, time: Time) -> None:
    guard = Limits(settings, time)
    assert allowed(guard, ASSIGN, "203.0.113.1", 300) == (200, 1)
    assert allowed(guard, ASSIGN, "203.0.113.2", 1) == (0, 1)
    assert allowed(guard, ASSIGN, "203.0.114.1", 1) == (1, 0)
    assert allowed(guard, EVENTS, "203.0.113.1", 300) == (100, 1)
    time.now += 10
    assert allowed(guard, EVENTS, "203.0.113.1", 300) == (100, 1)


def test_servers_and_readers_by_key(settings: Settings, time: Time) -> None:
    guard = Limits(settings, time)
    key = {"HTTP_AUTHORIZATION": SERVER}
    assert allowed(guard, EVENTS, "203.0.113.1", 6000, **key) == (5000, 1)
    other = {"HTTP_AUTHORIZATION": SERVER + "y"}
    assert allowed(guard, ASSIGN, "203.0.113.1", 300, **other) == (300, 0)
    reader = {"HTTP_AUTHORIZATION": READER}
    assert allowed(guard, REPORT, "203.0.113.1", 100, **reader) == (60, 1)
    assert allowed(guard, REPORT, "203.0.113.1", 100) == (60, 1)


def test_made_up_keys_do_not_help_for_long(settings: Settings, time: Time) -> None:
    guard = Limits(settings, time)
    passed = 0
    for number in range(1000):
        asked = {
            "PATH_INFO": EVENTS,
            "REQUEST_METHOD": "GET",
            "REMOTE_ADDR": "203.0.113.1",
            "HTTP_AUTHORIZATION": f"{SERVER}{number}",
        }
        try:
            guard.check(asked)
        except AbtestError:
            continue
        passed += 1
        guard.note_failure(asked)  # as a 401 does
    assert passed == limits.FAILURES.burst


def test_this_machine_and_other_paths_are_not_limited(
    settings: Settings, time: Time
) -> None:
    guard = Limits(settings, time)
    assert allowed(guard, ASSIGN, "127.0.0.1", 1000) == (1000, 0)
    assert allowed(guard, "/healthz", "203.0.113.1", 1000) == (1000, 0)
    behind = Limits(replace(settings, trusted_proxies=1), time)
    forwarded = {"HTTP_X_FORWARDED_FOR": "203.0.113.1"}
    assert allowed(behind, ASSIGN, "127.0.0.1", 300, **forwarded) == (200, 1)


def test_limits_can_be_switched_off(settings: Settings, time: Time) -> None:
    off = replace(
        settings,
        rate_assign="off",
        rate_events="off",
        rate_server="off",
        rate_read="off",
    )
    guard = Limits(off, time)
    for path in (ASSIGN, EVENTS, REPORT):
        assert allowed(guard, path, "203.0.113.1", 6000) == (6000, 0)


@pytest.mark.parametrize(
    "text", ["", "50", "50/0", "0/5", "0.0/5", "-1/5", "a/b", "OFF"]
)
def test_a_rate_that_is_none_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(AbtestError) as error:
        read_settings({"ABTEST_RATE_ASSIGN": text})
    assert "write it like 50/200" in error.value.detail


def test_rates_are_read() -> None:
    assert Rate.read("0.5/30") == Rate(per_second=0.5, burst=30)
    assert read_settings({"ABTEST_RATE_READ": "off"}).rate_read == "off"
