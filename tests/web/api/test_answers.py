"""What all answers share: headers, problem details, CORS, health."""

from pathlib import Path

import pytest
from werkzeug.test import Client

from abtest.app import create_service
from abtest.config import Settings
from abtest.domain.access import KeyKind
from abtest.errors import AbtestError, ErrorCode
from abtest.store.protocol import Store
from abtest.web.api.routes import ROUTES
from abtest.web.context import Context
from abtest.web.errors import STATUS, TITLES, problem_reply
from tests.web.api.conftest import Asker


def place(path: str) -> str:
    return path.replace("{key}", "nope").replace("{id}", "nope")


PLACES = sorted({place(route.path) for route in ROUTES} | {"/", "/nope", "/api/x"})


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "TRACE"])
def test_every_answer_is_careful(client: Client, method: str, path: str) -> None:
    headers = client.open(path, method=method).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    if path != "/abtest.js":
        assert headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in headers
    is_open = path in {"/api/v1/assign", "/api/v1/events", "/abtest.js"}
    if not is_open:
        assert not [name for name, _ in headers if name.startswith("Access-Con")]


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/api/v1/nope", 404, "not_found"),
        ("GET", "/api/", 404, "not_found"),
        ("GET", "/ofrep/v1/nope", 404, "not_found"),
        ("DELETE", "/api/v1/events", 405, "method_not_allowed"),
        ("PUT", "/api/v1/experiments", 405, "method_not_allowed"),
        ("POST", "/healthz", 405, "method_not_allowed"),
        ("GET", "/api/v1/experiments", 401, "unauthenticated"),
    ],
)
def test_problems_have_one_shape(
    ask: Asker, method: str, path: str, status: int, kind: str
) -> None:
    answer = ask(method, path)
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.content == {
        "type": f"/problems/{kind}",
        "title": TITLES[kind],
        "status": status,
        "detail": answer.content["detail"],
        "instance": answer.headers["X-Request-Id"],
    }
    if status == 405:
        assert "Allow" in answer.headers


def test_every_code_has_a_status_and_a_title() -> None:
    assert STATUS.keys() == set(ErrorCode)
    assert {code.value for code in ErrorCode} <= TITLES.keys()
    expected = {
        "invalid": 400, "unauthenticated": 401, "not_allowed": 403, "not_found": 404,
        "conflict": 409, "too_large": 413, "rate_limited": 429, "unavailable": 503,
    }  # fmt: skip
    for code in ErrorCode:
        reply = problem_reply(AbtestError(code, "why"))
        assert reply.status == expected[code]
        has_retry = "Retry-After" in dict(reply.headers)
        assert has_retry == (reply.status in {429, 503})


def test_a_large_body_is_refused_everywhere(ask: Asker) -> None:
    body = b'{"x": "' + b"y" * 300_000 + b'"}'
    for path in ("/api/v1/assign", "/api/v1/events", "/api/v1/experiments"):
        answer = ask("POST", path, body, key=KeyKind.ADMIN)
        assert answer.status == 413
        assert answer.content["type"] == "/problems/too_large"


@pytest.mark.parametrize("path", ["/api/v1/assign", "/api/v1/events"])
def test_browsers_of_all_origins_may_ask(ask: Asker, path: str) -> None:
    asking = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = ask("OPTIONS", path, headers=asking)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST"
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert allowed == "authorization, content-type"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    refused = ask("POST", path, {})
    assert refused.status == 401
    assert refused.headers["Access-Control-Allow-Origin"] == "*"


def test_health(ask: Asker) -> None:
    assert ask("GET", "/healthz").content["status"] == "ok"
    assert ask("GET", "/readyz").content["status"] == "ready"


def test_readiness_fails_without_a_database(tmp_path: Path) -> None:
    settings = Settings(
        database=str(tmp_path / "none.db"),
        durability="full",
        base_url="",
        language="en",
    )

    def refuse() -> Store:
        raise AbtestError(ErrorCode.UNAVAILABLE, "the database cannot be opened")

    client = Client(create_service(Context(settings, refuse)))
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert client.post("/api/v1/assign", data=b"{}").status_code == 503


def test_the_snippet(client: Client) -> None:
    answer = client.get("/abtest.js")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    source = Path(__file__).parents[3] / "client_snippets" / "js" / "abtest.js"
    assert answer.get_data() == source.read_bytes()
