"""`abtest export`, `erase` and `gc`."""

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from abtest.services.access import COMMAND_LINE
from abtest.services.event_rules import EventRequest
from abtest.services.recording import record_events
from abtest.store.sqlite.store import open_store
from tests.cli.program import Program

SHOP = {
    "key": "shop",
    "name": "Shop",
    "variants": [{"key": "a"}, {"key": "b"}],
    "funnel": [{"key": "lead", "kind": "lead"}, {"key": "buy", "kind": "main"}],
    "first_conversion": {"step": "buy"},
    "second_conversion": {"step": "buy", "ordinal": 2},
    "window_days": 14,
    "weights": {"first": 1, "second": 3, "currency": "EUR"},
    "covariate": "orders",
}
OTHER = SHOP | {"key": "other", "covariate": None}
LATER = datetime(2026, 6, 1, tzinfo=UTC)


def told() -> list[EventRequest]:
    """Return what 60 visitors did in March 2026, some of them on two devices."""
    events: list[dict[str, object]] = []
    for i in range(60):
        day = f"2026-03-{1 + i % 20:02}"
        who, shop = f"visitor-{i:04}-on-a-device", f"customer-{i // 2:04}-in-the-shop"
        events += (
            {
                "type": "exposure",
                "experiment": "shop",
                "variant": "ab"[i % 3 % 2],
                "visitor": who,
                "at": f"{day}T08:00:00.123000Z",
                "attributes": {"orders": i % 4, "device": "phone"},
            },
            {
                "type": "conversion",
                "visitor": who,
                "step": "lead",
                "at": f"{day}T08:05:00Z",
            },
        )
        if i % 2:
            order: dict[str, object] = {
                "step": "buy",
                "currency": "EUR",
                "type": "conversion",
            }
            events += (
                order
                | {"visitor": who, "customer": shop, "at": f"{day}T09:00:00Z"}
                | {"value": 10.01 * i, "order": f"o{i}", "trusted": False},
                order
                | {"customer": shop, "at": f"{day}T09:00:01Z"}
                | {"value": 20.5, "order": f"o{i}"},
                order | {"customer": shop, "at": "2026-03-25T10:00:00Z", "value": 5},
            )
        if i % 4 == 1:
            partner = f"visitor-{i - 1:04}-on-a-device"
            events += (
                {
                    "type": "identify",
                    "visitor": partner,
                    "customer": shop,
                    "at": "2026-03-26T00:00:00Z",
                },
                {
                    "type": "refund",
                    "order": f"o{i}",
                    "value": 3,
                    "currency": "EUR",
                    "at": "2026-03-27T00:00:00Z",
                },
            )
    events.append(
        {"type": "cost", "experiment": "shop", "day": "2026-03-02", "amount": 9}
        | {"currency": "EUR", "at": "2026-03-02T00:00:00Z"}
    )
    return [msgspec.convert(event, EventRequest) for event in events]


def send(program: Program, events: list[EventRequest]) -> None:
    with closing(open_store(program.database)) as store:
        result = record_events(store, events, COMMAND_LINE, LATER)
    assert result.rejected == ()
    assert result.accepted == len(events)


def filled(folder: Path) -> Program:
    folder.mkdir(exist_ok=True)
    program = Program(folder)
    program.begin(SHOP)
    program.begin(OTHER)
    send(program, told())
    return program


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return filled(tmp_path)


def report(program: Program, key: str = "shop") -> str:
    return program.succeed("report", key, "--json", "--as-of", "2026-05-01")


def digest(program: Program) -> object:
    return json.loads(report(program))["event_digest"]


def test_events_go_out_and_come_in_again(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    done = program.answer("export", "shop", "--events", str(file))
    lines = file.read_bytes().splitlines()
    assert done.number("events") == len(lines) == len(told())
    elsewhere = Program(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()
    elsewhere.begin(SHOP)
    send(elsewhere, [msgspec.json.decode(line, type=EventRequest) for line in lines])
    assert digest(elsewhere) == digest(program)
    again = tmp_path / "again.jsonl"
    elsewhere.succeed("export", "shop", "--events", str(again))
    assert sorted(again.read_bytes().splitlines()) == sorted(lines)


def test_exported_events_can_be_imported(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    program.succeed("export", "shop", "--events", str(file))
    elsewhere = Program(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()
    elsewhere.begin(SHOP | {"covariate": None})
    columns = ("type", "at", "visitor", "customer", "variant", "step", "value")
    mapped = [f"--map={name}={name}" for name in (*columns, "order", "currency")]
    done = elsewhere.answer(
        *("import", "shop", str(file), *mapped, "--map=event=id"),
        "--translate=type:cost=ignore",
    )
    assert done.number("accepted") == len(told()) - 1
    assert (
        json.loads(report(elsewhere))["variants"][0]["visitors"]
        == (json.loads(report(program))["variants"][0]["visitors"])
    )


def test_a_person_is_shown_and_erased(program: Program, tmp_path: Path) -> None:
    who = "visitor-0001-on-a-device"
    file = tmp_path / "person.json"
    program.succeed("export", "--visitor", who, "--output", str(file))
    shown = json.loads(file.read_bytes())
    assert set(shown["visitors"]) == {who, "visitor-0000-on-a-device"}
    assert shown["customers"] == ["customer-0000-in-the-shop"]
    assert {e["at"] for e in shown["exposures"]} == {
        "2026-03-01T08:00:00.123000Z",
        "2026-03-02T08:00:00.123000Z",
    }
    by_customer = program.succeed("export", "--customer", "customer-0000-in-the-shop")
    assert json.loads(by_customer) == shown
    before = digest(program)
    erased = program.answer("erase", "--customer", "customer-0000-in-the-shop")
    assert erased.root == {"persons": 1, "events": 9}
    assert digest(program) != before
    assert "nothing is stored" in program.fail("export", "--visitor", who)
    assert "nothing is stored" in program.succeed("erase", "--visitor", who)
    program.succeed("verify")
    content = program.database.read_bytes()
    assert who.encode() not in content
    assert b"customer-0000" not in content
    assert b"customer-0001" in content


def test_what_is_asked_must_be_clear(program: Program, tmp_path: Path) -> None:
    for words in (
        ("export",),
        ("export", "shop"),
        ("export", "--events", str(tmp_path / "x")),
        ("export", "--visitor", "v", "--customer", "c"),
        ("export", "shop", "--events", str(tmp_path / "x"), "--visitor", "v"),
        ("erase",),
        ("gc", "--keep-days", "0"),
    ):
        assert program.run(*words).exit_code == 2, words
    assert "no experiment" in program.fail(
        "export", "nope", "--events", str(tmp_path / "x")
    )
    assert "kept for ever" in program.fail("gc")


def test_no_report_changes_when_old_events_go(program: Program) -> None:
    program.succeed("experiment", "stop", "shop")
    before = report(program)
    rehearsal = program.answer("gc", "--keep-days", "30", "--dry-run")
    assert rehearsal.number("visitors") == 60
    assert rehearsal.at("folded") == {}
    assert report(program) == before
    done = program.answer("gc", "--keep-days", "30", "--vacuum")
    for name in ("persons", "visitors", "events"):
        assert done.number(name) == rehearsal.number(name)
    assert done.at("experiments") == ["shop"]
    assert done.at("folded") == {"shop": 60}
    assert done.number("after.total") < done.number("before.total")
    assert report(program) == before
    program.succeed("verify")
    program.succeed("rebuild")
    assert report(program) == before
    text = program.succeed("gc", "--keep-days", "30")
    assert "0 events of 0 persons" in text
    assert "shop: 60 visitors are in the sums alone" in text


def test_persons_of_a_running_experiment_stay(program: Program) -> None:
    assert program.answer("gc", "--keep-days", "30").number("events") == 0
    with closing(open_store(program.database)) as store:
        late = [EventRequest(type="conversion", visitor="v", step="buy", at=LATER)]
        result = record_events(store, late, COMMAND_LINE, LATER.replace(month=7))
    assert [r.code for r in result.rejected] == ["before_retention"]


def test_an_import_into_a_folded_experiment_is_refused(
    program: Program, tmp_path: Path
) -> None:
    program.succeed("experiment", "stop", "shop")
    program.succeed("gc", "--keep-days", "30")
    file = tmp_path / "late.csv"
    file.write_text("visitor,variant,at\nv1,a,2026-03-01\n")
    columns = [f"--map={name}={name}" for name in ("visitor", "variant", "at")]
    assert "new experiment" in program.fail("import", "shop", str(file), *columns)
    assert "older events were deleted" in program.fail(
        "import", "other", str(file), *columns
    )


def test_the_audit_log_names_nobody(program: Program) -> None:
    program.succeed("experiment", "stop", "shop")
    program.succeed("erase", "--visitor", "visitor-0001-on-a-device")
    program.succeed("gc", "--keep-days", "30")
    with closing(open_store(program.database)) as store:
        folding, erasure = store.list_audit(limit=2)
    assert (erasure.action, erasure.subject) == ("person.erase", "1 person")
    assert (folding.action, folding.actor) == ("events.fold", "command line")
    assert "visitor-" not in f"{erasure}{folding}"
