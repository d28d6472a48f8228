"""The decision table: from evidence to exactly one verdict (STATISTICS section D)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from abtest.domain.experiment import VariantKey
from abtest.services.comparison_report import GuardrailState
from abtest.services.report import (
    HealthStatus,
    Verdict,
    VerdictCode,
    VerdictReason,
)
from abtest.stats.results import Interval

FIRST_GATE = 25
"""First conversions every compared variant must have before anything is decided."""

SECOND_GATE = 10
"""Second conversions a pair of variants must have together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of one variant against the control.

    Attributes:
        mean: the variant's value per visitor; orders several winners.
        interval: effect on the value per visitor that may decide now; None when no
            decision may rest on it (no estimate, or the plan is not at its end).
        relative_interval: the same relative to the control.
        guardrail: first conversions against the margin.
        first_counts: observed first conversions of variant and control.
        second_count: observed second conversions of both together; None when second
            conversions are worth nothing.
    """

    variant: VariantKey
    mean: float
    interval: Interval | None
    relative_interval: Interval | None
    guardrail: GuardrailState
    first_counts: tuple[int, int]
    second_count: int | None

    @property
    def missing(self) -> tuple[VerdictReason, ...]:
        """Which counts are still too small to decide anything."""
        reasons = []
        if min(self.first_counts) < FIRST_GATE:
            reasons.append(VerdictReason.TOO_FEW_FIRST)
        if self.second_count is not None and self.second_count < SECOND_GATE:
            reasons.append(VerdictReason.TOO_FEW_SECOND)
        return tuple(reasons)

    @property
    def is_better(self) -> bool:
        """The whole interval of the value's effect is above zero."""
        lower = self.interval.lower if self.interval else None
        return lower is not None and lower > 0

    @property
    def is_worse(self) -> bool:
        """The whole interval of the value's effect is below zero."""
        upper = self.interval.upper if self.interval else None
        return upper is not None and upper < 0

    def is_within(self, margin: float) -> bool:
        """Tell whether the relative effect is bounded by the margin on both sides."""
        interval = self.relative_interval
        if interval is None or interval.lower is None or interval.upper is None:
            return False
        return -margin < interval.lower and interval.upper < margin


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything the decision table looks at.

    Attributes:
        window_reached: the oldest cohort was followed for the whole window.
        equivalence: relative difference of the value that does not matter.
        is_at_end: the plan's end is reached.
        is_stopped: somebody ended the experiment before the plan's end.
    """

    visitors: int
    health: HealthStatus
    window_reached: bool
    evidence: Sequence[Evidence]
    equivalence: float
    is_at_end: bool
    is_stopped: bool
    decide_from: date | None


def decide(situation: Situation) -> Verdict:
    """Return the one verdict that applies: the first row of the table that fits."""
    code, variant, reasons = _first_row(situation)
    return Verdict(
        code=code,
        variant=variant,
        decide_from=situation.decide_from,
        reasons=tuple(dict.fromkeys(reasons)),
    )


_Row = tuple[VerdictCode, VariantKey | None, Sequence[VerdictReason]]


def _first_row(situation: Situation) -> _Row:
    if situation.visitors == 0:
        return VerdictCode.NO_DATA, None, [VerdictReason.NOBODY_EXPOSED]
    if situation.health is HealthStatus.BLOCKED:
        return VerdictCode.UNHEALTHY, None, [VerdictReason.SAMPLE_RATIO]
    if not situation.window_reached:
        return VerdictCode.TOO_EARLY, None, [VerdictReason.WINDOW_NOT_REACHED]
    ready = [e for e in situation.evidence if not e.missing]
    if not ready:
        missing = [r for e in situation.evidence for r in e.missing]
        return VerdictCode.TOO_EARLY, None, missing
    return _better_row(ready) or _other_row(situation, ready)


def _better_row(ready: Sequence[Evidence]) -> _Row | None:
    """Rows 3 and 4: somebody's value is better and the guardrail has spoken."""
    best_first = sorted(ready, key=lambda e: -e.mean)
    for state, code, reason in (
        (
            GuardrailState.HELD,
            VerdictCode.WINNER,
            VerdictReason.FIRST_WITHIN_MARGIN,
        ),
        (
            GuardrailState.FAILED,
            VerdictCode.TRADEOFF,
            VerdictReason.FIRST_BEYOND_MARGIN,
        ),
    ):
        for evidence in best_first:
            if evidence.is_better and evidence.guardrail is state:
                return code, evidence.variant, [VerdictReason.VALUE_BETTER, reason]
    return None


def _other_row(situation: Situation, ready: Sequence[Evidence]) -> _Row:
    """Rows 5 to 9."""
    if all(e.is_worse for e in situation.evidence):
        return VerdictCode.KEEP_CONTROL, None, [VerdictReason.VALUE_WORSE]
    if situation.is_stopped and not situation.is_at_end:
        return VerdictCode.STOPPED_EARLY, None, [VerdictReason.STOPPED]
    if not situation.is_at_end:
        return VerdictCode.RUNNING, None, [VerdictReason.PLAN_NOT_AT_END]
    at_end = VerdictReason.PLAN_AT_END
    better = [e for e in sorted(ready, key=lambda e: -e.mean) if e.is_better]
    if better:
        reasons = [VerdictReason.VALUE_BETTER, VerdictReason.FIRST_UNCLEAR, at_end]
        return VerdictCode.GUARDRAIL_OPEN, better[0].variant, reasons
    if all(e.is_within(situation.equivalence) for e in situation.evidence):
        reasons = [VerdictReason.WITHIN_EQUIVALENCE, at_end]
        return VerdictCode.EQUIVALENT, None, reasons
    return VerdictCode.INCONCLUSIVE, None, [VerdictReason.VALUE_UNCLEAR, at_end]
