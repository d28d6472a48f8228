"""What is settled stays as it is, whatever else comes."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abtest.domain.events import Conversion, Event, Exposure, Refund
from abtest.domain.funnel import ConversionGoal, LaterStep, Repeat, StepKey
from abtest.domain.settled import settle
from abtest.domain.visitor import History, OutcomePlan, resolve
from tests.store.builders import (
    BUY,
    HOME,
    LEAD,
    START,
    UPSELL,
    conversion,
    exposure,
    home,
    trial,
)
from tests.store.event_sets import event_sets

GOALS = (
    ConversionGoal(first=BUY, second=Repeat(step=BUY)),
    ConversionGoal(first=BUY, second=Repeat(step=BUY, ordinal=3, min_gap_hours=24)),
    ConversionGoal(first=LEAD, second=LaterStep(step=BUY)),
    ConversionGoal(first=LEAD, second=LaterStep(step=UPSELL)),
)
PLANS = tuple(OutcomePlan.of(home(goal=goal)) for goal in GOALS)


def history_of(events: Sequence[Event]) -> History:
    """Take all events for those of one person."""
    return History(
        exposures=[
            e for e in events if isinstance(e, Exposure) and e.experiment == HOME
        ],
        conversions=[e for e in events if isinstance(e, Conversion)],
        refunds=[e for e in events if isinstance(e, Refund)],
    )


@given(
    plan=st.sampled_from(PLANS),
    events=event_sets(),
    steps=st.lists(st.sampled_from([BUY, LEAD, UPSELL]), min_size=1, max_size=3),
    hours=st.lists(st.integers(-5, 150), min_size=3, max_size=3),
)
def test_what_it_outlasts_changes_no_outcome(
    plan: OutcomePlan, events: list[Event], steps: list[StepKey], hours: list[int]
) -> None:
    history = history_of([*events, exposure(900, hours=60)])
    settled = settle(history, plan)
    more = [
        replace(conversion(1000 + i, hours=hour), step=step)
        for i, (step, hour) in enumerate(zip(steps, hours, strict=False))
    ]
    quiet = [c for c in more if settled.outlasts(c)]
    longer = replace(history, conversions=[*history.conversions, *quiet])
    assert resolve(longer, plan) == resolve(history, plan)


# goal, hours of purchases and leads so far, then what comes and whether it is outlasted
Case = tuple[ConversionGoal, list[float], list[float], tuple[StepKey, float], bool]
CASES: tuple[Case, ...] = (
    (GOALS[0], [1, 5], [], (BUY, 9), True),
    (GOALS[0], [1, 5], [], (BUY, 3), False),
    (GOALS[0], [1], [], (BUY, 3), False),
    (GOALS[0], [1], [], (LEAD, 3), False),
    (GOALS[0], [1], [], (UPSELL, 3), True),  # no step of the experiment
    (GOALS[0], [], [], (BUY, -3), True),  # before the exposure
    (GOALS[1], [1, 2, 3], [], (BUY, 24), True),
    (GOALS[1], [1, 2, 3], [], (BUY, 25), False),
    (GOALS[1], [1, 25, 49], [], (BUY, 49.5), True),
    (GOALS[2], [], [1], (LEAD, 2), True),
    (GOALS[2], [], [1], (BUY, 2), False),
    (GOALS[2], [3], [1], (BUY, 4), True),
    (GOALS[2], [3], [1], (BUY, 2), False),
    (GOALS[2], [3], [], (BUY, 4), True),
    (GOALS[2], [3], [9], (BUY, 4), True),
    (GOALS[2], [3], [9], (BUY, 10), False),
)


@pytest.mark.parametrize(("goal", "bought", "asked", "comes", "outlasted"), CASES)
def test_cases_of_everyday(
    goal: ConversionGoal,
    bought: list[float],
    *,
    asked: list[float],
    comes: tuple[StepKey, float],
    outlasted: bool,
) -> None:
    plan = OutcomePlan.of(home(goal=goal))
    conversions = [conversion(i, hours=h) for i, h in enumerate(bought, 10)]
    conversions += [conversion(i, step=LEAD, hours=h) for i, h in enumerate(asked, 50)]
    history = History(exposures=[exposure(1)], conversions=conversions)
    settled = settle(history, plan)
    assert settled.exposed_at == START
    step, hours = comes
    after = replace(conversion(99, hours=hours), step=step)
    assert settled.outlasts(after) is outlasted


def test_it_tells_all_variants_that_the_person_saw() -> None:
    history = History(
        exposures=[exposure(1, variant="b"), exposure(2, "v2"), exposure(3)]
    )
    assert settle(history, OutcomePlan.of(trial())).variants == ("a", "b")
