"""F14 and F15: two servers on one database, and one visitor many times at once."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

from tests.faults.conftest import StartServer
from tests.faults.load import SIZE, sending, stored
from tests.faults.serving import Answer, Server, Site

VISITORS = 50


def exposures(site: Site) -> Counter[str]:
    """Return how often each visitor was exposed."""
    with closing(sqlite3.connect(site.database)) as connection:
        return Counter(
            name
            for (name,) in connection.execute(
                "SELECT node.name FROM event JOIN node ON node.id = event.visitor"
                " WHERE event.kind = 1"
            )
        )


def ask_at_once(servers: Sequence[Server], visitor: str) -> list[Answer]:
    """Assign one visitor by all servers at the same moment."""
    barrier = Barrier(len(servers))

    def ask(server: Server) -> Answer:
        with server.connection() as connection:
            connection.ask("GET", "/healthz")  # it is connected now
            barrier.wait()
            return connection.assign(visitor)

    with ThreadPoolExecutor(len(servers)) as pool:
        return list(pool.map(ask, servers))


def check_one_exposure(answers: Sequence[Answer]) -> None:
    assert {answer.status for answer in answers} == {200}
    shown = [answer.content["assignments"]["home"] for answer in answers]
    assert len({told["variant"] for told in shown}) == 1
    assert sum(told["first_exposure"] for told in shown) == 1
    assert all(told["in_experiment"] for told in shown)


def test_f14_two_servers_on_one_database(site: Site, start_server: StartServer) -> None:
    servers = [start_server(), start_server()]
    assert servers[0].port != servers[1].port
    with (
        sending(servers[0], "left", count=4) as left,
        sending(servers[1], "right", count=4) as right,
    ):
        for number in range(VISITORS):
            check_one_exposure(ask_at_once(servers, f"both-{number}"))
    for journal in (left, right):
        assert journal.refused == []
        assert journal.broken == 0
        # On a starved machine one may keep the other waiting: it is told to try again.
        assert set(journal.statuses) <= {200, 503}
        assert journal.statuses[200] > 10 * journal.statuses[503]
        assert set(stored(site.database, journal.acknowledged).values()) == {SIZE}
    seen = exposures(site)
    assert all(seen[f"both-{number}"] == 1 for number in range(VISITORS))
    for server in servers:
        server.stop()
    assert site.is_sound()


def test_f14_a_server_that_ends_leaves_the_other_alone(
    site: Site, start_server: StartServer
) -> None:
    first, second = start_server(), start_server()
    with sending(second, "stays") as journal:
        first.stop()
        before = journal.statuses[200]
        while journal.statuses[200] < before + 20:
            assert not journal.refused
    assert set(journal.statuses) == {200}
    second.kill()
    second.start()
    assert set(stored(site.database, journal.acknowledged).values()) == {SIZE}


def test_f15_a_visitor_fifty_times_at_once(server: Server) -> None:
    for number in range(5):
        check_one_exposure(ask_at_once([server] * 50, f"eager-{number}"))
    assert exposures(server.site) == {f"eager-{number}": 1 for number in range(5)}
