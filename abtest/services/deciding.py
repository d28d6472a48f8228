"""Turns what was compared into evidence, and the evidence into the verdict."""

from collections.abc import Sequence

from abtest.domain.experiment import Experiment, Method
from abtest.domain.visitor import day_to_date
from abtest.services.comparing import Decision
from abtest.services.measuring import Comparing
from abtest.services.plan_end import PlanEnd, decides_once
from abtest.services.report import Health, Verdict, VerdictReason
from abtest.services.verdict import Evidence, Situation, decide
from abtest.stats.delayed import Maturity
from abtest.stats.results import NotEstimable


def gather_evidence(
    c: Comparing, decisions: Sequence[Decision], *, end: PlanEnd
) -> tuple[Evidence, ...]:
    """Collect what the decision table asks for, treatment by treatment.

    Args:
        c: on the day that decides.
        decisions: of that day.
        end: where the plan decides once, intervals speak at its end alone.
    """
    may_decide = end.is_reached or not decides_once(
        c.experiment, weights_are_late=c.weights_are_late
    )
    counted, values = c.counted, c.weighted_values
    return tuple(
        Evidence(
            variant=c.experiment.variants[i].key,
            mean=(float("-inf") if isinstance(value, NotEstimable) else value.mean),
            interval=decided.interval if may_decide else None,
            relative_interval=decided.relative_interval,
            guardrail=decided.guardrail.state,
            first_counts=(counted[0].first, counted[i].first),
            second_count=(
                counted[0].second + counted[i].second if c.weights.second else None
            ),
        )
        for i, (value, decided) in enumerate(zip(values[1:], decisions, strict=True), 1)
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
    if end.day is not None and end.day < as_of:
        beside.append(VerdictReason.DECIDED_AT_END)
    return Verdict(
        code=verdict.code,
        variant=verdict.variant,
        decide_from=verdict.decide_from,
        reasons=(*verdict.reasons, *beside),
    )
