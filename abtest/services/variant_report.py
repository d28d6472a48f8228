"""What a report says of one variant."""

from dataclasses import dataclass

from abtest.domain.experiment import VariantKey
from abtest.domain.funnel import StepKey, StepKind
from abtest.stats.results import KeyFigure, NotEstimable, Reason, ValueEstimate

_NO_REVENUE = NotEstimable(Reason.NO_REVENUE)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """How many visitors of a variant reached a step, and the estimate in the window."""

    key: StepKey
    name: str
    kind: StepKind
    visitors: int
    rate: ValueEstimate | NotEstimable


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionResult:
    """A first or second conversion: the plain count and the estimated rate."""

    observed: int
    rate: ValueEstimate | NotEstimable


@dataclass(frozen=True, slots=True, kw_only=True)
class Revenue:
    """Revenue of first and second conversions, major units.

    Attributes:
        observed_first, observed_second: what came in within the window, up to as_of.
        per_visitor: the estimate within the window, both conversions together.
        order_value: observed revenue per purchase; None without purchases. First
            conversions that bring no money at all are no purchases.
    """

    observed_first: float
    observed_second: float
    per_visitor: ValueEstimate | NotEstimable
    order_value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantReport:
    """Everything about one variant.

    Attributes:
        repeat_rate: second / first conversion within the window; a diagnostic, its
            denominator is after treatment.
        value: weighted value per assigned visitor; money in major units.
        maturity: share of the expected second conversions that are in; None while
            that cannot be said.
        mature_visitors: visitors followed for the whole window.
        break_even_cost_per_click: where revenue decides, what a visitor may cost: the
            value per visitor.
        highest_acquisition_cost: the same of a customer: the value per visitor with a
            first conversion; a diagnostic, its denominator is after treatment.
    """

    key: VariantKey
    name: str
    is_control: bool
    planned_share: float
    visitors: int
    steps: tuple[StepResult, ...]
    first: ConversionResult
    second: ConversionResult
    repeat_rate: float | NotEstimable
    value: ValueEstimate | NotEstimable
    revenue: Revenue | NotEstimable
    maturity: float | None
    mature_visitors: int
    break_even_cost_per_click: KeyFigure | NotEstimable = _NO_REVENUE
    highest_acquisition_cost: KeyFigure | NotEstimable = _NO_REVENUE
