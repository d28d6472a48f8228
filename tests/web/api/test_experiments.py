"""/api/v1/experiments: made, read in pages, changed, and taken through their life."""

from typing import Any

import pytest

from abtest.domain.access import KeyKind
from tests.web.api.conftest import HOME, Asker


def test_a_new_experiment_is_a_draft(ask: Asker) -> None:
    answer = ask.manage("POST", "/experiments", HOME)
    assert answer.status == 201
    assert answer.headers["Location"] == "/api/v1/experiments/home"
    made = answer.content
    told = {name: made[name] for name in HOME}
    assert told == {
        **HOME,
        "variants": [
            {"key": "a", "name": "Old", "weight": 1.0, "payload": {}},
            {
                "key": "b", "name": "New", "weight": 1.0,
                "payload": {"headline": "Grüß Gott"},
            },
        ],
        "funnel": [
            {"key": "signup", "name": "signup", "kind": "lead"},
            {"key": "purchase", "name": "purchase", "kind": "main"},
        ],
        "second_conversion": {"step": "purchase", "ordinal": 2, "min_gap_hours": 0.0},
    }  # fmt: skip
    assert made["status"] == "draft"
    assert (made["layer"], made["targeting"]) == (None, None)
    assert made["actions"] == ["start", "archive"]
    assert ask.manage("GET", "/experiments/home").content == made


# The example of the contract, word for word.
CONTRACT: dict[str, Any] = {
    "key": "home",
    "name": "..",
    "hypothesis": "..",
    "variants": [
        {"key": "a", "name": "..", "weight": 1, "payload": {}},
        {"key": "b", "name": "..", "weight": 1, "payload": {}},
    ],
    "funnel": [
        {"key": "signup", "name": "..", "kind": "lead"},
        {"key": "purchase", "kind": "main"},
    ],
    "first_conversion": {"step": "purchase"},
    "second_conversion": {"step": "purchase", "ordinal": 2, "min_gap_hours": 0},
    "window_days": 60,
    "weights": {"first": 1, "second": 3},
    "coverage": 1.0,
    "layer": None,
    "targeting": None,
    "alpha": 0.05,
    "power": 0.8,
    "minimum_detectable_effect": 0.1,
    "first_conversion_margin": 0.2,
    "method": "sequential",
    "status": "draft",
}


@pytest.mark.parametrize(
    "weights", [{"first": 1, "second": 3}, {"money": True, "currency": "EUR"}]
)
@pytest.mark.parametrize(
    "goal",
    [
        ({"step": "purchase"}, {"step": "purchase", "ordinal": 2, "min_gap_hours": 0}),
        ({"step": "signup"}, {"step": "purchase"}),
    ],
)
def test_the_example_of_the_contract(
    ask: Asker, goal: tuple[object, object], weights: dict[str, object]
) -> None:
    first, second = goal
    body = {
        **CONTRACT,
        "first_conversion": first,
        "second_conversion": second,
        "weights": weights,
    }
    answer = ask.manage("POST", "/experiments", body)
    assert answer.status == 201
    for name in ("first_conversion", "second_conversion"):
        assert answer.content[name] == body[name]
    assert answer.content["weights"].items() >= weights.items()


def test_what_was_read_can_be_sent_back(ask: Asker, running: str) -> None:
    read = ask.manage("GET", f"/experiments/{running}").content
    names = {*CONTRACT, "order_cap", "time_zone", "followed_until", "salt"}
    back = {name: read[name] for name in names}
    answer = ask.manage("PATCH", f"/experiments/{running}", back)
    assert answer.status == 200
    assert answer.content == read


OPTIONS = {
    "first_window_days": 14,
    "sequential_design": "always_valid",
    "covariate": "orders",
    "adaptive": {"minimum_share": 0.1},
}


def test_options_are_kept_and_can_be_taken_back(ask: Asker) -> None:
    made = ask.manage("POST", "/experiments", {**HOME, **OPTIONS}).content
    assert {name: made[name] for name in OPTIONS} == OPTIONS
    nothing = {"first_window_days": None, "covariate": None, "adaptive": None}
    changed = ask.manage("PATCH", "/experiments/home", nothing).content
    assert {name: changed[name] for name in nothing} == nothing
    assert changed["sequential_design"] == "always_valid"


@pytest.mark.parametrize(
    ("told", "pointer", "code"),
    [
        (
            {"first_window_days": 61},
            "/first_window_days",
            "invalid_first_window_days",
        ),
        ({"sequential_design": "hunch"}, "/sequential_design", "invalid_choice"),
        ({"covariate": ""}, "/covariate", "required"),
        ({"covariate": "x" * 201}, "/covariate", "too_long"),
        (
            {"adaptive": {"minimum_share": 0.6}},
            "/adaptive/minimum_share",
            "invalid_minimum_share",
        ),
        (
            {"adaptive": {"minimum_share": 0}},
            "/adaptive/minimum_share",
            "invalid_minimum_share",
        ),
        ({"adaptive": {"share": 0.1}}, "/adaptive/share", "unknown_field"),
    ],
)
def test_a_wrong_option_is_named(
    ask: Asker, told: dict[str, object], pointer: str, code: str
) -> None:
    answer = ask.manage("POST", "/experiments", {**HOME, **told})
    assert (answer.status, answer.codes) == (400, [(pointer, code)])


def test_a_started_experiment_may_still_become_adaptive(
    ask: Asker, running: str
) -> None:
    told = {"adaptive": {"minimum_share": 0.2}}
    answer = ask.manage("PATCH", f"/experiments/{running}", told)
    assert (answer.status, answer.content["adaptive"]) == (200, told["adaptive"])


def test_pages_of_experiments(ask: Asker) -> None:
    keys = [f"e{n}" for n in range(5)]
    for key in keys:
        ask.manage("POST", "/experiments", {**HOME, "key": key})
    seen: list[str] = []
    query = "limit=2"
    for _ in range(3):
        page = ask("GET", f"/api/v1/experiments?{query}", key=KeyKind.READ).content
        seen += [e["key"] for e in page["items"]]
        query = f"limit=2&cursor={page['next_cursor']}"
        # A page stands where it was though others are made meanwhile.
        ask.manage("POST", "/experiments", {**HOME, "key": f"new{len(seen)}"})
    assert seen == [*keys, "new2"]
    everything = ask.manage("GET", "/experiments").content
    assert (len(everything["items"]), everything["next_cursor"]) == (8, None)


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("limit=0", "?limit", "invalid_value"),
        ("limit=201", "?limit", "invalid_value"),
        ("limit=x", "?limit", "invalid_value"),
        ("cursor=!!", "?cursor", "invalid_value"),
        ("cursor=bm9wZQ", "?cursor", "invalid_value"),
        ("limt=5", "?limt", "unknown_parameter"),
        ("limit=1&limit=2", "?limit", "repeated_parameter"),
    ],
)
def test_a_wrong_address_is_named(
    ask: Asker, query: str, pointer: str, code: str
) -> None:
    answer = ask.manage("GET", f"/experiments?{query}")
    assert (answer.status, answer.codes) == (400, [(pointer, code)])


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({**HOME, "colour": "red"}, "/colour", "unknown_field"),
        (
            {**HOME, "variants": [{"key": "a", "wieght": 2}, {"key": "b"}]},
            "/variants/0/wieght",
            "unknown_field",
        ),
        (
            {**HOME, "variants": [{"key": "a"}, {"key": "b", "weight": "1"}]},
            "/variants/1/weight",
            "invalid_type",
        ),
        (
            {**HOME, "variants": [{"key": "a"}, {"key": "b", "weight": -1}]},
            "/variants/1/weight",
            "invalid_weight",
        ),
        ({"key": "x"}, "/variants", "required"),
        ({**HOME, "variants": [{"name": "a"}]}, "/variants/0/key", "required"),
        ({**HOME, "status": "running"}, "/status", "not_settable"),
        ({**HOME, "status": "asleep"}, "/status", "invalid_value"),
        ({**HOME, "layer": "top"}, "/layer", "unsupported"),
        ({**HOME, "window_days": 1.5}, "/window_days", "invalid_type"),
        ({**HOME, "name": None}, "/name", "invalid_type"),
        (["home"], "", "invalid_type"),
    ],
)
def test_a_wrong_definition_is_named(
    ask: Asker, body: object, pointer: str, code: str
) -> None:
    answer = ask.manage("POST", "/experiments", body)
    assert answer.status == 400
    assert (pointer, code) in answer.codes
    assert ask.manage("GET", "/experiments").content["items"] == []


def test_twice_the_same_key(ask: Asker) -> None:
    ask.manage("POST", "/experiments", HOME)
    answer = ask.manage("POST", "/experiments", HOME)
    assert answer.status == 409
    assert answer.content["type"] == "/problems/conflict"


def test_the_whole_life(ask: Asker) -> None:
    ask.manage("POST", "/experiments", HOME)
    steps = {
        "start": "running", "pause": "paused", "resume": "running",
        "close": "closed", "stop": "stopped",
    }  # fmt: skip
    for action, status in steps.items():
        answer = ask.manage("POST", f"/experiments/home/{action}", {"note": action})
        assert answer.content["status"] == status
    decided = ask.manage("POST", "/experiments/home/decide", {"variant": "b"})
    assert decided.content["decided_variant"] == "b"
    archived = ask.manage("POST", "/experiments/home/archive").content
    assert [e["action"] for e in archived["log"]] == [*steps, "decide", "archive"]
    assert archived["actions"] == []
    refused = ask.manage("POST", "/experiments/home/start")
    assert refused.status == 409
    assert "home is archived" in refused.content["detail"]
    assert "Possible now: nothing" in refused.content["detail"]


def test_actions_are_checked(ask: Asker, running: str) -> None:
    path = f"/experiments/{running}"
    assert ask.manage("POST", f"{path}/explode").status == 404
    assert ask.manage("POST", "/experiments/nope/start").status == 404
    assert ask.manage("POST", f"{path}/stop", {"because": "x"}).codes == [
        ("/because", "unknown_field")
    ]
    assert ask.manage("POST", f"{path}/decide").codes == [("/variant", "required")]
    assert ask.manage("GET", f"{path}/stop").status == 405
    assert ask.manage("GET", path).content["status"] == "running"


def test_a_frozen_plan_says_how(ask: Asker, running: str) -> None:
    answer = ask.manage("PATCH", f"/experiments/{running}", {"window_days": 30})
    assert answer.status == 409
    assert answer.codes == [("/window_days", "frozen")]
    assert "create a new experiment" in answer.content["detail"]


def test_a_change_keeps_the_rest(ask: Asker, running: str) -> None:
    before = ask.manage("GET", f"/experiments/{running}").content
    after = ask.manage(
        "PATCH", f"/experiments/{running}", {"coverage": 0.5, "name": "Neu"}
    ).content
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"name", "coverage", "phases", "log", "version"}
    assert [p["coverage"] for p in after["phases"]] == [1.0, 0.5]
    assert after["phases"][1]["shares"] == {"a": 0.5, "b": 0.5}


def test_if_match_guards_against_losing_a_change(ask: Asker, running: str) -> None:
    path = f"/api/v1/experiments/{running}"
    etag = ask("GET", path, key=KeyKind.ADMIN).headers["ETag"]

    def rename(name: str) -> int:
        headers = {"If-Match": etag}
        body = {"name": name}
        return ask("PATCH", path, body, key=KeyKind.ADMIN, headers=headers).status

    assert rename("one") == 200
    assert rename("two") == 412
    answer = ask("GET", path, key=KeyKind.ADMIN)
    assert answer.content["name"] == "one"
    assert answer.headers["ETag"] != etag


def test_what_is_not_there(ask: Asker) -> None:
    answer = ask.manage("GET", "/experiments/nope")
    assert answer.status == 404
    assert "nope" in answer.content["detail"]
    assert ask.manage("PATCH", "/experiments/nope", {}).status == 404
