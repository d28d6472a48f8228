"""The life of an experiment on the pages, and deciding without a nudge."""

import pytest
from flask.testing import FlaskClient

from abtest.domain.experiment import ExperimentKey, Status
from abtest.store.protocol import Store
from tests.web.pages.reading import by_attribute, elements

HOME = ExperimentKey("home")


def actions(page: str) -> list[str]:
    return [
        e.attributes["value"]
        for e in by_attribute(page, "name")
        if e.attributes["name"] == "action"
    ]


@pytest.mark.usefixtures("shop")
def test_each_state_offers_what_is_possible_and_says_what_happens(
    reader: FlaskClient, store: Store
) -> None:
    path = "/experiments/home/set-up"
    assert actions(reader.get(path).text) == ["pause", "close", "stop", "decide"]
    for action, status in (
        ("pause", Status.PAUSED),
        ("resume", Status.RUNNING),
        ("close", Status.CLOSED),
        ("stop", Status.STOPPED),
        ("archive", Status.ARCHIVED),
    ):
        answer = reader.post(
            "/experiments/home/life", data={"action": action, "note": f"why {action}"}
        )
        assert answer.status_code == 303
        assert answer.location == f"{path}?done={action}"
        stored = store.get_experiment(HOME)
        assert stored.status is status
        assert stored.log[-1].detail == f"why {action}"
        assert 'role="status"' in reader.get(answer.location).text
    assert actions(reader.get(path).text) == []


@pytest.mark.usefixtures("shop")
def test_what_is_not_possible_is_refused_kindly(
    reader: FlaskClient, store: Store
) -> None:
    for action in ("start", "nonsense"):
        answer = reader.post("/experiments/home/life", data={"action": action})
        assert answer.status_code == 409
        assert "not possible any more" in answer.text
    too_long = {"action": "pause", "note": "x" * 2001}
    assert reader.post("/experiments/home/life", data=too_long).status_code == 422
    assert store.get_experiment(HOME).status is Status.RUNNING


@pytest.mark.usefixtures("shop")
def test_nothing_is_chosen_beforehand(reader: FlaskClient) -> None:
    page = reader.get("/experiments/home/decide").text
    assert 'id="health"' in page
    radios = [e for e in by_attribute(page, "type") if e.attributes["type"] == "radio"]
    assert [e.attributes["value"] for e in radios] == ["a", "b"]
    assert not [e for e in radios if "checked" in e.attributes]
    labels = [
        e.text for e in elements(page) if e.attributes.get("class") == "big-choice"
    ]
    assert labels == ["Keep A (control)", "Switch to B"]


@pytest.mark.usefixtures("shop")
def test_a_decision_needs_a_choice_and_a_look_at_the_health(
    reader: FlaskClient, store: Store
) -> None:
    answer = reader.post("/experiments/home/decide", data={"note": "because"})
    assert answer.status_code == 422
    assert "Choose a variant; keeping the control is a choice too." in answer.text
    assert "Confirm that you have read" in answer.text
    assert ">because</textarea>" in answer.text
    unseen = reader.post("/experiments/home/decide", data={"variant": "a"})
    assert unseen.status_code == 422
    assert store.get_experiment(HOME).status is Status.RUNNING
    done = reader.post(
        "/experiments/home/decide",
        data={"variant": "a", "seen": "yes", "note": "because"},
    )
    assert done.status_code == 303
    decided = store.get_experiment(HOME)
    assert (decided.status, decided.decided_variant) == (Status.DECIDED, "a")
    assert "because" in decided.log[-1].detail
    again = reader.get("/experiments/home/decide")
    assert again.location == "/experiments/home/set-up"
