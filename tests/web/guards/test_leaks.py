"""Secrets, addresses and visitors stand nowhere but where they must."""

import io
import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from werkzeug.test import Client

from abtest.config import Settings
from abtest.domain.access import KeyKind, Role
from abtest.services.access import COMMAND_LINE, add_user
from abtest.store.protocol import Store
from abtest.web.context import Context
from abtest.web.guards.logs import ACCESS, set_up_logs
from tests.conftest import Clock
from tests.web.api.conftest import Asker

PASSWORD = "canary-password-41f7"
ADDRESS = "198.51.100.77"
PROPERTY = "canary-visitor-93ab"
FORM = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level, access = root.handlers[:], root.level, ACCESS.level
    out = io.StringIO()
    set_up_logs("json", out)
    yield out
    root.handlers[:] = handlers
    root.setLevel(level)
    ACCESS.setLevel(access)


def near(text: str, secret: str) -> str:
    """Return where the secret stands."""
    place = text.index(secret)
    return text[max(0, place - 80) : place + 10]


def test_nothing_leaks(
    log: io.StringIO,
    ask: Asker,
    running: str,
    client: Client,
    store: Store,
    context: Context,
    settings: Settings,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_user(
        store,
        "anna",
        password=PASSWORD,
        role=Role.ADMIN,
        caller=COMMAND_LINE,
        now=clock.time,
    )
    shown: list[str] = []
    stranger = {"REMOTE_ADDR": ADDRESS, "HTTP_USER_AGENT": PROPERTY}
    for kind, secret in ask.secrets.items():
        for path in ("/api/v1/assign", "/api/v1/events", "/api/v1/keys", "/metrics"):
            for method in ("GET", "POST"):
                for headers, query, body in (
                    ({"Authorization": f"Bearer {secret}"}, "", {"visitor": PROPERTY}),
                    ({"Authorization": f"Bearer {secret}x"}, "", {}),
                    ({}, f"?key={secret}", {"visitor": PROPERTY}),
                    ({}, "", {"visitor": PROPERTY, "key": secret}),
                ):
                    answer = client.open(
                        path + query,
                        method=method,
                        headers=headers,
                        data=json.dumps(body),
                        environ_overrides=stranger,
                    )
                    # The caller's own visitor id is its answer, and no leak.
                    shown.append(answer.text.replace(PROPERTY, ""))
        shown.append(client.get(f"/{secret}", environ_overrides=stranger).text)
        assert kind in KeyKind
    for password in (PASSWORD, PASSWORD + "x"):
        answer = client.post(
            "/login",
            data={"name": "anna", "password": password},
            headers=FORM,
            environ_overrides=stranger,
        )
        shown.append(answer.text)
    cookie = client.get_cookie("abtest_session")
    assert cookie is not None
    shown += [client.get(path).text for path in ("/", f"/experiments/{running}")]

    def broken(*_: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(store, "list_experiments", broken)
    assert ask.assign({"visitor": PROPERTY}).status == 500
    shown.append(client.get("/metrics").text)
    context.close()
    with closing(sqlite3.connect(settings.database)) as database:
        dump = "\n".join(database.iterdump())
    lines = log.getvalue()
    assert "out of order" in lines
    assert all(json.loads(line)["level"] for line in lines.splitlines())
    secrets = [*ask.secrets.values(), PASSWORD, cookie.value]
    for secret in secrets:
        assert secret not in lines
        assert secret not in dump
        # An unknown path is repeated to who asked for it.
        told = [text.replace(f"/{secret}", "") for text in shown]
        assert not [near(text, secret) for text in told if secret in text]
    for private in (ADDRESS, "198.51.100", PROPERTY):
        assert private not in lines
        assert private not in shown[-1]
    assert ADDRESS not in dump
