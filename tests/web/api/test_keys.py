"""/api/v1/keys and /api/v1/audit."""

from abtest.domain.access import KeyKind
from tests.web.api.conftest import Asker


def test_a_key_is_shown_once(ask: Asker) -> None:
    body = {"kind": "pk", "name": "shop", "origins": ["https://shop.example"]}
    answer = ask.manage("POST", "/keys", body)
    assert answer.status == 201
    made = answer.content
    assert (made["kind"], made["key"][:10]) == ("pk", "abtest_pk_")
    listed = ask.manage("GET", "/keys")
    assert made["key"] not in listed.body.decode()
    (found,) = [k for k in listed.content["items"] if k["id"] == made["id"]]
    assert (found["hint"], found["origins"]) == (made["key"][-4:], body["origins"])
    assert found["revoked_at"] is None
    assert listed.content["next_cursor"] is None


def test_a_made_key_works_until_it_is_revoked(ask: Asker) -> None:
    made = ask.manage("POST", "/keys", {"kind": "rk"}).content
    assert ask("GET", "/api/v1/experiments", key=made["key"]).status == 200
    gone = ask.manage("DELETE", f"/keys/{made['id']}")
    assert (gone.status, gone.body) == (204, b"")
    assert ask("GET", "/api/v1/experiments", key=made["key"]).status == 401
    assert ask.manage("DELETE", f"/keys/{made['id']}").status == 404


def test_wrong_keys_are_named(ask: Asker) -> None:
    for body, pointer, code in (
        ({}, "/kind", "required"),
        ({"kind": "zz"}, "/kind", "invalid_choice"),
        ({"kind": "sk", "origins": ["https://x.de"]}, "/origins", "unsupported"),
        ({"kind": "pk", "origins": ["*"]}, "/origins/0", "invalid_origin"),
        ({"kind": "pk", "scope": "all"}, "/scope", "unknown_field"),
    ):
        answer = ask.manage("POST", "/keys", body)
        assert (answer.status, answer.codes) == (400, [(pointer, code)])


def test_the_audit_log_says_who_did_what(ask: Asker) -> None:
    made = ask.manage("POST", "/keys", {"kind": "sk", "name": "shop"}).content
    ask.manage("DELETE", f"/keys/{made['id']}")
    page = ask.manage("GET", "/audit?limit=2").content
    assert [(e["action"], e["subject"]) for e in page["items"]] == [
        ("key.revoke", made["id"]),
        ("key.create", made["id"]),
    ]
    assert all(e["actor"].startswith("key key_") for e in page["items"])
    assert page["items"][0]["at"] == "2026-03-02T12:00:00Z"
    assert made["key"] not in ask.manage("GET", "/audit").body.decode()
    assert ask("GET", "/api/v1/audit", key=KeyKind.READ).status == 403
