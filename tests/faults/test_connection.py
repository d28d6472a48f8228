"""F18 and F19: what stands between client and server loses answers or makes its own."""

import http.client
from collections.abc import Iterator

import pytest

from tests.faults.load import SIZE, Batch, Journal, count_events
from tests.faults.proxy import LosingProxy
from tests.faults.serving import Connection, Server

BATCHES = 40


@pytest.fixture
def proxy(server: Server) -> Iterator[LosingProxy]:
    with LosingProxy(server) as proxy:
        yield proxy


@pytest.fixture
def client(server: Server, proxy: LosingProxy) -> Iterator[Connection]:
    with Connection(proxy.port, server.site.keys["sk"]) as connection:
        yield connection


def test_f18_an_answer_lost_after_the_commit(
    server: Server, proxy: LosingProxy, client: Connection
) -> None:
    journal = Journal()
    for number in range(BATCHES):
        batch = Batch(f"cut-{number}")
        proxy.to_lose = number % 4
        tries = 0
        while not journal.note(batch, client, "client"):
            tries += 1
        assert tries == number % 4
    assert set(proxy.lost) == {200}
    assert journal.refused == []
    assert journal.broken == len(proxy.lost) == sum(n % 4 for n in range(BATCHES))
    assert count_events(server.site.database) == BATCHES * SIZE
    # Each batch has as many visitors as conversions: half of its events.
    with server.connection("rk") as reading:
        report = reading.ask("GET", "/api/v1/experiments/home/report").content
    half = BATCHES * SIZE // 2
    assert report["today"] == {"exposures": half, "conversions": half}


def test_f18_an_assignment_whose_answer_was_lost(
    server: Server, proxy: LosingProxy, client: Connection
) -> None:
    proxy.to_lose = 1
    with pytest.raises((OSError, http.client.HTTPException)):
        client.assign("unlucky")
    again = client.assign("unlucky").content["assignments"]["home"]
    assert (again["in_experiment"], again["first_exposure"]) == (True, False)
    assert count_events(server.site.database) == 1


def test_f19_a_page_of_the_proxy_is_no_acknowledgement(
    server: Server, proxy: LosingProxy, client: Connection
) -> None:
    """What the browser's snippet does then is tests/browser/test_faults.py's."""
    journal = Journal()
    proxy.page = "<html><h1>502 Bad Gateway</h1></html>"
    batch = Batch("html")
    assert not journal.note(batch, client, "client")
    assert client.assign("v").status == 502
    proxy.page = ""
    assert journal.note(batch, client, "client")
    assert journal.refused == []
    assert count_events(server.site.database) == SIZE
