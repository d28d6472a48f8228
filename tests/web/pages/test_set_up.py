"""Setting up: the form, its buttons, previews, and what is fixed."""

import pytest
from flask.testing import FlaskClient

from abtest.domain.access import Role
from abtest.domain.experiment import ExperimentKey, Status
from abtest.domain.funnel import LaterStep, MoneyWeights, Repeat
from abtest.services.access import COMMAND_LINE, add_user
from abtest.store.protocol import Store
from tests.conftest import Clock
from tests.web.pages.filling import GERMAN, links_of_summary, typed, values, wrong
from tests.web.pages.reading import by_attribute, elements


def test_the_overview_leads_to_a_new_experiment(reader: FlaskClient) -> None:
    links = [e.attributes["href"] for e in by_attribute(reader.get("/").text, "href")]
    assert "/experiments/new" in links
    assert reader.get("/experiments/new").status_code == 200


def test_a_draft_is_stored_and_shown_again(reader: FlaskClient, store: Store) -> None:
    answer = reader.post("/experiments/new", data=typed())
    assert answer.status_code == 303
    key = ExperimentKey("groessere-ueberschrift")
    assert answer.location == f"/experiments/{key}/set-up?done=saved"
    stored = store.get_experiment(key)
    assert stored.status is Status.DRAFT
    assert stored.coverage == 0.5
    assert stored.step_keys == ("sign-up", "purchase")
    assert stored.goal.first == "sign-up"
    assert stored.goal.second == LaterStep(step=stored.step_keys[1])
    assert stored.variants[1].payload_json == '{"url":"https://www.example.com/b"}'
    page = reader.get(answer.location).text
    assert "Saved." in page
    assert values(page)["second_points"] == "2.5"
    german = reader.get(answer.location, headers=GERMAN).text
    assert values(german)["second_points"] == "2,5"


def test_saving_again_what_is_shown_changes_nothing(
    reader: FlaskClient, store: Store
) -> None:
    """Whatever the language: a number is written so that it is read as the same."""
    odd = typed(
        variant_weight=["0.3333333333333333", "1.25"], effect="7.3", coverage="33.3"
    )
    reader.post("/experiments/new", data=odd)
    key = ExperimentKey("groessere-ueberschrift")
    before = store.get_experiment(key)
    for headers in ({}, GERMAN, {"Accept-Language": "de-CH"}):
        page = reader.get(f"/experiments/{key}/set-up", headers=headers).text
        sent: dict[str, list[str]] = {}
        for e in elements(page):
            name = e.attributes.get("name")
            if e.tag == "input" and name and e.attributes.get("type") != "radio":
                sent.setdefault(name, []).append(e.attributes["value"])
            if e.tag == "textarea" and name:
                sent.setdefault(name, []).append(e.text)
        fixed = typed(step_kind=["lead", "main"])
        chosen = ("step_kind", "first", "second", "worth", "method", "design", "do")
        body = {**sent, **{name: fixed[name] for name in chosen}}
        answer = reader.post(f"/experiments/{key}/set-up", data=body, headers=headers)
        assert answer.status_code == 303, wrong(answer.text)
        assert store.get_experiment(key) == before


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"name": ""}, "name", "Give it a name."),
        ({"page_url": "javascript:alert(1)"}, "page_url", "whole address"),
        ({"variant_weight": ["1", "x"]}, "variant-1-weight", "no number"),
        ({"variant_weight": ["0", "0"]}, "variant-0-weight", "above 0"),
        ({"variant_key": ["a", "a"]}, "variant-1-key", "stands here twice"),
        ({"variant_payload": ["", "[1]"]}, "variant-1-payload", "no JSON object"),
        ({"coverage": "0"}, "coverage", "at most 100"),
        ({"window_days": "900"}, "window_days", "0 to 730"),
        ({"window_days": "1.5"}, "window_days", "whole number"),
        ({"worth": "money", "currency": "euro"}, "currency", "three capital letters"),
        ({"second": "9"}, "second", "Choose a step"),
        ({"time_zone": "Berlin"}, "time_zone", "not known"),
        ({"alpha": "60"}, "alpha", "less than 50"),
        ({"key": "new"}, "key", "taken"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    reader: FlaskClient,
    store: Store,
    change: dict[str, str | list[str]],
    field: str,
    words: str,
) -> None:
    answer = reader.post("/experiments/new", data=typed(**change))
    assert answer.status_code == 422
    assert words in wrong(answer.text)[field]
    assert links_of_summary(answer.text) == [field]
    assert values(answer.text)["second_points"] == "2.5", "the rest is kept"
    assert store.list_experiments() == ()


def test_errors_are_told_in_german(reader: FlaskClient) -> None:
    bad = typed(name="", window_days="900")
    page = reader.post("/experiments/new", data=bad, headers=GERMAN).text
    assert wrong(page)["name"] == "Geben Sie ihm einen Namen."
    assert wrong(page)["window_days"] == "Nehmen Sie 0 bis 730 Tage."


def test_a_key_that_is_taken_is_said_at_the_key(reader: FlaskClient) -> None:
    reader.post("/experiments/new", data=typed())
    answer = reader.post("/experiments/new", data=typed())
    assert answer.status_code == 409
    assert "taken" in wrong(answer.text)["key"]


def test_money_with_margins(reader: FlaskClient, store: Store) -> None:
    body = typed(worth="money", first_margin="40", second_margin="55", second="again")
    reader.post("/experiments/new", data={**body, "gap": "24", "ordinal": "2"})
    stored = store.get_experiment(ExperimentKey("groessere-ueberschrift"))
    assert stored.weights == MoneyWeights(
        currency="EUR", first_margin=0.4, second_margin=0.55
    )
    assert stored.goal.second == Repeat(step=stored.goal.first, min_gap_hours=24)


def test_rows_come_and_go_and_nothing_is_stored(
    reader: FlaskClient, store: Store
) -> None:
    more = reader.post("/experiments/new", data=typed(do="add-variant")).text
    assert values(more)["variant-2-key"] == "c"
    body = typed(
        do="drop-variant-1",
        variant_name=["Old", "New", "Third"],
        variant_key=["a", "b", "c"],
        variant_weight=["1", "1", "1"],
        variant_payload=["", "", ""],
    )
    fewer = values(reader.post("/experiments/new", data=body).text)
    assert (fewer["variant-1-name"], "variant-2-name" in fewer) == ("Third", False)
    last_two = values(
        reader.post("/experiments/new", data=typed(do="drop-variant-0")).text
    )
    assert last_two["variant-0-name"] == "Old", "two variants are the least"
    steps = reader.post("/experiments/new", data=typed(do="add-step")).text
    assert values(steps)["step-2-name"] == ""
    assert store.list_experiments() == ()


def test_a_step_that_goes_takes_no_conversion_along(reader: FlaskClient) -> None:
    body = typed(
        do="drop-step-0",
        step_name=["Visit", "Sign-up", "Purchase"],
        step_key=["v", "s", "p"],
        step_kind=["visit", "lead", "main"],
        first="1",
        second="2",
    )
    page = reader.post("/experiments/new", data=body).text
    chosen = [e.text for e in by_attribute(page, "selected") if e.tag == "option"]
    assert [words for words in chosen if words in {"Visit", "Sign-up", "Purchase"}] == [
        "Sign-up",
        "Purchase",
    ]


@pytest.mark.parametrize(
    ("template", "steps", "days"),
    [("shop", 1, "60"), ("lead", 5, "60"), ("trial", 2, "45"), ("custom", 2, "60")],
)
def test_templates_fill_in_the_funnel(
    reader: FlaskClient, template: str, steps: int, days: str
) -> None:
    body = typed(do=f"template-{template}")
    found = values(reader.post("/experiments/new", data=body, headers=GERMAN).text)
    assert sum(name.endswith("-key") and "step" in name for name in found) == steps
    assert found["window_days"] == days
    if template == "lead":
        assert found["step-2-name"] == "Kunden-Aktivator"


def test_the_sentence_is_filled_in_unless_something_stands_there(
    reader: FlaskClient,
) -> None:
    page = reader.post(
        "/experiments/new", data=typed(do="sentence", hypothesis="")
    ).text
    (field,) = (e for e in elements(page) if e.attributes.get("id") == "hypothesis")
    assert field.text.startswith("We believe that …")
    kept = reader.post("/experiments/new", data=typed(do="sentence")).text
    (field,) = (e for e in elements(kept) if e.attributes.get("id") == "hypothesis")
    assert field.text == "We believe that it helps."


def test_previews_force_a_variant(reader: FlaskClient) -> None:
    answer = reader.post("/experiments/new", data=typed())
    page = reader.get(answer.location).text
    links = [e.attributes["href"] for e in by_attribute(page, "href")]
    forced = "https://www.example.com/landing?a=1&abtest_force=groessere-ueberschrift"
    assert [link for link in links if "abtest_force" in link] == [
        f"{forced}.a#top",
        f"{forced}.b#top",
    ]
    assert page.count('class="segno"') == 2


@pytest.mark.usefixtures("shop")
def test_a_running_experiment_keeps_its_plan(reader: FlaskClient, store: Store) -> None:
    home = ExperimentKey("home")
    before = store.get_experiment(home)
    page = reader.get("/experiments/home/set-up").text
    off = {e.attributes["id"] for e in by_attribute(page, "disabled")}
    assert {"key", "first", "second", "window_days", "effect", "time_zone"} <= off
    assert {"variant-0-key", "step-0-key"} <= off
    assert not {"name", "variant-0-weight", "coverage", "second_points"} & off
    body = {
        "do": "save",
        "version": str(before.version),
        "name": "Other name",
        "hypothesis": before.hypothesis,
        "variant_name": ["A", "B"],
        "variant_weight": ["3", "1"],
        "variant_payload": ["", ""],
        "coverage": "100",
        "step_name": ["Purchase"],
        "step_kind": ["custom"],
        "worth": "points",
        "first_points": "1",
        "second_points": "4",
        "currency": "EUR",
        "window_days": "5",
    }
    answer = reader.post("/experiments/home/set-up", data=body)
    assert answer.status_code == 303, wrong(answer.text)
    after = store.get_experiment(home)
    assert (after.name, after.window_days) == ("Other name", before.window_days)
    assert len(after.phases) == 2
    assert after.weights_changed_at is not None


@pytest.mark.usefixtures("shop")
def test_a_change_of_somebody_else_is_not_lost(
    reader: FlaskClient, store: Store
) -> None:
    body = {**typed(name="Mine"), "version": "0"}
    answer = reader.post("/experiments/home/set-up", data=body)
    assert answer.status_code == 409
    assert "Somebody else changed" in answer.text
    assert values(answer.text)["name"] == "Mine"
    assert store.get_experiment(ExperimentKey("home")).name == "Home page"


@pytest.mark.usefixtures("shop")
def test_a_viewer_looks_and_changes_nothing(
    reader: FlaskClient, store: Store, clock: Clock
) -> None:
    reader.post("/logout")
    add_user(
        store,
        "vera",
        password="correct horse battery",
        role=Role.VIEWER,
        caller=COMMAND_LINE,
        now=clock.time,
    )
    reader.post("/login", data={"name": "vera", "password": "correct horse battery"})
    page = reader.get("/experiments/home/set-up").text
    part = page[page.index('id="form"') : page.index('id="preview"')]
    assert "Save changes" not in part
    assert 'name="action"' not in part
    assert "/experiments/new" not in reader.get("/").text
    assert reader.get("/experiments/new").status_code == 403
    for path in ("set-up", "life", "decide"):
        answer = reader.post(f"/experiments/home/{path}", data=typed())
        assert answer.status_code == 403
