"""Turns what was compared into evidence, and the evidence into the verdict."""

from collections.abc import Sequence

from abtest.domain.experiment import Experiment, Method
from abtest.domain.visitor import day_to_date
from abtest.services.estimates import Weighting
from abtest.services.looks import LookPlan
from abtest.services.plan_end import PlanEnd
from abtest.services.report import (
    Comparison,
    Health,
    VariantReport,
    Verdict,
    VerdictReason,
)
from abtest.services.verdict import Evidence, Situation, decide
from abtest.stats.delayed import Maturity
from abtest.stats.results import Interval, NotEstimable


def look_plan(
    experiment: Experiment, matured: Maturity, end: PlanEnd, as_of: int
) -> LookPlan:
    """Return when one may look; nothing changes after everybody is mature."""
    last = as_of
    if end.is_scheduled_end and matured.complete_day is not None:
        last = min(as_of, matured.complete_day)
    first = matured.first_complete_day
    return LookPlan(
        first_day=as_of + 1 if first is None else first,
        as_of=last,
        effect=experiment.minimum_detectable_effect,
        alpha=experiment.alpha,
        power=experiment.power,
        scheduled_end=end.is_scheduled_end,
        comparisons=len(experiment.variants) - 1,
        design=experiment.sequential_design,
    )


def gather_evidence(
    variants: Sequence[VariantReport],
    comparisons: Sequence[Comparison],
    *,
    method: Method,
    weights: Weighting,
    weights_are_late: bool,
    end: PlanEnd,
) -> tuple[Evidence, ...]:
    """Collect what the decision table asks for, treatment by treatment.

    With a fixed horizon (and with posteriors, which are no stopping rule) intervals
    decide at the plan's end alone; so does a worth that was not declared beforehand,
    whose interval allows for the choice of the worth but not for daily looks.
    """
    looks_decide = method is Method.SEQUENTIAL and not weights_are_late
    may_decide = looks_decide or end.is_reached
    control, *treatments = variants
    return tuple(
        Evidence(
            variant=treated.key,
            mean=(
                float("-inf")
                if isinstance(treated.value, NotEstimable)
                else treated.value.mean
            ),
            interval=comparison.decision_interval if may_decide else None,
            relative_interval=_relative(comparison),
            guardrail=comparison.guardrail.state,
            first_counts=(control.first.observed, treated.first.observed),
            second_count=(
                control.second.observed + treated.second.observed
                if weights.second
                else None
            ),
        )
        for treated, comparison in zip(treatments, comparisons, strict=True)
    )


def reach_verdict(
    experiment: Experiment,
    *,
    health: Health,
    matured: Maturity,
    evidence: Sequence[Evidence],
    end: PlanEnd,
    as_of: int,
    weights_are_exploratory: bool,
) -> Verdict:
    """Decide, and add what a reader must know beside the verdict."""
    first = matured.first_complete_day
    # A day counts once it is complete: the report of that day comes a day later.
    decide_from = None if first is None else day_to_date(first + 1)
    if experiment.method is not Method.SEQUENTIAL and end.expected_end is not None:
        decide_from = max(end.expected_end, decide_from or end.expected_end)
    verdict = decide(
        Situation(
            visitors=matured.visitors,
            health=health.status,
            window_reached=first is not None and as_of >= first,
            evidence=evidence,
            equivalence=experiment.minimum_detectable_effect,
            is_at_end=end.is_reached,
            is_stopped=end.is_stopped,
            decide_from=decide_from,
        )
    )
    beside = []
    if weights_are_exploratory:
        beside.append(VerdictReason.EXPLORATORY_WEIGHTS)
    if experiment.weights_changed_at is not None:
        beside.append(VerdictReason.WEIGHTS_CHANGED)
    return Verdict(
        code=verdict.code,
        variant=verdict.variant,
        decide_from=verdict.decide_from,
        reasons=(*verdict.reasons, *beside),
    )


def _relative(comparison: Comparison) -> Interval | None:
    """Return the relative interval that goes with the method."""
    sequential = comparison.value.sequential
    if not isinstance(sequential, NotEstimable):
        return sequential.relative_confidence_interval
    result = comparison.value.frequentist
    if isinstance(result, NotEstimable):
        return None
    return result.relative_confidence_interval
