"""The life of an experiment and what each visitor is shown during it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abtest.domain.allocation import BUCKETS, Span, allocate
from abtest.domain.assignment import (
    Assignment,
    AssignmentReason,
    bucket,
    choose_variant,
)
from abtest.domain.experiment import (
    TRANSITIONS,
    Action,
    Experiment,
    ExperimentKey,
    Phase,
    Status,
    Variant,
    VariantKey,
    VisitorId,
)
from abtest.domain.funnel import (
    ConversionGoal,
    CountWeights,
    FunnelStep,
    MoneyWeights,
    Repeat,
    StepKey,
    StepKind,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)
A, B = VariantKey("a"), VariantKey("b")
PURCHASE = StepKey("purchase")

HALVES = allocate([("a", 1), ("b", 1)])
DRAFT = Experiment(
    key=ExperimentKey("home"),
    name="Home page",
    variants=(Variant(key=A, name="Old"), Variant(key=B, name="New")),
    funnel=(
        FunnelStep(key=StepKey("signup"), name="Sign-up", kind=StepKind.LEAD),
        FunnelStep(key=PURCHASE, name="Purchase"),
    ),
    goal=ConversionGoal(first=PURCHASE, second=Repeat(step=PURCHASE)),
    salt="home",
    created_at=NOW,
)


def in_status(status: Status, *, coverage: float = 1.0) -> Experiment:
    phase = Phase(since=NOW, allocation=HALVES, coverage=coverage)
    return replace(DRAFT, status=status, phases=(phase,))


def seen_by(experiment: Experiment, ids: range) -> dict[VisitorId, Assignment]:
    visitors = [VisitorId(f"visitor-{i}") for i in ids]
    return {visitor: choose_variant(experiment, visitor) for visitor in visitors}


@pytest.mark.parametrize(
    ("status", "exposed_to", "variant", "inside", "reason"),
    [
        (Status.DRAFT, None, A, False, "not_running"),
        (Status.DRAFT, B, A, False, "not_running"),
        (Status.RUNNING, A, A, True, "assigned"),
        (Status.RUNNING, B, B, True, "assigned"),
        (Status.PAUSED, None, A, False, "not_running"),
        (Status.PAUSED, B, A, False, "not_running"),
        (Status.CLOSED, None, A, False, "not_running"),
        (Status.CLOSED, A, A, True, "assigned"),
        (Status.CLOSED, B, B, True, "assigned"),
        (Status.STOPPED, None, A, False, "not_running"),
        (Status.STOPPED, B, A, False, "not_running"),
        (Status.ARCHIVED, B, A, False, "not_running"),
    ],
)
def test_what_the_life_cycle_shows(
    status: Status,
    exposed_to: VariantKey | None,
    variant: VariantKey,
    inside: bool,  # noqa: FBT001 - a column of the table
    reason: str,
) -> None:
    shown = choose_variant(in_status(status), VisitorId("v1"), exposed_to)
    assert shown == Assignment(
        variant=variant, in_experiment=inside, reason=AssignmentReason(reason)
    )


@pytest.mark.parametrize("status", [Status.DECIDED, Status.ARCHIVED])
@pytest.mark.parametrize("exposed_to", [None, A, B])
@pytest.mark.parametrize("chosen", [A, B])
def test_after_a_decision_everybody_sees_the_chosen_variant(
    status: Status, exposed_to: VariantKey | None, chosen: VariantKey
) -> None:
    decided = replace(in_status(status), decided_variant=chosen)
    shown = choose_variant(decided, VisitorId("v1"), exposed_to)
    assert shown == Assignment(
        variant=chosen, in_experiment=False, reason=AssignmentReason.DECIDED
    )


def test_a_running_experiment_splits_new_visitors_by_its_newest_phase() -> None:
    everybody_b = Phase(
        since=NOW, allocation=(Span(start=0, end=1_000_000, variant="b"),), coverage=1
    )
    running = in_status(Status.RUNNING)
    before = seen_by(running, range(1000))
    assert {shown.variant for shown in before.values()} == {A, B}
    later = replace(running, phases=(*running.phases, everybody_b))
    assert {s.variant for s in seen_by(later, range(1000)).values()} == {B}


@given(st.text(min_size=1), st.sampled_from([A, B]))
def test_nobody_moves_who_was_exposed(visitor: str, exposed_to: VariantKey) -> None:
    nobody_enters = in_status(Status.RUNNING, coverage=0)
    kept = choose_variant(nobody_enters, VisitorId(visitor), exposed_to)
    assert kept.variant == exposed_to
    assert kept.in_experiment


def test_more_coverage_only_adds_visitors_and_moves_none() -> None:
    inside: dict[VisitorId, VariantKey] = {}
    for coverage in (0.0, 0.05, 0.3, 0.5, 0.999, 1.0):
        shown = seen_by(in_status(Status.RUNNING, coverage=coverage), range(4000))
        now = {v: s.variant for v, s in shown.items() if s.in_experiment}
        outside = [s for s in shown.values() if not s.in_experiment]
        assert inside.items() <= now.items()
        # Four standard deviations of a binomial with 4,000 draws.
        margin = 4 * (coverage * (1 - coverage) / 4000) ** 0.5
        assert len(now) / 4000 == pytest.approx(coverage, abs=margin)
        assert all(
            s.variant == A and s.reason is AssignmentReason.OUTSIDE_COVERAGE
            for s in outside
        )
        inside = now
    assert len(inside) == 4000


def test_coverage_is_exact_to_one_bucket() -> None:
    visitor = VisitorId("v1")
    place = bucket("home", "coverage", visitor)
    for reach, inside in ((place, False), (place + 1, True)):
        experiment = in_status(Status.RUNNING, coverage=reach / BUCKETS)
        assert choose_variant(experiment, visitor).in_experiment is inside


class ChooseCase(TypedDict):
    salt: str
    coverage: float
    spans: list[tuple[int, int, str]]
    control: str
    visitor: str
    variant: str
    in_experiment: bool
    reason: str


def test_choices_of_the_conformance_set() -> None:
    path = Path(__file__).parents[2] / "client_snippets" / "cases.json"
    cases: list[ChooseCase] = json.loads(path.read_text(encoding="utf-8"))["choose"]
    assert {case["in_experiment"] for case in cases} == {True, False}
    for case in cases:
        layout = tuple(Span(start=s, end=e, variant=v) for s, e, v in case["spans"])
        phase = Phase(since=NOW, allocation=layout, coverage=case["coverage"])
        running = replace(in_status(Status.RUNNING), salt=case["salt"], phases=(phase,))
        shown = choose_variant(running, VisitorId(case["visitor"]))
        assert shown.variant == case["variant"], case
        assert shown.in_experiment == case["in_experiment"], case
        assert shown.reason.value == case["reason"], case


LIFE = {
    (Status.DRAFT, Action.START): Status.RUNNING,
    (Status.DRAFT, Action.ARCHIVE): Status.ARCHIVED,
    (Status.RUNNING, Action.PAUSE): Status.PAUSED,
    (Status.RUNNING, Action.CLOSE): Status.CLOSED,
    (Status.RUNNING, Action.STOP): Status.STOPPED,
    (Status.RUNNING, Action.DECIDE): Status.DECIDED,
    (Status.PAUSED, Action.RESUME): Status.RUNNING,
    (Status.PAUSED, Action.CLOSE): Status.CLOSED,
    (Status.PAUSED, Action.STOP): Status.STOPPED,
    (Status.PAUSED, Action.DECIDE): Status.DECIDED,
    (Status.CLOSED, Action.STOP): Status.STOPPED,
    (Status.CLOSED, Action.DECIDE): Status.DECIDED,
    (Status.STOPPED, Action.DECIDE): Status.DECIDED,
    (Status.STOPPED, Action.ARCHIVE): Status.ARCHIVED,
    (Status.DECIDED, Action.ARCHIVE): Status.ARCHIVED,
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("status", Status)
def test_every_action_in_every_status(status: Status, action: Action) -> None:
    experiment = replace(DRAFT, status=status)
    wanted = LIFE.get((status, action))
    assert experiment.allows(action) == (wanted is not None)
    if wanted is None:
        with pytest.raises(KeyError):
            experiment.after(action, NOW)
        return
    changed = experiment.after(action, NOW, "because")
    assert changed.status is wanted
    assert [(e.at, e.action, e.detail) for e in changed.log] == [
        (NOW, action.value, "because")
    ]
    assert set(TRANSITIONS) == set(Action)


def test_facts_of_an_experiment() -> None:
    assert DRAFT.control.key == A
    assert DRAFT.step_keys == ("signup", "purchase")
    assert DRAFT.started_at is None
    assert in_status(Status.RUNNING).started_at == NOW
    assert (DRAFT.currency, DRAFT.is_money) == (None, False)
    euros = replace(DRAFT, weights=CountWeights(currency="EUR"))
    assert (euros.currency, euros.is_money) == ("EUR", False)
    money = replace(DRAFT, weights=MoneyWeights(currency="EUR"))
    assert (money.currency, money.is_money) == ("EUR", True)


@pytest.mark.parametrize("weight", [-1.0, 1e9, float("nan"), float("inf")])
def test_a_weight_out_of_bounds(weight: float) -> None:
    with pytest.raises(ValueError, match="below 1e9"):
        Variant(key=A, name="Old", weight=weight)
