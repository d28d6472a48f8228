"""Links for people without a login, and notes in the decision log."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from abtest.domain.access import Role
from abtest.domain.experiment import Action, ExperimentKey
from abtest.errors import AbtestError
from abtest.services.access import COMMAND_LINE, add_user, caller_of_user
from abtest.services.experiments import MAX_NOTE, act_on_experiment, add_note
from abtest.services.sharing import DAYS, share_results
from abtest.store.protocol import Store
from tests.conftest import Clock
from tests.services.traffic import KEY
from tests.web.pages.conftest import PASSWORD, SAME_SITE
from tests.web.pages.reading import elements, text_of

PAGE = "/experiments/home"

pytestmark = pytest.mark.usefixtures("shop")


@pytest.fixture
def stranger(flask_app: Flask) -> FlaskClient:
    """Somebody with no login and no session."""
    client = flask_app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en-GB"
    return client


@pytest.fixture
def viewer(flask_app: Flask, store: Store, clock: Clock) -> FlaskClient:
    add_user(
        store,
        "vera",
        password=PASSWORD,
        role=Role.VIEWER,
        caller=COMMAND_LINE,
        now=clock.time,
    )
    client = flask_app.test_client()
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    client.post("/login", data={"name": "vera", "password": PASSWORD})
    return client


def make_link(reader: FlaskClient, days: int = 7) -> str:
    """Make a link as a person would, and return its path."""
    page = reader.post(f"{PAGE}/links", data={"days": days}).text
    (field,) = (e for e in elements(page) if "readonly" in e.attributes)
    return "/share/" + field.attributes["value"].rpartition("/share/")[2]


def test_there_is_no_link_unless_somebody_makes_one(
    reader: FlaskClient, stranger: FlaskClient
) -> None:
    assert "End this link" not in reader.get(PAGE).text
    assert stranger.get("/share/guess").status_code == 404
    assert stranger.get(PAGE).status_code == 303


def test_a_link_shows_the_results_and_nothing_else(
    reader: FlaskClient, stranger: FlaskClient
) -> None:
    answer = stranger.get(make_link(reader))
    assert answer.status_code == 200
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    page = answer.text
    assert "B is better than A." in page
    tags = [e.tag for e in elements(page)]
    assert "form" not in tags
    assert "button" not in tags
    for element in elements(page):
        href = element.attributes.get("href", "#")
        assert href.startswith(("#", "/assets/")), href
    assert 'id="log"' not in page


def test_the_token_is_shown_once_and_stored_as_a_hash(
    reader: FlaskClient, store: Store
) -> None:
    token = make_link(reader).removeprefix("/share/")
    page = reader.get(PAGE).text
    assert token not in page
    assert "made on 20 Mar 2026 by anna, open until 27 Mar 2026" in page
    (link,) = store.list_share_links(KEY)
    assert token not in repr(link)
    assert len(token) >= 43


def test_a_link_ends_when_it_is_ended(
    reader: FlaskClient, stranger: FlaskClient, store: Store
) -> None:
    path = make_link(reader)
    (link,) = store.list_share_links(KEY)
    ended = reader.post(f"{PAGE}/links/{link.id}/revoke")
    assert ended.status_code == 303
    assert stranger.get(path).status_code == 404
    assert reader.post(f"{PAGE}/links/{link.id}/revoke").status_code == 404
    actions = [e.action for e in store.list_audit(limit=2)]
    assert actions == ["share.revoke", "share.create"]


def test_a_link_ends_on_its_day(
    reader: FlaskClient, stranger: FlaskClient, clock: Clock
) -> None:
    path, made = make_link(reader), clock.time
    clock.time = made + timedelta(days=7, seconds=-1)
    assert stranger.get(path).status_code == 200
    clock.time = made + timedelta(days=7)
    assert stranger.get(path).status_code == 404


@pytest.mark.parametrize("days", ["", "0", "8", "-7", "99999", "a"])
def test_other_days_are_refused(reader: FlaskClient, days: str) -> None:
    assert reader.post(f"{PAGE}/links", data={"days": days}).status_code == 400


def test_a_link_of_another_experiment_is_not_found_here(
    reader: FlaskClient, store: Store, clock: Clock
) -> None:
    share_results(store, KEY, days=DAYS[0], caller=COMMAND_LINE, now=clock.time)
    (link,) = store.list_share_links(KEY)
    answer = reader.post(f"/experiments/other/links/{link.id}/revoke")
    assert answer.status_code == 404
    with pytest.raises(AbtestError):
        share_results(
            store,
            ExperimentKey("other"),
            days=7,
            caller=COMMAND_LINE,
            now=clock.time,
        )


def test_who_may_only_look_gets_no_buttons_and_no_way(
    viewer: FlaskClient, store: Store
) -> None:
    page = viewer.get(PAGE).text
    assert "Make a link" not in page
    assert "Save the note" not in page
    assert viewer.post(f"{PAGE}/links", data={"days": 7}).status_code == 403
    assert viewer.post(f"{PAGE}/notes", data={"note": "x"}).status_code == 403
    assert store.list_share_links(KEY) == ()


def test_other_sites_make_no_links(reader: FlaskClient, store: Store) -> None:
    headers = {**SAME_SITE, "Sec-Fetch-Site": "cross-site"}
    answer = reader.post(f"{PAGE}/links", data={"days": 7}, headers=headers)
    assert answer.status_code == 403
    assert store.list_share_links(KEY) == ()


def test_a_note_stands_in_the_log_with_its_writer(
    reader: FlaskClient, store: Store
) -> None:
    answer = reader.post(f"{PAGE}/notes", data={"note": " Newsletter on <Monday>. "})
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("#log")
    log = text_of(reader.get(PAGE).text, "log")
    assert "noted Newsletter on <Monday>. by anna" in log
    assert store.list_audit(limit=1)[0].action == "experiment.note"


@pytest.mark.parametrize("note", ["", "  ", "x" * (MAX_NOTE + 1)])
def test_a_note_that_cannot_be_stored_stays_in_its_field(
    reader: FlaskClient, store: Store, note: str
) -> None:
    before = store.get_experiment(KEY)
    answer = reader.post(f"{PAGE}/notes", data={"note": note})
    assert answer.status_code == 422
    (field,) = (e for e in elements(answer.text) if e.attributes.get("id") == "note")
    assert field.attributes["aria-invalid"] == "true"
    assert "note-wrong" in field.attributes["aria-describedby"]
    assert field.text == note.strip()
    assert store.get_experiment(KEY) == before


def test_a_decision_tells_who_when_and_on_what(
    reader: FlaskClient, store: Store, clock: Clock
) -> None:
    content = reader.get(f"{PAGE}/report.json").get_json()
    act_on_experiment(store, KEY, Action.STOP, COMMAND_LINE, clock.time)
    form = {"variant": "b", "seen": "yes", "note": "better"}
    assert reader.post(f"{PAGE}/decide", data=form).status_code == 303
    entry = store.get_experiment(KEY).log[-1]
    assert (entry.action, entry.by) == ("decide", "user anna")
    assert content["event_digest"] in entry.report
    assert content["code_version"] in entry.report
    assert content["as_of"] in entry.report
    log = text_of(reader.get(PAGE).text, "log")
    assert f"by anna · report: {entry.report}" in log


def test_notes_of_services_are_checked_too(store: Store, clock: Clock) -> None:
    viewer = add_user(
        store,
        "vito",
        password=PASSWORD,
        role=Role.VIEWER,
        caller=COMMAND_LINE,
        now=clock.time,
    )
    for note in ("", " ", "x" * (MAX_NOTE + 1)):
        with pytest.raises(AbtestError):
            add_note(store, KEY, note, COMMAND_LINE, clock.time)
    with pytest.raises(AbtestError):
        add_note(store, KEY, "a note", caller_of_user(viewer), clock.time)
