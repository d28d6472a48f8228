"""Keys, people, privacy, system, audit log and API: what each shows and lets do."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from abtest.domain.access import AuditEntry, KeyKind, Role
from abtest.domain.person import NameKind, PersonName
from abtest.services.access import (
    COMMAND_LINE,
    add_user,
    create_key,
    find_key,
)
from abtest.services.backups import keep_of, take_backup
from abtest.services.examining import examine_store
from abtest.store.protocol import Store
from abtest.web.context import Context
from tests.conftest import Clock
from tests.web.pages.conftest import NAME, PASSWORD
from tests.web.pages.reading import by_attribute, elements, problems, text_of

ROOMS = ("keys", "users", "privacy", "system", "audit", "account")


@pytest.fixture(params=[Role.VIEWER, Role.EDITOR])
def onlooker(
    request: pytest.FixtureRequest, visitor: FlaskClient, store: Store, clock: Clock
) -> FlaskClient:
    """Somebody signed in who is no admin."""
    add_user(
        store,
        "otto",
        password=PASSWORD,
        role=request.param,
        caller=COMMAND_LINE,
        now=clock.time,
    )
    visitor.post("/login", data={"name": "otto", "password": PASSWORD})
    return visitor


def copy_of_2_5_megabytes(path: Path) -> None:
    path.write_bytes(bytes(2_500_000))


def any_visitor(store: Store) -> str:
    events = store.experiment_events(store.list_experiments()[0].key)
    return next(str(v) for e in events if (v := getattr(e, "visitor", None)))


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_for_people_who_are_signed_in(
    visitor: FlaskClient, room: str
) -> None:
    answer = visitor.get(f"/settings/{room}")
    assert answer.location == f"/login?next=/settings/{room}"


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("room", ROOMS)
def test_the_bar_shows_where_one_is(
    reader: FlaskClient, room: str, language: str
) -> None:
    page = reader.get(f"/settings/{room}", headers={"Accept-Language": language}).text
    here = [e.attributes["href"] for e in by_attribute(page, "aria-current")]
    assert here == ["/settings/keys", f"/settings/{room}"]


@pytest.mark.parametrize("room", ROOMS[:-1])
def test_who_is_no_admin_may_only_look(onlooker: FlaskClient, room: str) -> None:
    page = onlooker.get(f"/settings/{room}").text
    forms = [e.attributes for e in elements(page) if e.tag == "form"]
    own = [f["action"] for f in forms if f["action"].startswith(f"/settings/{room}")]
    assert own == (["/settings/audit"] if room == "audit" else [])


@pytest.mark.parametrize(
    "path",
    [
        "keys",
        "keys/key_1/rotate",
        "keys/key_1/revoke",
        "users",
        "users/otto/role",
        "users/otto/password",
        "users/otto/remove",
        "privacy/find",
        "privacy/export",
        "privacy/erase",
    ],
)
def test_who_is_no_admin_is_refused(onlooker: FlaskClient, path: str) -> None:
    answer = onlooker.post(f"/settings/{path}", data={"role": "admin", "name": "otto"})
    assert answer.status_code == 403
    assert "ask somebody with the role admin" in answer.text


def test_a_key_is_made_and_its_secret_shown_once(
    reader: FlaskClient, store: Store
) -> None:
    assert "There is no key yet." in reader.get("/settings/keys").text
    form = {"kind": "pk", "name": "Shop", "origins": "https://a.example\r\n"}
    page = reader.post("/settings/keys", data=form).text
    key = find_key(store, text_of(page, "new-key"))
    assert key is not None
    assert (key.kind, key.name) == (KeyKind.PUBLISHABLE, "Shop")
    assert key.origins == ("https://a.example",)
    again = reader.get("/settings/keys").text
    assert text_of(page, "new-key") not in again
    (row,) = by_attribute(again, "data-key")
    assert "Shop Web page pk · in use" in row.text
    assert "https://a.example" in row.text


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        ({"name": "x"}, "kind", "Please choose what the key is for."),
        ({"kind": "zz", "name": "x"}, "kind", "Please choose what the key is for."),
        ({"kind": "pk"}, "name", "Please give the key a name"),
        ({"kind": "pk", "name": "x", "origins": "a.example"}, "origins", "https://"),
        ({"kind": "sk", "name": "x", "origins": "https://a.b"}, "origins", "Only keys"),
    ],
)
def test_a_wrong_form_keeps_what_was_entered(
    reader: FlaskClient, store: Store, form: dict[str, str], field: str, words: str
) -> None:
    answer = reader.post("/settings/keys", data=form)
    assert answer.status_code == 400
    assert list(problems(answer.text)) == [field]
    assert words in problems(answer.text)[field]
    assert f'href="#{field}"' in answer.text
    for value in (form.get("name"), form.get("origins")):
        assert value is None or value in answer.text
    assert store.list_keys() == ()


def test_a_key_is_renewed_and_revoked(
    reader: FlaskClient, store: Store, clock: Clock
) -> None:
    old = create_key(
        store, KeyKind.SERVER, name="CRM", caller=COMMAND_LINE, now=clock.time
    )
    page = reader.post(f"/settings/keys/{old.key.id}/rotate").text
    new = text_of(page, "new-key")
    key = find_key(store, new)
    assert key is not None
    assert key.name == "CRM"
    assert find_key(store, old.secret) is None
    answer = reader.post(f"/settings/keys/{key.id}/revoke")
    assert (answer.status_code, answer.location) == (303, "/settings/keys?done=revoked")
    assert find_key(store, new) is None
    page = reader.get(answer.location).text
    assert "The key was revoked." in page
    assert by_attribute(page, "data-key") == []
    assert page.count("revoked on 20 Mar 2026") == 2
    assert reader.post(f"/settings/keys/{key.id}/revoke").status_code == 404


@pytest.mark.usefixtures("shop")
def test_a_person_is_found_handed_out_and_erased(
    reader: FlaskClient, store: Store
) -> None:
    who = {"kind": "visitor", "name": any_visitor(store)}
    page = reader.post("/settings/privacy/find", data=who).text
    assert "Visitor ids (devices) 1" in text_of(page, "found")
    assert "Variants seen 1" in text_of(page, "found")
    answer = reader.post("/settings/privacy/export", data=who)
    assert answer.content_type == "application/json"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert json.loads(answer.text)["visitors"] == [who["name"]]
    unsure = reader.post("/settings/privacy/erase", data=who)
    assert unsure.status_code == 400
    assert list(problems(unsure.text)) == ["confirmed"]
    sure = {**who, "confirmed": "yes"}
    answer = reader.post("/settings/privacy/erase", data=sure)
    assert answer.location == "/settings/privacy?done=erased"
    assert who["name"] not in answer.location
    assert "The person was erased" in reader.get(answer.location).text
    name = PersonName(kind=NameKind.VISITOR, name=who["name"])
    assert store.find_person(name) is None
    again = reader.post("/settings/privacy/erase", data=sure)
    assert again.location == "/settings/privacy?done=unknown"


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [("", 400, "Please enter an id."), ("x<b>", 404, "Nothing is stored under this")],
)
def test_nobody_found(reader: FlaskClient, name: str, status: int, words: str) -> None:
    form = {"kind": "customer", "name": name}
    answer = reader.post("/settings/privacy/find", data=form)
    assert answer.status_code == status
    assert words in problems(answer.text)["name"]
    assert "<b>" not in answer.text


def test_the_policy_stands_there_in_both_languages(
    reader: FlaskClient, context: Context
) -> None:
    page = reader.get("/settings/privacy").text
    assert "kept until you delete them" in text_of(page, "retention")
    for tag, words in (("de", "§ 25 Abs. 1 TDDDG"), ("en", "Article 6(1)(a) GDPR")):
        assert words in text_of(page, f"policy-{tag}")
    assert "[DAUER]" in text_of(page, "policy-de")
    assert "no legal advice" in page
    context.settings = replace(context.settings, keep_events_days=400)
    page = reader.get("/settings/privacy").text
    assert "kept for 400 days" in text_of(page, "retention")
    assert "nach 400 Tagen" in text_of(page, "policy-de")
    assert "after 400 days" in text_of(page, "policy-en")


def test_the_system_shows_what_the_doctor_finds(
    reader: FlaskClient, context: Context, store: Store, clock: Clock
) -> None:
    page = reader.get("/settings/system").text
    shown = [e.attributes["data-check"] for e in by_attribute(page, "data-check")]
    found = [f.state.value for f in examine_store(context.settings, store, clock.time)]
    assert sorted(shown) == sorted(found)
    assert shown[0] == "warning"
    assert "ABTEST_BACKUP_DIR is not set" in page
    assert text_of(page, "summary") == "Everything works. 1 thing wants a look."


def test_the_system_tells_the_age_of_the_backup(
    reader: FlaskClient, context: Context, clock: Clock, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    context.settings = replace(context.settings, backup_dir=str(folder))
    take_backup(
        copy_of_2_5_megabytes,
        folder,
        database=Path(context.settings.database),
        keep=keep_of(context.settings),
        now=clock.time,
    )
    clock.time += timedelta(hours=5)
    page = reader.get("/settings/system", headers={"Accept-Language": "de"}).text
    assert "vor 5 Stunden" in page
    assert "2,5\N{NO-BREAK SPACE}MB" in page
    clock.time += timedelta(days=3)
    answer = reader.post("/login", data={"name": NAME, "password": PASSWORD})
    assert answer.status_code == 303
    page = reader.get("/settings/system").text
    assert "3 days ago" in page
    assert text_of(page, "summary") == "1 thing needs to be mended."


@pytest.mark.usefixtures("shop")
def test_the_system_counts_what_came_in_lately(
    reader: FlaskClient, clock: Clock, store: Store
) -> None:
    last = store.condition().last_received
    assert last is not None
    # 20 days of two variants with 100 visitors each, 98 of whom converted.
    for seconds, counts in ((30, "5,960 / 5,960"), (90, "0 / 5,960"), (4000, "0 / 0")):
        clock.time = datetime.fromtimestamp(last / 1000 + seconds, UTC)
        page = reader.get("/settings/system").text
        assert f"<dd>{counts}</dd>" in page


def test_every_setting_is_shown_with_its_origin(
    reader: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABTEST_LOG", "text")
    page = reader.get("/settings/system").text
    rows = {e.attributes["data-setting"]: e for e in by_attribute(page, "data-setting")}
    assert rows["ABTEST_LOG"].text.endswith("environment")
    assert rows["ABTEST_DURABILITY"].text.endswith("normal usual value")


def test_the_audit_log_is_turned_leaf_by_leaf(
    reader: FlaskClient, store: Store, clock: Clock
) -> None:
    for number in range(60):
        entry = AuditEntry(
            at=clock.time, actor="user anna", action="odd.thing", subject=f"s{number}"
        )
        store.append_audit(entry)
    page = reader.get("/settings/audit").text
    rows = [e.text for e in by_attribute(page, "data-entry")]
    assert len(rows) == 50
    assert rows[0].endswith("anna odd.thing s59")
    (older,) = re.findall(r'href="(/settings/audit\?before=\d+)"', page)
    page = reader.get(older).text
    rows = [e.text for e in by_attribute(page, "data-entry")]
    assert rows[0].endswith("s9")
    assert len(rows) == 11  # and anna, who was added by the command line
    assert "added a person" in rows[-1]
    assert "Back to the newest" in page
    assert reader.get("/settings/audit?before=x").status_code == 200


@pytest.mark.usefixtures("shop")
def test_the_audit_log_of_one_experiment(
    reader: FlaskClient, store: Store, clock: Clock
) -> None:
    assert (
        "Nothing was done to this" in reader.get("/settings/audit?experiment=home").text
    )
    for action, subject in (("experiment.stop", "home"), ("key.revoke", "k")):
        entry = AuditEntry(
            at=clock.time, actor="key k9", action=action, subject=subject
        )
        store.append_audit(entry)
    page = reader.get("/settings/audit?experiment=home").text
    (row,) = by_attribute(page, "data-entry")
    assert "key “k9” stopped the experiment Home page" in row.text
    assert 'href="/experiments/home"' in page


def test_the_api_page_is_open_and_in_the_frame(visitor: FlaskClient) -> None:
    page = visitor.get("/api/docs", headers={"Accept-Language": "de"}).text
    assert "Für Webseiten und Shops" in page
    assert "/api/v1/assign" in page


def test_a_key_never_used_is_told_from_one_in_use(
    reader: FlaskClient, store: Store, clock: Clock
) -> None:
    for name in ("quiet", "busy"):
        new = create_key(
            store, KeyKind.READ, name=name, caller=COMMAND_LINE, now=clock.time
        )
    find_key(store, new.secret)
    rows = by_attribute(reader.get("/settings/keys").text, "data-key")
    assert ["in use" in row.text for row in rows] == [True, False]
