"""Asks the service as programs do."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import Client

from abtest.domain.access import KeyKind
from abtest.services.access import COMMAND_LINE, create_key
from abtest.store.protocol import Store

HOME: dict[str, Any] = {
    "key": "home",
    "name": "Home page",
    "variants": [
        {"key": "a", "name": "Old"},
        {"key": "b", "name": "New", "payload": {"headline": "Grüß Gott"}},
    ],
    "funnel": [
        {"key": "signup", "kind": "lead"},
        {"key": "purchase", "kind": "main"},
    ],
    "first_conversion": {"step": "purchase"},
    "second_conversion": {"step": "purchase", "ordinal": 2},
    "weights": {"first": 1, "second": 3},
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `content` is the JSON, if it is JSON."""

    status: int
    headers: Headers
    body: bytes

    @property
    def content(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.body)

    @property
    def codes(self) -> list[tuple[str, str]]:
        """Pointers and codes of the complaints."""
        return [(e["pointer"], e["code"]) for e in self.content["errors"]]


class Asker:
    """Calls the service with a key of any kind."""

    def __init__(self, client: Client, secrets: Mapping[KeyKind, str]) -> None:
        self._client = client
        self.secrets = secrets

    def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: KeyKind | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        sent = dict(headers or {})
        if key is not None:
            secret = self.secrets[key] if isinstance(key, KeyKind) else key
            sent["Authorization"] = f"Bearer {secret}"
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = self._client.open(
            path, method=method, headers=sent, data=b"" if body is None else data
        )
        return Answer(response.status_code, response.headers, response.get_data())

    def assign(self, body: object) -> Answer:
        return self("POST", "/api/v1/assign", body, key=KeyKind.PUBLISHABLE)

    def send(self, body: object, *, key: KeyKind = KeyKind.PUBLISHABLE) -> Answer:
        return self("POST", "/api/v1/events", body, key=key)

    def manage(self, method: str, path: str, body: object = None) -> Answer:
        return self(method, f"/api/v1{path}", body, key=KeyKind.ADMIN)


@pytest.fixture
def secrets(store: Store) -> dict[KeyKind, str]:
    """One key of each kind."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    return {
        kind: create_key(store, kind, name="", caller=COMMAND_LINE, now=now).secret
        for kind in KeyKind
    }


@pytest.fixture
def ask(client: Client, secrets: dict[KeyKind, str]) -> Asker:
    return Asker(client, secrets)


@pytest.fixture
def running(ask: Asker) -> str:
    """An experiment that runs."""
    assert ask.manage("POST", "/experiments", HOME).status == 201
    assert ask.manage("POST", "/experiments/home/start").status == 200
    return "home"
