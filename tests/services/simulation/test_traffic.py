"""The draw: what the store makes of its events, and what it brings on average."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import lognorm

from abtest.domain.experiment import Method
from abtest.domain.visitor import date_to_day
from abtest.services.simulation.scenarios import LOG_MEAN, SCENARIOS, Arm, Scenario
from abtest.services.simulation.study import (
    START,
    STEP,
    Study,
    report_of,
    run_on_sums,
    run_through_store,
)
from abtest.services.simulation.tally import Tally, count_findings
from abtest.services.simulation.traffic import to_events, to_moments
from abtest.stats.delayed import Measure, Window, estimate
from abtest.stats.results import JointEstimate
from abtest.store.migrate import migrate
from abtest.store.protocol import Store
from abtest.store.sqlite.store import open_store
from tests.simulations.quick import judge

BUSY = Scenario(
    name="busy",
    summary="a little of everything",
    arms=(
        Arm(refunds=0.4, lost=0.2),
        Arm(first=1.3, repeat=1.5, delay=4.0, novelty=0.5, refunds=0.1),
        Arm(share_from=0.2, share_to=0.8),
    ),
    visitors_per_day=120,
    exposure_days=9,
    first_rate=0.3,
    repeat_rate=0.5,
    window_days=20,
    trend=0.5,
    order_sigma=1.0,
)


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[[int], Store]:
    def opened(number: int) -> Store:
        path = tmp_path / f"{number}.db"
        migrate(path)
        return open_store(path, durability="normal")

    return opened


@pytest.mark.parametrize("cap", [None, 40.0], ids=["as it is", "capped"])
def test_sums_are_what_the_store_makes_of_the_events(
    fresh: Callable[[int], Store], cap: float | None
) -> None:
    scenario = replace(BUSY, order_cap=cap)
    study = Study(scenario=scenario, replications=1, seed=4, days_after_window=None)
    experiment = study.experiment()
    store = fresh(0)
    store.add_experiment(experiment)
    (drawn,) = study.draws()
    for i, one in enumerate(drawn):
        events = list(to_events(one, experiment, variant=i, start=START))
        store.record(events, received_at=study.now)
    stored = store.moments(experiment.key)
    store.close()
    first_day = date_to_day(START.date())
    for variant, one in zip(experiment.variants, drawn, strict=True):
        made = to_moments(one, scenario, first_day=first_day, step=STEP)
        kept = stored[variant.key]
        assert dict(made.cohorts) == dict(kept.cohorts)
        assert dict(made.cells) == dict(kept.cells)
        assert dict(made.pairs) == dict(kept.pairs)
        assert dict(made.steps) == dict(kept.steps)


def test_through_the_store_and_on_sums_count_the_same(
    fresh: Callable[[int], Store],
) -> None:
    study = Study(scenario=BUSY, replications=3, seed=9)
    through = sum(run_through_store(study, fresh), Tally())
    assert through == sum(run_on_sums(study), Tally())
    assert through.replications == through.estimated == 3


def test_the_seed_decides_and_more_replications_only_add() -> None:
    study = Study(scenario=BUSY, replications=4, seed=1)
    first = list(run_on_sums(study))
    assert first == list(run_on_sums(study))
    assert first == list(run_on_sums(replace(study, replications=5)))[:4]
    assert first != list(run_on_sums(replace(study, seed=2)))


@pytest.mark.parametrize(
    ("arm", "money"),
    [
        (Arm(), False),
        (Arm(first=0.9, repeat=1.4, delay=2.0), False),
        (Arm(delay=500.0, lost=0.0), False),
        (Arm(novelty=0.4), False),
        (Arm(refunds=0.3, repeat=0.5), True),
    ],
    ids=["usual", "loyal", "slow", "new", "taken back"],
)
def test_a_million_visitors_bring_the_value_that_the_scenario_promises(
    arm: Arm, *, money: bool
) -> None:
    scenario = Scenario(
        name="large",
        summary="",
        arms=(arm, Arm()),
        visitors_per_day=100_000,
        exposure_days=20,
        trend=0.3,
        order_sigma=0.5 if money else 0.0,
    )
    study = Study(scenario=scenario, replications=1, seed=8)
    (drawn,) = study.draws()
    joint = estimate(
        to_moments(drawn[0], scenario, first_day=0, step=STEP),
        window=Window(first=30, second=30),
        as_of=60,
        measure=Measure.MONEY if money else Measure.COUNT,
    )
    assert isinstance(joint, JointEstimate)
    weights = (0.01, 0.01) if money else (1.0, 3.0)
    error = joint.variance(*weights) ** 0.5
    assert joint.mean(*weights) == pytest.approx(scenario.value(arm), abs=4 * error)
    assert error < 0.008 * scenario.value(arm)


def test_effects_are_what_paper_and_pencil_say() -> None:
    # 0.05 (1 + 3 x 0.25) = 0.0875 and 0.05 (1 + 3 x 0.3125) = 0.096875
    assert SCENARIOS["better_slower"].effects == pytest.approx([0.009375])
    # 0.05 x 3 x 0.025 less
    assert SCENARIOS["wrong_winner"].effects == pytest.approx([-0.00375])
    # 0.05 (0.92 (1 + 3 x 0.35) - (1 + 3 x 0.25))
    assert SCENARIOS["fewer_but_loyal"].effects == pytest.approx([0.0068])
    nothing = ("null", "delay_trap", "ramp_with_trend", "refunds", "lost_unlike")
    assert [SCENARIOS[name].effects for name in nothing] == [(0.0,)] * 5
    assert SCENARIOS["three_treatments"].effects == (0.0, 0.0, 0.0)


def test_a_capped_order_is_worth_its_integral() -> None:
    """The mean of min(order, cap) by adding up quantiles of the lognormal."""
    scenario = Scenario(
        name="", summary="", order_sigma=1.8, order_cap=2000.0, first_rate=1.0
    )
    p = (np.arange(2_000_000) + 0.5) / 2_000_000
    orders = lognorm.ppf(p, 1.8, scale=np.exp(LOG_MEAN))
    expected = np.minimum(orders, 2000.0).mean()
    assert scenario.value(Arm(repeat=0.0)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["null", "three_treatments", "ramp_with_trend"])
@pytest.mark.parametrize("wait", [0, None], ids=["first day", "all followed"])
def test_what_is_simulated_at_length_is_what_the_report_says(
    name: str, wait: int | None
) -> None:
    for method in (Method.FIXED, Method.SEQUENTIAL):
        study = Study(
            scenario=SCENARIOS[name],
            replications=3,
            seed=5,
            days_after_window=wait,
            method=method,
        )
        for drawn in study.draws():
            known = study.moments(drawn)
            report = study.tally(report_of(study, known), drawn)
            quick = count_findings(
                judge(study, known),
                drawn,
                study.scenario,
                alpha=study.alpha,
                day=study.day,
            )
            assert quick == replace(report, crowned=0, kept=0)
