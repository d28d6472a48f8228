"""A site and servers on it; whatever was started is ended."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.serving import Server, Site

StartServer = Callable[..., Server]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.make(tmp_path)


@pytest.fixture
def start_server(site: Site) -> Iterator[StartServer]:
    """Starts a server on the site, as often as called."""
    servers: list[Server] = []

    def start(**options: object) -> Server:
        server = Server(**{"site": site, **options})  # type: ignore[arg-type]  # passed on
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.end()


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server()
