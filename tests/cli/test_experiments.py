"""`abtest experiment`."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Commands
from tests.web.api.conftest import HOME


@pytest.fixture
def home(run: Commands) -> str:
    made = run("experiment", "create", "-", "--json", stdin=json.dumps(HOME))
    assert made.code == 0, made.err
    key: str = made.content["key"]
    return key


def test_an_experiment_from_a_file(run: Commands, tmp_path: Path) -> None:
    file = tmp_path / "home.json"
    file.write_text(json.dumps(HOME), "utf-8")
    done = run("experiment", "create", str(file))
    assert done.out == "home is a draft. Next: abtest experiment start home\n"
    assert run("experiment", "create", str(file)).code == 1
    assert run("experiment", "create", str(tmp_path / "none.json")).code == 2


def test_a_wrong_file_is_named_field_by_field(run: Commands) -> None:
    wrong = json.dumps({**HOME, "alpha": 2, "coverage": 0, "power": 5})
    done = run("experiment", "create", "-", stdin=wrong)
    assert done.code == 1
    first, *others = done.err.splitlines()
    assert "alpha is 2" in first
    assert [line.strip().partition(":")[0] for line in others] == [
        "/power",
        "/coverage",
    ]
    broken = run("experiment", "create", "-", "--json", stdin="{")
    assert json.loads(broken.err)["type"] == "/problems/invalid"


def test_the_whole_life(run: Commands, home: str) -> None:
    for action, status in (
        ("start", "running"),
        ("pause", "paused"),
        ("resume", "running"),
        ("close", "closed"),
        ("stop", "stopped"),
    ):
        done = run("experiment", action, home, "--note", f"we {action}")
        assert done.out == f"home is now {status}.\n"
    decided = run("experiment", "decide", home, "--variant", "b", "--json").content
    assert (decided["status"], decided["decided_variant"]) == ("decided", "b")
    assert run("experiment", "archive", home).code == 0
    refused = run("experiment", "start", home)
    assert refused.code == 1
    assert "home is archived" in refused.err


def test_lists_and_shows(run: Commands, home: str) -> None:
    assert run("experiment", "list").out == "home  draft  Home page\n"
    (listed,) = run("experiment", "list", "--json").content
    assert listed == run("experiment", "show", home, "--json").content
    shown = run("experiment", "show", home).out
    for word in ("home: Home page", "draft", "a (1), b (1)", "signup, purchase"):
        assert word in shown
    assert run("experiment", "show", "nope").code == 1
