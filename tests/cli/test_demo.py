"""`abtest demo` in full: ten experiments, each with the verdict it shall show."""

from datetime import UTC, datetime

import pytest

from abtest.store.sqlite.store import open_store
from tests.cli.demo_promises import (
    VERDICTS,
    check_costs,
    check_finished,
    check_groups,
    check_traffic,
)
from tests.cli.program import Document, Program

pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return Program(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def made(program: Program) -> Document:
    return program.answer("demo", "--password", "correct horse battery")


@pytest.mark.parametrize("key", VERDICTS)
def test_verdicts(program: Program, made: Document, key: str) -> None:
    assert key in {e.text("key") for e in made.members("experiments")}
    report = program.answer("report", key)
    verdict = (
        report.at("status"),
        report.at("verdict.code"),
        report.at("verdict.variant"),
    )
    assert verdict == VERDICTS[key]


def test_the_winner_gave_up_first_purchases(program: Program, made: Document) -> None:
    """The story of the demo: fewer first, more second, a tie at a sensible worth."""
    assert made.text("user") == "demo"
    found = program.answer("report", "honest-promise")
    first = found.number("comparisons.0.first.frequentist.relative_effect")
    second = found.number("comparisons.0.second.frequentist.relative_effect")
    assert -0.2 < first < 0
    assert second > 0.3
    assert found.text("comparisons.0.break_even_weight.kind") == "interval"
    worth = found.number("comparisons.0.break_even_weight.upper")
    assert 0 < worth < found.number("weights.second")
    assert found.number("maturity.share") == pytest.approx(1)


def test_the_clickbait_looks_better_at_first(program: Program, made: Document) -> None:
    assert made.members("experiments")
    found = program.answer("report", "bold-headline")
    assert found.number("comparisons.0.first.frequentist.effect") > 0
    assert found.number("comparisons.0.value.frequentist.effect") < 0


def test_shops_look_real(program: Program, made: Document) -> None:
    """First purchases of 3 to 8.5 %, of which a tenth to 40 % come back in time."""
    assert made.members("experiments")
    for key in ("honest-promise", "shipping-offer", "guarantee-badge"):
        for variant in program.answer("report", key).members("variants"):
            assert 0.03 < variant.number("first.rate") < 0.085
            assert 0.1 < variant.number("second.repeat_rate") < 0.4
            assert 30 < variant.number("revenue.order_value") < 90


def test_every_page_has_something_to_show(program: Program, made: Document) -> None:
    assert made.members("experiments")
    now = datetime.now(tz=UTC)
    store = open_store(program.database)
    try:
        check_costs(store, now=now)
        check_groups(store, now=now)
        check_traffic(store, now=now)
        check_finished(store)
    finally:
        store.close()


def test_keys_of_every_kind_are_shown(made: Document) -> None:
    for kind in ("pk", "sk", "rk", "ak"):
        assert made.text(f"keys.{kind}").startswith(f"abtest_{kind}_")
    assert made.text("password") == "correct horse battery"


def test_occupied_database_is_left_alone(program: Program, made: Document) -> None:
    assert made.members("experiments")
    said = program.fail("demo")
    assert "this database holds 10 experiments" in said
    assert "--force-add" in said
    again = program.fail("demo", "--force-add")
    assert "the demo is there already" in again
    assert len(program.answer("key", "list").members("")) == 4
