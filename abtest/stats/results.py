"""What the statistics can say, and the one way to say that they cannot."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a number cannot be given."""

    NO_VISITORS = "no_visitors"
    TOO_FEW_VISITORS = "too_few_visitors"
    NOT_MATURE = "not_mature"
    NO_VARIANCE = "no_variance"
    NO_CONVERSIONS = "no_conversions"
    TOO_FEW_CONVERSIONS = "too_few_conversions"
    NOT_POSITIVE = "not_positive"
    NOT_BOUNDED = "not_bounded"
    NO_REVENUE = "no_revenue"
    NO_COVARIATE = "no_covariate"
    NO_PLAN = "no_plan"
    NO_CONTROL_DAYS = "no_control_days"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class NotEstimable:
    """A fact of life: the data do not allow this number yet, or ever."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Lower and upper limit; None where there is no limit."""

    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JointEstimate:
    """First and second conversion per assigned visitor, with their covariance.

    Means are within the window; counts are probabilities, money is minor units.
    `variance_*` and `covariance` are those of the ESTIMATES (standard errors
    squared), not of single visitors.

    Attributes:
        visitors: assigned visitors that the estimate rests on.
        is_mature: everybody has been followed for the whole window: the estimate is
            the plain mean, and Welch's degrees of freedom apply.
    """

    visitors: int
    first: float
    second: float
    variance_first: float
    covariance: float
    variance_second: float
    is_mature: bool

    def mean(self, first_weight: float, second_weight: float) -> float:
        """Return w1 x first + w2 x second."""
        return first_weight * self.first + second_weight * self.second

    def variance(self, first_weight: float, second_weight: float) -> float:
        """Return the variance of `mean`, covariance included; never negative."""
        return max(
            0.0,
            first_weight**2 * self.variance_first
            + second_weight**2 * self.variance_second
            + 2 * first_weight * second_weight * self.covariance,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueEstimate:
    """A mean per assigned visitor, its variance, and how many visitors it rests on."""

    visitors: int
    mean: float
    variance: float
    is_mature: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequentistResult:
    """A two-sided test of "no difference", treatment minus control.

    Attributes:
        relative_effect: effect / control mean; None where the control mean is not
            positive.
        relative_confidence_interval: Fieller's; None where it is not bounded.
        degrees_of_freedom: None for the normal distribution.
    """

    effect: float
    standard_error: float
    confidence_interval: Interval
    relative_effect: float | None
    relative_confidence_interval: Interval | None
    statistic: float
    p_value: float
    degrees_of_freedom: float | None
    method: str
    adjusted_p_value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesianResult:
    """Posterior of treatment minus control.

    Attributes:
        probability_to_be_best: of this variant among all variants.
        probability_to_beat_control: of this variant against the control alone.
        expected_loss: what is lost per visitor on average if this variant is shipped
            and another one was better.
        expected_loss_of_control: the same if the control is kept.
    """

    probability_to_be_best: float
    probability_to_beat_control: float
    expected_loss: float
    expected_loss_of_control: float
    credible_interval: Interval
    prior: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialResult:
    """An interval that stays valid however often one looks.

    Attributes:
        information_fraction: share of the planned information, 0 to 1.
        critical_value: bound on |z| at this look.
        was_crossed: at this look or an earlier one |z| reached its bound. The interval
            may hold zero again by now: later visitors pulled the effect back.
        is_final: the plan's information is reached, or the scheduled end.
    """

    confidence_interval: Interval
    relative_confidence_interval: Interval | None
    p_value: float | None
    critical_value: float
    was_crossed: bool
    information_fraction: float
    is_final: bool
    method: str


class BreakEvenKind(StrEnum):
    """The shape of the set of weights that do not contradict the data."""

    INTERVAL = "interval"
    RAYS = "rays"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEvenWeight:
    """The worth of a second conversion at which two variants tie.

    Attributes:
        estimate: -D1/D2 in units of the first conversion's worth; None when D2 is 0.
        lower: kind `interval`: the lower limit; kind `rays`: the set is everything
            up to `lower` and everything from `upper` on; None for `all` and `none`.
    """

    kind: BreakEvenKind
    estimate: float | None
    lower: float | None
    upper: float | None


class Winner(StrEnum):
    """Who is ahead by more than chance explains."""

    CONTROL = "control"
    UNDECIDED = "undecided"
    TREATMENT = "treatment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch of weights with the same winner."""

    lower: float
    upper: float
    winner: Winner


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One thing in both variants, and treatment / control with its interval."""

    control: float
    treatment: float
    ratio: float
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Decomposition:
    """Revenue per visitor = customers x purchases x order value; so do the ratios.

    Attributes:
        customers: first conversions per visitor.
        purchases: purchases per customer: first and second conversions, 1 to 2; where
            first conversions bring no money in either variant (a visit, a sign-up),
            second conversions alone, 0 to 1.
        order_value: revenue per purchase, minor units, refunds taken off.
        revenue: of both conversions per visitor, minor units.
    """

    customers: Factor
    purchases: Factor
    order_value: Factor
    revenue: Factor


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFigure:
    """An estimate and its confidence interval."""

    estimate: float
    interval: Interval
