"""What a report says of a variant against the control."""

from dataclasses import dataclass
from enum import StrEnum

from abtest.domain.experiment import VariantKey
from abtest.stats.results import (
    Band,
    BayesianResult,
    BreakEvenWeight,
    Decomposition,
    FrequentistResult,
    Interval,
    NotEstimable,
    Reason,
    SequentialResult,
)

_NO_COVARIATE = NotEstimable(Reason.NO_COVARIATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureTest:
    """One quantity compared with the control, in three ways."""

    frequentist: FrequentistResult | NotEstimable
    bayesian: BayesianResult | NotEstimable
    sequential: SequentialResult | NotEstimable


class GuardrailState(StrEnum):
    """Whether the loss of first conversions is bounded by the margin."""

    HELD = "held"
    FAILED = "failed"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """First conversions against the margin that was allowed.

    Attributes:
        margin: largest relative loss allowed, 0 to 1.
        interval: relative change of first conversions that decides; None when it
            cannot be bounded.
    """

    margin: float
    interval: Interval | None
    state: GuardrailState


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """Effect on the value per visitor if a second conversion were worth `weight`.

    Attributes:
        weight: on the scale of the second weight; the first one stays as it is.
        effect: in units of the value; money in major units.
        lower, upper: interval that holds at all weights together, however the weight
            was chosen.
    """

    weight: float
    effect: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A variant against the control.

    Attributes:
        mature_only: the value test on fully followed visitors alone, a cross-check.
        calculator_check: the pooled two-proportion z-test of the observed first
            conversions, as other calculators print it.
        exact_posterior: of the value, beta-distributed instead of normal: counts, when
            everybody has been followed; a check of the approximation.
        decision_effect, decision_interval: the value's effect and its interval that
            the verdict rests on; of the day `ReportPlan.decided_on`, where there is
            one. None when they cannot be given.
        bands: who wins at which worth of the second conversion.
        curve: the effect over the same range of worths, for the chart.
        log_ratio_interval: of the value's lift, on the log of the ratio, as other
            programs give it; a cross-check, it may contradict the p-value.
        variance_reduced: the value test with a declared covariate's part taken out;
            beside the plain test, which decides.
    """

    variant: VariantKey
    control: VariantKey
    first: MeasureTest
    second: MeasureTest
    value: MeasureTest
    mature_only: FrequentistResult | NotEstimable
    calculator_check: FrequentistResult | NotEstimable
    exact_posterior: BayesianResult | NotEstimable
    decision_interval: Interval | None
    break_even_weight: BreakEvenWeight | NotEstimable
    bands: tuple[Band, ...]
    decomposition: Decomposition | NotEstimable
    guardrail: Guardrail
    curve: tuple[CurvePoint, ...] = ()
    variance_reduced: FrequentistResult | NotEstimable = _NO_COVARIATE
    decision_effect: float | None = None
    log_ratio_interval: Interval | None = None
