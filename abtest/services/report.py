"""The one report: what the page, the API, the files and the command line all show."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from abtest.domain.experiment import (
    Adaptive,
    ExperimentKey,
    Method,
    SequentialDesign,
    Status,
    VariantKey,
)
from abtest.domain.funnel import ConversionWeights, SecondConversion, StepKey
from abtest.services.comparison_report import Comparison
from abtest.services.variant_report import VariantReport

SCHEMA_VERSION = 1


class VerdictCode(StrEnum):
    """The closed list of what can be said of an experiment; the first that applies."""

    NO_DATA = "no_data"
    UNHEALTHY = "unhealthy"
    TOO_EARLY = "too_early"
    WINNER = "winner"
    TRADEOFF = "tradeoff"
    KEEP_CONTROL = "keep_control"
    RUNNING = "running"
    GUARDRAIL_OPEN = "guardrail_open"
    EQUIVALENT = "equivalent"
    INCONCLUSIVE = "inconclusive"
    STOPPED_EARLY = "stopped_early"


class VerdictReason(StrEnum):
    """Facts that led to the verdict, or that a reader must know beside it."""

    NOBODY_EXPOSED = "nobody_exposed"
    SAMPLE_RATIO = "sample_ratio"
    CONTAMINATION = "contamination"
    WINDOW_NOT_REACHED = "window_not_reached"
    TOO_FEW_FIRST = "too_few_first_conversions"
    TOO_FEW_SECOND = "too_few_second_conversions"
    VALUE_BETTER = "value_better"
    VALUE_WORSE = "value_worse"
    VALUE_UNCLEAR = "value_unclear"
    FIRST_WITHIN_MARGIN = "first_within_margin"
    FIRST_BEYOND_MARGIN = "first_beyond_margin"
    FIRST_UNCLEAR = "first_unclear"
    PLAN_NOT_AT_END = "plan_not_at_end"
    PLAN_AT_END = "plan_at_end"
    WITHIN_EQUIVALENCE = "within_equivalence"
    STOPPED = "stopped"
    EXPLORATORY_WEIGHTS = "exploratory_weights"
    EXPLORATORY_SEGMENT = "exploratory_segment"
    WEIGHTS_CHANGED = "weights_changed_after_start"
    DECIDED_AT_END = "decided_at_plan_end"


class HealthStatus(StrEnum):
    """How much a check worries us; `blocked` forbids a verdict."""

    OK = "ok"
    WARNING = "warning"
    BLOCKED = "blocked"


class HealthCode(StrEnum):
    """What is checked."""

    SAMPLE_RATIO = "sample_ratio"
    MULTIPLE_EXPOSURE = "multiple_exposure"
    MINIMUM_COUNTS = "minimum_counts"
    MATURITY = "maturity"
    WEIGHTS_CHANGED = "weights_changed"
    ALLOCATION_CHANGED = "allocation_changed"
    GUARDRAIL_SAFETY = "first_conversion_safety"
    UNEQUAL_SPLIT = "unequal_split"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """One check: its value against its threshold, both None where neither applies.

    Attributes:
        observed: shares or counts by variant, where they explain the value.
        planned: what `observed` was planned to be.
        p_value: a classical p-value beside an e-value.
    """

    code: HealthCode
    status: HealthStatus
    value: float | None = None
    threshold: float | None = None
    observed: tuple[float, ...] = ()
    planned: tuple[float, ...] = ()
    p_value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """All checks and the worst status among them."""

    status: HealthStatus
    checks: tuple[HealthCheck, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaturityReport:
    """How much of what will come is already in.

    Attributes:
        share: of the second conversions expected from the visitors enrolled so far.
        decide_from: first day on which a report can decide; None before exposures.
        complete_from: first day on which everybody enrolled so far was followed for
            the whole window.
    """

    share: float | None
    visitors: int
    mature_visitors: int
    decide_from: date | None
    complete_from: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do, decided once for page, API, files and command line."""

    code: VerdictCode
    variant: VariantKey | None
    decide_from: date | None
    reasons: tuple[VerdictReason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The visitors whose first exposure had this value of an attribute."""

    attribute: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """What came in since the last complete day; outside every estimate."""

    exposures: int
    conversions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPlan:
    """What was planned, so that a reader can judge the result.

    Attributes:
        information_fraction: share of the planned information that is in; None while
            that cannot be said.
        is_at_end: the plan's end is reached, the last look was taken.
        decided_on: where the plan decides once, the first complete day on which it was
            at its end: verdict, decision intervals and guardrails are of that day.
        expected_end: when the planned information will be in at the present pace;
            None when that cannot be said or the end is reached.
        stratified: estimated day by day, because the traffic split changed.
    """

    method: Method
    alpha: float
    power: float
    minimum_detectable_effect: float
    first_conversion_margin: float
    order_cap: float | None
    information_fraction: float | None
    is_at_end: bool
    expected_end: date | None
    stratified: bool
    critical_value: float
    sequential_design: SequentialDesign = SequentialDesign.GROUP_SEQUENTIAL
    covariate: str | None = None
    adaptive: Adaptive | None = None
    decided_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentReport:
    """The whole answer for one experiment at the end of one day.

    Attributes:
        first_window_days: the first conversion's own window; None means `window_days`.
        segment: the visitors it is limited to; None means all.
    """

    experiment: ExperimentKey
    name: str
    hypothesis: str
    status: Status
    started_at: datetime | None
    time_zone: str
    as_of: date
    data_through: datetime | None
    window_days: int
    weights: ConversionWeights
    weights_are_exploratory: bool
    weights_changed_at: datetime | None
    currency: str | None
    first_step: StepKey
    second: SecondConversion
    code_version: str
    event_digest: str
    plan: ReportPlan
    variants: tuple[VariantReport, ...]
    comparisons: tuple[Comparison, ...]
    health: Health
    maturity: MaturityReport
    verdict: Verdict
    today: Today
    first_window_days: int | None = None
    segment: Segment | None = None

    @property
    def fingerprint(self) -> str:
        """What the report can be made again from: its day, events and program."""
        return f"{self.as_of} {self.event_digest} abtest {self.code_version}"
