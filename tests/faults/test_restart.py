"""F13: the server is asked to end, and is started again, under load."""

import time

import pytest

from tests.faults.load import SIZE, count_events, sending, stored
from tests.faults.serving import Server

PATIENCE = 10.0
"""Seconds in which requests end after a signal to stop."""


@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_f13_restarts_cost_a_client_nothing_but_a_retry(
    server: Server, rounds: int
) -> None:
    stopped: list[float] = []
    with sending(server, "busy", count=16) as journal:
        for _ in range(rounds):
            before = journal.statuses[200]
            while journal.statuses[200] < before + 50:
                time.sleep(0.01)
            stopped.append(server.stop())  # ends with 0 and without a complaint
            server.start()
        before = journal.statuses[200]
        while journal.statuses[200] < before + 50:
            time.sleep(0.01)
    print(  # noqa: T201 - a measurement to be read
        f"\nstopped under load within {max(stopped):.2f} s, {rounds} times;"
        f" {journal.broken} requests found no server or were cut off"
    )
    assert max(stopped) <= PATIENCE
    assert journal.refused == []
    assert set(journal.statuses) <= {200, 503}
    site = server.site
    sent = [*journal.acknowledged, *journal.open.values()]
    found = stored(site.database, sent)
    assert all(found[batch] == SIZE for batch in journal.acknowledged)
    assert count_events(site.database) == sum(found.values())
    server.stop()
    assert site.is_sound()


def test_f13_who_waits_for_an_answer_gets_it(server: Server) -> None:
    """No request that the server has begun is cut off."""
    with sending(server, "last", count=16) as journal:
        while journal.statuses[200] < 100:
            time.sleep(0.01)
        server.stop()
        acknowledged = len(journal.acknowledged)
    here = stored(server.site.database, journal.acknowledged)
    assert set(here.values()) == {SIZE}
    # What is stored was answered: nothing was done in vain.
    unanswered = stored(server.site.database, journal.open.values())
    assert acknowledged == len(journal.acknowledged)
    assert set(unanswered.values()) <= {0}
