"""The decision table: every row, their order, and exactly one verdict for anything."""

import math
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abtest.domain.experiment import VariantKey
from abtest.services.comparison_report import GuardrailState
from abtest.services.report import HealthStatus, VerdictCode, VerdictReason
from abtest.services.verdict import Evidence, Situation, decide
from abtest.stats.results import Interval

B = VariantKey("b")
BETTER = Interval(lower=0.01, upper=0.03)
WORSE = Interval(lower=-0.03, upper=-0.01)
UNCLEAR = Interval(lower=-0.01, upper=0.02)


def evidence(**changed: object) -> Evidence:
    plain = Evidence(
        variant=B,
        mean=0.2,
        interval=UNCLEAR,
        relative_interval=Interval(lower=-0.05, upper=0.2),
        guardrail=GuardrailState.HELD,
        first_counts=(500, 480),
        second_count=200,
    )
    return replace(plain, **changed)  # type: ignore[arg-type] # a test's shorthand


def situation(*found: Evidence, **changed: object) -> Situation:
    plain = Situation(
        visitors=20_000,
        health=HealthStatus.OK,
        window_reached=True,
        evidence=found or (evidence(),),
        equivalence=0.1,
        is_at_end=False,
        is_stopped=False,
        decide_from=date(2026, 12, 6),
    )
    return replace(plain, **changed)  # type: ignore[arg-type] # a test's shorthand


ROWS = [
    ("nobody yet", situation(visitors=0), "no_data", None),
    (
        "a broken split hides even a clear winner",
        situation(evidence(interval=BETTER), health=HealthStatus.BLOCKED),
        "unhealthy",
        None,
    ),
    (
        "the oldest cohort is too young",
        situation(evidence(interval=BETTER), window_reached=False),
        "too_early",
        None,
    ),
    (
        "24 first conversions are too few",
        situation(evidence(interval=BETTER, first_counts=(24, 500))),
        "too_early",
        None,
    ),
    (
        "9 second conversions are too few",
        situation(evidence(interval=BETTER, second_count=9)),
        "too_early",
        None,
    ),
    (
        "25 and 10 are enough",
        situation(evidence(interval=BETTER, first_counts=(25, 25), second_count=10)),
        "winner",
        "b",
    ),
    (
        "second conversions worth nothing need not be there",
        situation(evidence(interval=BETTER, second_count=None)),
        "winner",
        "b",
    ),
    (
        "better and within the margin",
        situation(evidence(interval=BETTER)),
        "winner",
        "b",
    ),
    (
        "better, but loses too many first conversions",
        situation(evidence(interval=BETTER, guardrail=GuardrailState.FAILED)),
        "tradeoff",
        "b",
    ),
    ("worse", situation(evidence(interval=WORSE)), "keep_control", None),
    (
        "better, the loss not bounded yet",
        situation(evidence(interval=BETTER, guardrail=GuardrailState.OPEN)),
        "running",
        None,
    ),
    ("nothing clear yet", situation(), "running", None),
    ("stopped by a person", situation(is_stopped=True), "stopped_early", None),
    (
        "better at the end, the loss never bounded",
        situation(
            evidence(interval=BETTER, guardrail=GuardrailState.OPEN), is_at_end=True
        ),
        "guardrail_open",
        "b",
    ),
    (
        "no difference that matters",
        situation(
            evidence(relative_interval=Interval(lower=-0.04, upper=0.09)),
            is_at_end=True,
        ),
        "equivalent",
        None,
    ),
    ("cannot tell", situation(is_at_end=True), "inconclusive", None),
    (
        "an unbounded lift is not equivalence",
        situation(evidence(relative_interval=None), is_at_end=True),
        "inconclusive",
        None,
    ),
    (
        "no interval may decide before the end of a fixed plan",
        situation(evidence(interval=None)),
        "running",
        None,
    ),
]


@pytest.mark.parametrize(
    ("given_situation", "code", "variant"),
    [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_the_first_row_that_applies_decides(
    given_situation: Situation, code: str, variant: str | None
) -> None:
    verdict = decide(given_situation)
    assert (verdict.code.value, verdict.variant) == (code, variant)
    assert verdict.reasons


def test_the_best_of_several_winners_is_named() -> None:
    c = evidence(variant=VariantKey("c"), mean=0.3, interval=BETTER)
    assert decide(situation(evidence(interval=BETTER), c)).variant == "c"


def test_a_winner_beats_a_better_variant_that_breaks_the_guardrail() -> None:
    c = evidence(
        variant=VariantKey("c"),
        mean=0.3,
        interval=BETTER,
        guardrail=GuardrailState.FAILED,
    )
    verdict = decide(situation(evidence(interval=BETTER), c))
    assert (verdict.code, verdict.variant) == (VerdictCode.WINNER, B)


def test_the_control_is_kept_only_when_every_variant_is_worse() -> None:
    c = evidence(variant=VariantKey("c"))
    assert decide(situation(evidence(interval=WORSE), c)).code is VerdictCode.RUNNING


def test_the_missing_counts_are_named() -> None:
    verdict = decide(situation(evidence(first_counts=(3, 4), second_count=1)))
    assert verdict.reasons == (
        VerdictReason.TOO_FEW_FIRST,
        VerdictReason.TOO_FEW_SECOND,
    )


intervals = st.none() | st.builds(
    lambda a, b: Interval(lower=min(a, b), upper=max(a, b)),
    st.floats(-1, 1),
    st.floats(-1, 1),
)
evidences = st.builds(
    Evidence,
    variant=st.sampled_from(["b", "c", "d"]).map(VariantKey),
    mean=st.floats(-1, 1) | st.just(-math.inf),
    interval=intervals,
    relative_interval=intervals,
    guardrail=st.sampled_from(GuardrailState),
    first_counts=st.tuples(st.integers(0, 60), st.integers(0, 60)),
    second_count=st.none() | st.integers(0, 30),
)
situations = st.builds(
    Situation,
    visitors=st.integers(0, 5),
    health=st.sampled_from(HealthStatus),
    window_reached=st.booleans(),
    evidence=st.lists(evidences, min_size=1, max_size=4),
    equivalence=st.floats(0.01, 0.5),
    is_at_end=st.booleans(),
    is_stopped=st.booleans(),
    decide_from=st.none() | st.dates(),
)


@given(situations)
def test_any_state_has_exactly_one_verdict_and_a_reason(found: Situation) -> None:
    verdict = decide(found)
    assert verdict.code in VerdictCode
    assert verdict.reasons
    names_somebody = {
        VerdictCode.WINNER,
        VerdictCode.TRADEOFF,
        VerdictCode.GUARDRAIL_OPEN,
    }
    assert (verdict.variant is not None) == (verdict.code in names_somebody)


@given(situations)
def test_nothing_is_decided_from_an_unhealthy_or_young_experiment(
    found: Situation,
) -> None:
    young = replace(found, window_reached=False, visitors=1)
    assert decide(young).code in {VerdictCode.UNHEALTHY, VerdictCode.TOO_EARLY}
