"""Can the service do its work now, and if not, why."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from abtest.domain.visitor import to_milliseconds
from abtest.errors import AbtestError, FieldError
from abtest.store.condition import StoreCondition
from abtest.store.protocol import Store

LEAST_FREE = 0.05
"""Share of the disk."""

MOST_LOG = 256 * 2**20
"""Bytes that wait to be merged; more means that something keeps them from it."""

MOST_AHEAD = timedelta(days=1)
"""How much later than now the newest event may have come."""


def find_obstacles(store: Store, now: datetime) -> tuple[FieldError, ...]:
    """Return what keeps the service from working, with a code for each.

    Nothing is found when it is ready. The store is really written to.
    """
    found: list[FieldError] = []
    try:
        store.check_writable()
    except AbtestError as error:
        found.append(obstacle("not_writable", error.detail))
    try:
        found += judge_condition(store.condition(), now)
    except AbtestError as error:
        found.append(obstacle("not_readable", error.detail))
    return tuple(found)


def judge_condition(condition: StoreCondition, now: datetime) -> Iterator[FieldError]:
    """Find fault with what a store tells of itself."""
    if condition.pending:
        names = ", ".join(condition.pending)
        yield obstacle("migrations_pending", f"{names}; run `abtest migrate`")
    if condition.disk_free < LEAST_FREE * condition.disk_size:
        yield obstacle(
            "disk_low",
            f"{condition.disk_free / 1e6:,.0f} MB of {condition.disk_size / 1e6:,.0f}"
            f" are free, less than {LEAST_FREE:.0%}; make room",
        )
    if condition.log_size > MOST_LOG:
        yield obstacle(
            "log_large",
            f"the write-ahead log has {condition.log_size / 1e6:,.0f} MB; end long"
            " reads of other programs, then restart the service",
        )
    latest = to_milliseconds(now + MOST_AHEAD)
    if condition.last_received is not None and condition.last_received > latest:
        yield obstacle(
            "clock_behind",
            "the newest event came more than a day after now; set the clock of the"
            " server",
        )


def obstacle(code: str, detail: str) -> FieldError:
    """Return one reason; it points to no field."""
    return FieldError(pointer="", code=code, detail=detail)
