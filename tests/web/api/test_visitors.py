"""GET and DELETE /api/v1/visitors/{id}."""

from abtest.domain.access import KeyKind
from tests.web.api.conftest import Asker

WHO = "visitor-4711"
SHOP = "customer-0815"


def fill(ask: Asker) -> None:
    assigned = ask.assign({"visitor": WHO, "attributes": {"device": "phone"}})
    assert assigned.status == 200
    sent = ask.send(
        {
            "events": [
                {"type": "identify", "visitor": WHO, "customer": SHOP},
                {
                    "id": "0193a1b0-7c00-7000-8000-000000000001",
                    "type": "conversion",
                    "customer": SHOP,
                    "step": "purchase",
                    "value": 49.9,
                    "currency": "EUR",
                    "order": "A-1",
                    "at": "2026-03-02T11:00:00+01:00",
                },
                {"type": "refund", "order": "A-1"},
                {"type": "conversion", "visitor": "other", "step": "signup"},
            ]
        },
        key=KeyKind.SERVER,
    )
    assert sent.content["accepted"] == 4


def test_everything_about_a_person_is_shown(ask: Asker, running: str) -> None:
    fill(ask)
    shown = ask.manage("GET", f"/visitors/{WHO}")
    assert shown.status == 200
    content = shown.content
    assert (content["visitors"], content["customers"]) == ([WHO], [SHOP])
    (exposure,) = content["exposures"]
    assert exposure["experiment"] == running
    assert exposure["attributes"] == {"device": "phone"}
    assert content["conversions"] == [
        {
            "id": "0193a1b0-7c00-7000-8000-000000000001",
            "at": "2026-03-02T10:00:00Z",
            "received_at": "2026-03-02T12:00:00Z",
            "customer": SHOP,
            "step": "purchase",
            "value": 49.9,
            "currency": "EUR",
            "order": "A-1",
        }
    ]
    assert [e["order"] for e in content["refunds"]] == ["A-1"]
    assert [(e["visitor"], e["customer"]) for e in content["identities"]] == [
        (WHO, SHOP)
    ]
    assert ask.manage("GET", f"/visitors/{SHOP}?kind=customer").content == content


def test_an_erased_person_is_gone_from_everything(ask: Asker, running: str) -> None:
    fill(ask)
    gone = ask.manage("DELETE", f"/visitors/{SHOP}?kind=customer")
    assert (gone.status, gone.body) == (204, b"")
    assert ask.manage("GET", f"/visitors/{WHO}").status == 404
    assert ask.manage("DELETE", f"/visitors/{WHO}").status == 204
    report = ask.manage("GET", f"/experiments/{running}/report").content
    assert report["today"] == {"exposures": 0, "conversions": 0}
    again = ask.assign({"visitor": WHO}).content["assignments"][running]
    assert again["first_exposure"] is True
    audit = ask.manage("GET", "/audit")
    (entry,) = [e for e in audit.content["items"] if e["action"] == "person.erase"]
    assert (entry["subject"], entry["detail"]) == ("1 person", "4 events")
    assert WHO not in audit.body.decode()
    assert SHOP not in audit.body.decode()


def test_strangers_and_wrong_questions(ask: Asker) -> None:
    assert ask.manage("GET", "/visitors/nobody").status == 404
    assert ask.manage("DELETE", "/visitors/nobody").status == 204
    answer = ask.manage("GET", "/visitors/nobody?kind=person")
    assert (answer.status, answer.codes) == (400, [("?kind", "invalid_choice")])
    answer = ask.manage("DELETE", "/visitors/nobody?sort=customer")
    assert (answer.status, answer.codes) == (400, [("?sort", "unknown_parameter")])


def test_a_server_may_say_that_a_browser_told_it(ask: Asker, running: str) -> None:
    event = {"type": "conversion", "visitor": "v1", "step": "signup"}
    ask.send({"events": [event | {"trusted": False}]}, key=KeyKind.SERVER)
    ask.send({"events": [event | {"trusted": True}]}, key=KeyKind.PUBLISHABLE)
    ask.send({"events": [event]}, key=KeyKind.SERVER)
    told = ask.manage("GET", "/visitors/v1").content["conversions"]
    assert sorted(e.get("trusted", True) for e in told) == [False, False, True]
    assert running
