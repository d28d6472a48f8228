"""What is simulated, how often, and which bars it has to clear."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial

from abtest.domain.experiment import Method
from abtest.services.simulation.scenarios import SCENARIOS, Arm, Scenario
from abtest.services.simulation.study import Study, report_of
from abtest.services.simulation.tally import Tally
from tests.simulations import quick

SEED = 20260105
"""Of the first scenario; each further one has a seed of its own, counted up."""

PROCESSES = 2
CHUNK = 250
"""Replications that a process does at a time."""

MOST_ALARMS, LEAST_COVERAGE = 0.056, 0.94
"""No more false alarms and no less coverage than this, always."""

LEAST_ALARMS, MOST_COVERAGE = 0.044, 0.96
"""No needless caution, where each arm expects 25 first conversions or more."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table.

    Attributes:
        is_cautious: may be more careful than needed, `why` says for which reason.
        with_verdict: the whole report is written, for its verdict.
        is_read_daily: the decision is read on every day until the last one.
    """

    name: str
    study: Study
    is_cautious: bool = False
    why: str = ""
    with_verdict: bool = False
    is_read_daily: bool = False

    @cached_property
    def is_null(self) -> bool:
        return not any(self.study.scenario.effects)

    def count(self) -> Tally:
        """Run all replications, on two processes."""
        parts = range(0, self.study.replications, CHUNK)
        with ProcessPoolExecutor(PROCESSES) as pool:
            return sum(pool.map(partial(_part, self), parts), Tally())


def _part(row: Row, first: int) -> Tally:
    last = min(first + CHUNK, row.study.replications)
    study = replace(row.study, replications=last)
    if row.is_read_daily:
        return quick.read_daily(study, first=first)
    if not row.with_verdict:
        return quick.run(study, first=first)
    return sum(
        (
            study.tally(report_of(study, study.moments(drawn)), drawn)
            for drawn in study.draws(first=first)
        ),
        Tally(),
    )


def _fixed(
    name: str,
    days: Sequence[int | None] = (0,),
    *,
    replications: int = 4000,
    is_cautious: bool = False,
    why: str = "",
) -> list[Row]:
    return [
        Row(
            name=f"{name}, {_day(wait)}",
            study=Study(
                scenario=SCENARIOS[name],
                replications=replications,
                seed=_seed(name),
                days_after_window=wait,
            ),
            is_cautious=is_cautious,
            why=why,
        )
        for wait in days
    ]


def _sequential(
    name: str, *, replications: int = 2000, is_cautious: bool = False, why: str = ""
) -> Row:
    return Row(
        name=f"{name}, daily looks",
        study=Study(
            scenario=SCENARIOS[name],
            replications=replications,
            seed=_seed(name),
            days_after_window=None,
            method=Method.SEQUENTIAL,
        ),
        is_cautious=is_cautious,
        why=why,
    )


def _seed(name: str) -> int:
    return SEED + list(SCENARIOS).index(name)


def _day(wait: int | None) -> str:
    match wait:
        case None:
            return "all followed"
        case 0:
            return "first day"
        case days:
            return f"{days} days later"


def _gate(expected: int, *, share: float) -> Row:
    """A small experiment whose smaller arm expects so many first conversions."""
    days = 28
    scenario = Scenario(
        name="gate",
        summary="both alike, few conversions",
        arms=(
            Arm(share_from=1 - share, share_to=1 - share),
            Arm(share_from=share, share_to=share),
        ),
        visitors_per_day=round(expected / 0.05 / share / days),
        exposure_days=days,
    )
    return Row(
        name=f"{round(100 - 100 * share)}/{round(100 * share)}, {expected} expected",
        study=Study(
            scenario=scenario, replications=1000, seed=SEED, days_after_window=None
        ),
        with_verdict=True,
    )


_FIRST_COHORTS = "late lags rest on a tenth of the first days: the variance's floor"
_SMALL_ARM = "the larger of own and pooled variance at each look"
_FEW = "15 first conversions an arm"
_TAIL = "a variance that single orders dominate is estimated too large where it matters"
_SEVERAL = "alpha / 3 each (Bonferroni), though the comparisons share a control"

FIXED: tuple[Row, ...] = (
    *_fixed("null", (0, None)),
    *_fixed("delay_trap", (0, 14, None)),
    *_fixed("ramp_with_trend", (0,), is_cautious=True, why=_FIRST_COHORTS),
    *_fixed("ramp_with_trend", (None,)),
    *_fixed("novelty", (0, None)),
    *_fixed("heavy_money", (0, None), is_cautious=True, why=_TAIL),
    *_fixed("capped_money"),
    *_fixed("refunds"),
    *_fixed("small", (0, None), is_cautious=True, why=_FEW),
    *_fixed("split_90_10"),
    *_fixed("slow_tenth", (0, 14)),
    *_fixed("three_treatments"),
    *_fixed("lost_alike"),
)

HELD: tuple[Row, ...] = (
    Row(
        name="still_enrolling, read daily",
        study=Study(
            scenario=replace(SCENARIOS["still_enrolling"], smallest_effect=0.35),
            replications=1000,
            seed=_seed("still_enrolling"),
            days_after_window=None,
        ),
        is_read_daily=True,
    ),
)
"""Planned for one look; the information is in long before the visitors stop coming."""

POWER: tuple[Row, ...] = (
    *_fixed("better_slower", (0, None), replications=2000),
    *_fixed("fewer_but_loyal", (0, None), replications=2000),
    *_fixed("wrong_winner", (0, None), replications=400),
    *_fixed("lost_unlike", replications=2000),
)

SEQUENTIAL: tuple[Row, ...] = (
    _sequential("null"),
    _sequential("delay_trap"),
    _sequential("still_enrolling"),
    _sequential("ramp_with_trend"),
    _sequential("three_treatments", is_cautious=True, why=_SEVERAL),
    _sequential("small", is_cautious=True, why=_FEW),
    _sequential("split_90_10", is_cautious=True, why=_SMALL_ARM),
    _sequential("refunds"),
)

GATE: tuple[Row, ...] = (
    *(_gate(n, share=0.5) for n in (5, 10, 25, 50)),
    *(_gate(n, share=0.1) for n in (10, 25, 50)),
)

CROWNS: tuple[Row, ...] = tuple(
    Row(
        name=f"wrong_winner, {_day(wait)}",
        study=Study(
            scenario=SCENARIOS["wrong_winner"],
            replications=100,
            seed=_seed("wrong_winner"),
            days_after_window=wait,
            method=Method.SEQUENTIAL,
        ),
        with_verdict=True,
    )
    for wait in (0, 14, None)
)
