"""`abtest adapt`."""

import json

from tests.cli.conftest import Commands
from tests.web.api.conftest import HOME

ADAPTIVE = {**HOME, "adaptive": {"minimum_share": 0.2}}


def test_without_results_shares_stay(run: Commands) -> None:
    run("experiment", "create", "-", stdin=json.dumps(ADAPTIVE))
    run("experiment", "start", "home")
    done = run("adapt", "home", "--apply")
    assert done.code == 0, done.err
    assert done.out == (
        "now   a 50.0%, b 50.0%\nno new shares (no_visitors); they stay as they are\n"
    )
    content = run("adapt", "home", "--json").content
    assert content["before"] == {"a": 0.5, "b": 0.5}
    assert (content["after"], content["is_applied"]) == (None, False)


def test_results_move_the_shares(run: Commands) -> None:
    """Imported visitors: two of nine of the control buy, seven of the other."""
    definition = {**ADAPTIVE, "window_days": 2}
    run("experiment", "create", "-", stdin=json.dumps(definition))
    run("experiment", "start", "home")
    rows = ["visitor,at,variant,bought"]
    rows += [
        f"{variant}{n},2026-01-0{n % 5 + 1}T10:00:00Z,{variant},{int(n % 9 < most)}"
        for variant, most in (("a", 2), ("b", 7))
        for n in range(90)
    ]
    file = run.database.parent / "rows.csv"
    file.write_text("\n".join(rows) + "\n")
    loaded = run(
        "import", "home", str(file),
        "--map", "visitor=visitor", "--map", "at=at", "--map", "variant=variant",
        "--map", "step:purchase=bought",
    )  # fmt: skip
    assert loaded.code == 0, loaded.err
    seen = run("adapt", "home").out.splitlines()
    assert seen == ["now   a 50.0%, b 50.0%", "then  a 20.0%, b 80.0%", seen[2]]
    assert "--apply" in seen[2]
    assert "day by day" in run("adapt", "home", "--apply").out
    shown = run("experiment", "show", "home", "--json").content
    assert len(shown["phases"]) == 2
    assert shown["phases"][1]["shares"]["b"] > 0.79
    assert "no more than a percentage point" in run("adapt", "home").out


def test_it_must_be_allowed(run: Commands) -> None:
    run("experiment", "create", "-", stdin=json.dumps(HOME))
    done = run("adapt", "home")
    assert (done.code, "home has fixed shares" in done.err) == (1, True)
    assert run("adapt", "nope").code == 1
