"""A journey tells what a later conversion means, as all events together would."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abtest.domain.events import Conversion, Event, Exposure, Refund
from abtest.domain.funnel import ConversionGoal, LaterStep, Repeat, StepKey
from abtest.domain.journey import Journey, journey_of
from abtest.domain.visitor import History, OutcomePlan, resolve
from tests.store.builders import (
    BUY,
    HOME,
    LEAD,
    UPSELL,
    after,
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
def test_it_says_what_all_events_say(
    plan: OutcomePlan, events: list[Event], steps: list[StepKey], hours: list[int]
) -> None:
    history = history_of([*events, exposure(900, hours=60)])
    journey = journey_of(history, plan)
    exposed_at = min(e.at for e in history.exposures)
    known = {*plan.steps, plan.goal.first, plan.goal.second.step}
    for i, (step, hour) in enumerate(zip(steps, hours, strict=False)):
        comes = replace(conversion(1000 + i, hours=hour), step=step)
        if comes.at < exposed_at or step not in known:
            continue
        if not journey.leads_to(comes, plan):
            break
        before = resolve(history, plan)
        history = replace(history, conversions=[*history.conversions, comes])
        went_on = journey.after(comes, plan)
        assert went_on == journey_of(history, plan)
        if went_on == journey:
            assert resolve(history, plan) == before
        journey = went_on


# goal, hours of purchases and leads so far, then what comes, and: None when that cannot
# be told, else the number of conversions that count afterwards and what the last one is
Case = tuple[
    ConversionGoal,
    list[float],
    list[float],
    tuple[StepKey, float],
    tuple[int, int | None] | None,
]
CASES: tuple[Case, ...] = (
    (GOALS[0], [], [], (BUY, 3), (1, 1)),
    (GOALS[0], [], [], (LEAD, 3), (0, None)),
    (GOALS[0], [1], [], (BUY, 3), (2, 2)),
    (GOALS[0], [1], [], (BUY, 1), None),
    (GOALS[0], [1, 5], [], (BUY, 9), (2, 2)),
    (GOALS[0], [1, 5], [], (BUY, 3), None),
    (GOALS[0], [1], [], (LEAD, 3), (1, 1)),
    (GOALS[0], [1], [4], (LEAD, 3), None),
    (GOALS[1], [1, 2, 3], [], (BUY, 24), (1, 1)),
    (GOALS[1], [1, 2, 3], [], (BUY, 25), (2, None)),
    (GOALS[1], [1, 25], [], (BUY, 49), (3, 2)),
    (GOALS[1], [1, 25, 49], [], (BUY, 49.5), (3, 2)),
    (GOALS[1], [1, 25, 49], [], (BUY, 48), None),
    (GOALS[2], [], [1], (LEAD, 2), (1, 1)),
    (GOALS[2], [], [1], (BUY, 2), (2, 2)),
    (GOALS[2], [], [], (BUY, 2), (0, None)),
    (GOALS[2], [3], [1], (BUY, 4), (2, 2)),
    (GOALS[2], [3], [1], (BUY, 2), None),
    (GOALS[2], [3], [], (BUY, 4), (0, None)),
    (GOALS[2], [3], [], (LEAD, 4), None),
    (GOALS[2], [3], [9], (BUY, 4), None),
    (GOALS[2], [3], [9], (BUY, 10), (2, 2)),
)


@pytest.mark.parametrize(("goal", "bought", "asked", "comes", "expected"), CASES)
def test_cases_of_everyday(
    goal: ConversionGoal,
    bought: list[float],
    *,
    asked: list[float],
    comes: tuple[StepKey, float],
    expected: tuple[int, int | None] | None,
) -> None:
    plan = OutcomePlan.of(home(goal=goal))
    conversions = [conversion(i, hours=h) for i, h in enumerate(bought, 10)]
    conversions += [conversion(i, step=LEAD, hours=h) for i, h in enumerate(asked, 50)]
    history = History(exposures=[exposure(1)], conversions=conversions)
    journey = journey_of(history, plan)
    step, hours = comes
    next_one = replace(conversion(99, hours=hours), step=step)
    assert journey.leads_to(next_one, plan) is (expected is not None)
    if expected is not None:
        went_on = journey.after(next_one, plan)
        assert (went_on.counted, went_on.ordinal(plan)) == expected
        assert went_on.reached_at(step) is not None


def test_it_begins_with_the_exposure_and_knows_the_steps_alone() -> None:
    history = History(
        exposures=[exposure(1, hours=2)],
        conversions=[
            conversion(2, hours=1),
            conversion(3, hours=3, step=UPSELL),
            conversion(4, hours=4),
            conversion(5, hours=2, step=LEAD),
        ],
    )
    assert journey_of(history, PLANS[0]) == Journey(
        reached=((LEAD, after(2)), (BUY, after(4))), counted=1, last_at=after(4)
    )


def test_it_tells_all_variants_that_the_person_saw() -> None:
    plan = OutcomePlan.of(trial())
    seen = [exposure(1, variant="b"), exposure(2, "v2"), exposure(3)]
    assert journey_of(History(exposures=seen), plan).variants == ("a", "b")
    assert journey_of(History(exposures=seen[1:]), plan) == Journey()
