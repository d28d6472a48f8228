"""The whole service on an empty database, with a clock that tests move forward."""

import json
import shutil
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import make_server

from abtest.app import create_context, create_service
from abtest.config import Settings
from abtest.domain.access import KeyKind
from abtest.services.access import COMMAND_LINE, create_key, make_setup_token
from tests.browser.servers import PATIENCE, Json

BATCH = 500
"""Events that one call may bring."""


@dataclass(slots=True)
class MovingClock:
    """The clock of this machine, moved ahead as often as a test wants."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def wait(self, **time: int) -> None:
        """Let so many days or hours pass."""
        self.ahead += timedelta(**time)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A service that somebody has just started for the first time.

    Attributes:
        set_up_link: what `abtest serve` prints when there is no user yet.
        server_key: for the shop's own server.
    """

    address: str
    clock: MovingClock
    set_up_link: str
    server_key: str

    def report_events(self, events: Sequence[dict[str, Json]]) -> None:
        """Send events as the shop's server does; none may be refused."""
        for start in range(0, len(events), BATCH):
            batch = events[start : start + BATCH]
            request = urllib.request.Request(  # noqa: S310 - our own address
                f"{self.address}/api/v1/events",
                data=json.dumps({"events": batch}).encode(),
                headers={
                    "Authorization": f"Bearer {self.server_key}",
                    "Content-Type": "application/json",
                },
            )
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - our own address
                said = json.load(answer)
            assert said == {"accepted": len(batch), "duplicates": 0, "rejected": []}


@pytest.fixture
def installation(tmp_path: Path, empty_database: Path) -> Iterator[Installation]:
    path = Path(shutil.copy(empty_database, tmp_path))
    settings = Settings(
        database=str(path), durability="normal", base_url="", language="en"
    )
    clock = MovingClock()
    context = create_context(settings, now=clock)
    token = make_setup_token(context.store)
    key = create_key(
        context.store,
        KeyKind.SERVER,
        name="shop",
        origins=(),
        caller=COMMAND_LINE,
        now=clock(),
    )
    server = make_server("127.0.0.1", 0, create_service(context), threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    yield Installation(
        address=address,
        clock=clock,
        set_up_link=f"{address}/setup/{token}",
        server_key=key.secret,
    )
    server.shutdown()
    thread.join()
    server.server_close()
    context.close()
