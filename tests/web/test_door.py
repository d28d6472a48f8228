"""Both doors give the same answer to every request, good or bad."""

import io
import json
from dataclasses import dataclass
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment
from wsgiref.util import setup_testing_defaults

import pytest

from abtest.app import create_flask
from abtest.config import Settings
from abtest.domain.access import KeyKind
from abtest.domain.experiment import Action
from abtest.services.access import COMMAND_LINE, create_key
from abtest.services.experiments import act_on_experiment, create_experiment
from abtest.store.protocol import Store
from abtest.web.context import Context
from abtest.web.door import Door
from tests.services.definitions import HOME

ASSIGN, EVENTS = "/api/v1/assign", "/api/v1/events"
BOUGHT = {"id": "1", "type": "conversion", "visitor": "v1", "step": "purchase"}
MANY = {"events": [{**BOUGHT, "id": str(n)} for n in range(501)]}

CORPUS: list[tuple[str, bytes | object, dict[str, str]]] = [
    (ASSIGN, {"visitor": "v1"}, {}),
    (ASSIGN, {"visitor": "v1", "experiments": ["home", "nope"]}, {}),
    (ASSIGN, {"visitor": "v2", "consent": False}, {}),
    (ASSIGN, {"visitor": "v3", "force": {"home": "b"}}, {}),
    (ASSIGN, {"visitor": "v4"}, {"HTTP_SEC_PURPOSE": "prefetch"}),
    (ASSIGN, {"visitor": "v5"}, {"HTTP_USER_AGENT": "Googlebot/2.1"}),
    (ASSIGN, {"visitor": "Grüße ✓"}, {"CONTENT_TYPE": "text/plain"}),
    (ASSIGN, {"visitor": "me@example.com"}, {}),
    (ASSIGN, {"visitor": 1}, {}),
    (ASSIGN, {"visitor": "v" * 1000}, {}),
    (ASSIGN, b"", {}),
    (ASSIGN, b"{", {}),
    (ASSIGN, b"[" * 50_000, {}),
    (ASSIGN, b'{"visitor": "\xff"}', {}),
    (ASSIGN, {"visitor": "v1"}, {"HTTP_AUTHORIZATION": ""}),
    (ASSIGN, {"visitor": "v1"}, {"HTTP_AUTHORIZATION": "Bearer wrong"}),
    (ASSIGN, {"visitor": "v1"}, {"HTTP_AUTHORIZATION": "Basic eA=="}),
    (ASSIGN, {"visitor": "v1"}, {"QUERY_STRING": "key=wrong&x=%ff"}),
    (ASSIGN, {"visitor": "v1"}, {"HTTP_ORIGIN": "https://evil.example"}),
    (EVENTS, BOUGHT, {}),
    (EVENTS, BOUGHT, {}),
    (EVENTS, {"events": [BOUGHT, {**BOUGHT, "id": "2"}]}, {}),
    (EVENTS, {"events": [{**BOUGHT, "step": "x"}, {**BOUGHT, "value": "1"}]}, {}),
    (EVENTS, {"events": [1, None, {}]}, {}),
    (EVENTS, {"events": 5}, {}),
    (EVENTS, {"type": "exposure", "visitor": "v", "experiment": "home"}, {}),
    (EVENTS, b"[1]", {}),
    (EVENTS, b'{"events": [', {}),
    (EVENTS, MANY, {}),
    (EVENTS, {"padding": "x" * 300_000}, {}),
    (EVENTS, BOUGHT, {"CONTENT_LENGTH": ""}),
    (EVENTS, BOUGHT, {"CONTENT_LENGTH": "-1"}),
    (EVENTS, BOUGHT, {"REQUEST_METHOD": "PUT"}),
    (EVENTS, b"", {"REQUEST_METHOD": "OPTIONS"}),
    (ASSIGN, b"", {"REQUEST_METHOD": "OPTIONS"}),
    (ASSIGN, b"", {"REQUEST_METHOD": "GET", "QUERY_STRING": "visitor=v1"}),
    (ASSIGN, b"", {"REQUEST_METHOD": "HEAD", "QUERY_STRING": "visitor=v1"}),
    (EVENTS + "/", BOUGHT, {}),
    ("/api/v1/nothing", BOUGHT, {}),
]


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.body)


def environ(path: str, body: bytes | object, extra: dict[str, str]) -> WSGIEnvironment:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    asked: WSGIEnvironment = {
        "PATH_INFO": path,
        "REQUEST_METHOD": "POST",
        "QUERY_STRING": "",
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.input": io.BytesIO(content),
        **extra,
    }
    setup_testing_defaults(asked)
    return asked


def call(app: WSGIApplication, asked: WSGIEnvironment) -> Answered:
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _info: object = None) -> Any:  # noqa: ANN401 - nobody writes with it
        told.append((status, headers))

    chunks = app(asked, start)
    body = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    ((status, headers),) = told
    assert len(headers) == len({name.lower() for name, _ in headers})
    return Answered(int(status[:3]), {n.lower(): v for n, v in headers}, body)


@pytest.fixture
def secret(store: Store, context: Context) -> str:
    made = create_experiment(store, HOME, COMMAND_LINE, context.now())
    act_on_experiment(store, made.key, Action.START, COMMAND_LINE, context.now())
    new = create_key(
        store, KeyKind.PUBLISHABLE, name="", caller=COMMAND_LINE, now=context.now()
    )
    return new.secret


def through(app: WSGIApplication, secret: str, index: int) -> Answered:
    path, body, extra = CORPUS[index]
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {secret}"}
    return call(app, environ(path, body, {**bearer, **extra}))


@pytest.mark.parametrize("index", range(len(CORPUS)))
def test_both_doors_answer_alike(context: Context, secret: str, index: int) -> None:
    flask = create_flask(context).wsgi_app
    door = Door(flask, context)
    # Once before, so that what is new to the one is not to the other.
    through(door, secret, index)
    assert through(door, secret, index) == through(flask, secret, index)
    assert through(flask, secret, index) == through(door, secret, index)


def test_only_what_is_usual_skips_flask(context: Context, secret: str) -> None:
    asked: list[str] = []

    def inner(asking: WSGIEnvironment, start_response: Any) -> list[bytes]:  # noqa: ANN401
        asked.append(asking["PATH_INFO"])
        start_response("200 OK", [])
        return []

    door = Door(inner, context)
    for index in range(len(CORPUS)):
        through(door, secret, index)
    unusual = [path for path, _, _ in CORPUS[29:]]
    assert asked == unusual


def test_an_error_nobody_expected_tells_nothing(
    settings: Settings, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Store:
        raise RuntimeError("the secret of the house")

    context = Context(settings, broken)
    flask = create_flask(context).wsgi_app
    for app in (Door(flask, context), flask):
        answer = through(app, secret, 0)
        assert answer.status == 500
        assert answer.content["type"] == "/problems/internal"
        assert b"secret of the house" not in answer.body
    assert "the secret of the house" in caplog.text
