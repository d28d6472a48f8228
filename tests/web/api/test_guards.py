"""Keys guard what they should: who may do what, from where, and how it is refused."""

import pytest

from abtest.domain.access import KeyKind
from abtest.services.access import COMMAND_LINE, create_key, find_key, revoke_key
from abtest.store.protocol import Store
from abtest.web.api.routes import ROUTES
from abtest.web.context import Context
from tests.web.api.conftest import HOME, Asker

PK, SK, RK, AK = KeyKind

# Written down from the contract, not from the code.
WHO_MAY = {
    ("POST", "/api/v1/assign"): {PK, SK},
    ("GET", "/api/v1/assign"): {PK, SK},
    ("POST", "/api/v1/events"): {PK, SK},
    ("GET", "/api/v1/experiments"): {RK, AK},
    ("POST", "/api/v1/experiments"): {AK},
    ("GET", "/api/v1/experiments/{key}"): {RK, AK},
    ("PATCH", "/api/v1/experiments/{key}"): {AK},
    ("POST", "/api/v1/experiments/{key}/start"): {AK},
    ("POST", "/api/v1/experiments/{key}/pause"): {AK},
    ("POST", "/api/v1/experiments/{key}/resume"): {AK},
    ("POST", "/api/v1/experiments/{key}/close"): {AK},
    ("POST", "/api/v1/experiments/{key}/stop"): {AK},
    ("POST", "/api/v1/experiments/{key}/decide"): {AK},
    ("POST", "/api/v1/experiments/{key}/archive"): {AK},
    ("GET", "/api/v1/experiments/{key}/report"): {RK, AK},
    ("GET", "/api/v1/experiments/{key}/customers"): {RK, AK},
    ("GET", "/api/v1/experiments/{key}/costs"): {RK, AK},
    ("GET", "/api/v1/experiments/{key}/segments"): {RK, AK},
    ("GET", "/api/v1/experiments/{key}/timeseries"): {RK, AK},
    ("GET", "/api/v1/experiments/{key}/files/{name}"): {RK, AK},
    ("GET", "/api/v1/experiments/{key}/cohorts"): {RK, AK},
    ("GET", "/api/v1/funnel"): {RK, AK},
    ("POST", "/api/v1/plan"): {RK, AK},
    ("GET", "/api/v1/keys"): {AK},
    ("POST", "/api/v1/keys"): {AK},
    ("DELETE", "/api/v1/keys/{id}"): {AK},
    ("GET", "/api/v1/audit"): {AK},
    ("GET", "/api/v1/visitors/{id}"): {AK},
    ("DELETE", "/api/v1/visitors/{id}"): {AK},
    ("GET", "/api/v1/quality"): {RK, AK},
    ("GET", "/api/v1/experiments/{key}/quality"): {RK, AK},
}
FREE = {
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/abtest.js"),
    ("GET", "/metrics"),  # on the same machine; see tests/web/guards
}


def place(path: str) -> str:
    """Return an address of nothing that is there."""
    return path.replace("{key}", "nope").replace("{id}", "nope")


def test_every_route_is_guarded_or_free_on_purpose() -> None:
    assert {(r.method, r.path) for r in ROUTES} == WHO_MAY.keys() | FREE


@pytest.mark.parametrize("kind", KeyKind)
def test_the_kind_of_key_decides(ask: Asker, kind: KeyKind) -> None:
    for (method, path), kinds in WHO_MAY.items():
        answer = ask(method, place(path), {}, key=kind)
        if kind in kinds:
            assert answer.status not in {401, 403}, (method, path)
            continue
        assert answer.status == 403, (method, path)
        assert answer.content["type"] == "/problems/not_allowed"
        assert str(kind) in answer.content["detail"]
        assert any(str(k) in answer.content["detail"] for k in kinds)


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer abtest_ak_wrong",
        "Basic YWRtaW46YWRtaW4=",
        "Bearer \xff",
    ],
)
def test_without_a_known_key_nothing_is_told(ask: Asker, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    for method, path in WHO_MAY:
        answer = ask(method, place(path), {}, headers=headers)
        assert answer.status == 401, (method, path)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.content["type"] == "/problems/unauthenticated"


def test_a_revoked_key_opens_nothing(
    ask: Asker, store: Store, context: Context
) -> None:
    key = find_key(store, ask.secrets[AK])
    assert key is not None
    assert ask.manage("GET", "/keys").status == 200
    revoke_key(store, key.id, caller=COMMAND_LINE, now=context.now())
    assert ask.manage("GET", "/keys").status == 401


def test_a_publishable_key_may_stand_in_body_or_address(
    ask: Asker, running: str
) -> None:
    secret = ask.secrets[PK]
    bought = {"type": "conversion", "visitor": "v", "step": "purchase"}
    for path, body in (("assign", {"visitor": "v"}), ("events", bought)):
        assert ask("POST", f"/api/v1/{path}", {**body, "key": secret}).status == 200
        assert ask("POST", f"/api/v1/{path}?key={secret}", body).status == 200
    assert ask("GET", f"/api/v1/assign?key={secret}&visitor=v").status == 200
    assert running == "home"


@pytest.mark.parametrize("kind", [SK, RK, AK])
def test_a_secret_key_must_not_stand_there(ask: Asker, kind: KeyKind) -> None:
    secret = ask.secrets[kind]
    for answer in (
        ask("POST", f"/api/v1/assign?key={secret}", {}),
        ask("POST", "/api/v1/assign", {"key": secret}),
        ask("POST", "/api/v1/events", {"events": [], "key": secret}),
        ask("GET", f"/api/v1/assign?key={secret}"),
    ):
        assert answer.status == 400
        assert "Authorization: Bearer" in answer.content["detail"]
        assert secret not in answer.body.decode()
    assert ask("GET", f"/api/v1/experiments?key={secret}").status == 401


ORIGINS = ("https://www.example.com", "https://example.com:8443")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://www.example.com", True),
        ("https://example.com:8443", True),
        ("https://example.com", False),
        ("http://www.example.com", False),
        ("https://www.example.com.evil.org", False),
        ("https://evilwww.example.com", False),
        ("https://wwwXexample.com", False),
        ("https://www.example.com:443", False),
        ("https://www.example.com.", False),
        ("HTTPS://WWW.EXAMPLE.COM", False),
        ("https://www.example.com/", False),
        ("https://www.ex\u0430mple.com".encode().decode("latin-1"), False),
        ("null", False),
        ("", False),
    ],
)
def test_origins_are_compared_exactly(
    ask: Asker, store: Store, context: Context, *, origin: str, allowed: bool
) -> None:
    bound = create_key(
        store, PK, name="", origins=ORIGINS, caller=COMMAND_LINE, now=context.now()
    ).secret
    headers = {"Origin": origin} if origin else {}
    for path, body in (("assign", {"visitor": "v"}), ("events", {"events": []})):
        answer = ask("POST", f"/api/v1/{path}", body, key=bound, headers=headers)
        assert answer.status == (200 if allowed else 403)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_own_pages_may_ask_without_an_origin(
    ask: Asker, store: Store, context: Context
) -> None:
    bound = create_key(
        store, PK, name="", origins=ORIGINS, caller=COMMAND_LINE, now=context.now()
    ).secret
    assert ask("GET", "/api/v1/assign?visitor=v", key=bound).status == 200


def test_readers_do_not_see_the_salt(ask: Asker) -> None:
    ask.manage("POST", "/experiments", {**HOME, "salt": "grain"})
    path = "/api/v1/experiments/home"
    assert ask("GET", path, key=AK).content["salt"] == "grain"
    read = ask("GET", path, key=RK).content
    assert read["key"] == "home"
    assert "salt" not in read
