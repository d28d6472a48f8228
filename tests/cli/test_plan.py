"""`abtest plan`."""

import json

import pytest

from tests.cli.conftest import Commands
from tests.web.api.conftest import HOME

SHOP = (
    "plan",
    "--visitors-per-day", "2000",
    "--first-rate", "5%",
    "--repeat-rate", "0.25",
    "--weights", "1,3",
    "--start", "2026-03-02",
    "--method", "fixed",
)  # fmt: skip
"""The shop of the published table of durations."""


def test_a_plan_in_words(run: Commands) -> None:
    done = run(*SHOP, "--lang", "en")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "Send visitors for 52 days: 52,000 for each of 2 variants."
    assert "12 May 2026, 71 days after the start" in lines[1]
    curve = [line.split() for line in lines if line.strip()[:1].isdigit()]
    assert curve[0][0] == "61"
    assert not run.database.exists()
    assert "52 Tage lang" in run(*SHOP, "--lang", "de").out


def test_a_plan_for_programs(run: Commands) -> None:
    content = run(
        *SHOP, "--json", "--shares", "2,1,1", "--mde", "20%", "--margin", "10%"
    ).content
    assert content["shares"] == [0.5, 0.25, 0.25]
    assert content["minimum_detectable_effect"] == 0.2
    assert content["guardrail"]["margin"] == 0.1
    assert len(content["value"]["visitors_per_variant"]) == 3


def test_money(run: Commands) -> None:
    content = run(
        *SHOP[:7], "--money", "EUR", "--margins", "1,0.5",
        "--order-value", "50,40", "--second-order-value", "80,10", "--json",
    ).content  # fmt: skip
    expected = 0.05 * 50 + 0.05 * 0.25 * 0.5 * 80
    assert content["baseline"]["value_per_visitor"] == pytest.approx(expected)


def test_a_history_is_looked_up(run: Commands) -> None:
    run("experiment", "create", "-", stdin=json.dumps(HOME))
    done = run("plan", "--visitors-per-day", "100", "--history", "home")
    assert done.code == 1
    assert done.err == (
        "Error: home has no visitors to learn from;"
        " give first_rate and repeat_rate instead\n"
    )


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--first-rate", "much"), 2, "write it as 0.05 or 5%"),
        (("--weights", "3"), 2, "write first and second as 1,3"),
        (("--shares", "a,b"), 2, "write them as 2,1,1"),
        (("--first-rate", "500%"), 1, "first_rate is 5; use more than 1e-06"),
        (("--order-value", "50,40"), 1, "order_value belongs to money"),
    ],
)
def test_a_wrong_word_is_named(
    run: Commands, words: tuple[str, ...], code: int, told: str
) -> None:
    done = run(*SHOP, *words)
    assert (done.code, told in done.err) == (code, True)
