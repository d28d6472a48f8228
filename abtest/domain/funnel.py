"""The funnel: its steps, the first and second conversion, and what they are worth."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

StepKey = NewType("StepKey", str)


class StepKind(StrEnum):
    """What a step means to a marketer; the order is the order of a usual funnel."""

    VISIT = "visit"
    LEAD = "lead"
    QUALIFIED = "qualified"
    ACTIVATOR = "activator"
    MAIN = "main"
    UPSELL = "upsell"
    REACTIVATION = "reactivation"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStep:
    """One step a visitor can reach."""

    key: StepKey
    name: str
    kind: StepKind = StepKind.CUSTOM


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """The second conversion is the n-th conversion at the step of the first.

    Attributes:
        step: the step of the first conversion.
        ordinal: 2 for the second purchase, 3 for the third.
        min_gap_hours: a purchase sooner than this after the one counted before it
            is not counted as a further one.
    """

    step: StepKey
    ordinal: int = 2
    min_gap_hours: float = 0.0

    def __post_init__(self) -> None:
        if self.ordinal < 2:
            raise ValueError(f"ordinal is {self.ordinal}; a repeat is at least 2")
        if not 0 <= self.min_gap_hours <= 24 * 365:
            raise ValueError("min_gap_hours must lie between 0 and 8760")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterStep:
    """The second conversion is the first one at another step, after the first."""

    step: StepKey


SecondConversion = Repeat | LaterStep


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionGoal:
    """Which step is the first conversion, and what counts as the second."""

    first: StepKey
    second: SecondConversion

    def __post_init__(self) -> None:
        if isinstance(self.second, Repeat) and self.second.step != self.first:
            raise ValueError("a repeat must be of the first conversion's step")
        if isinstance(self.second, LaterStep) and self.second.step == self.first:
            raise ValueError("a later step must differ from the first; use an ordinal")


@dataclass(frozen=True, slots=True, kw_only=True)
class CountWeights:
    """What a first and a second conversion are worth, in points of the user's choice.

    Attributes:
        currency: when given, revenue is shown beside the points.
    """

    first: float = 1.0
    second: float = 1.0
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyWeights:
    """Revenue decides: the value is margin x revenue of both conversions."""

    currency: str
    first_margin: float = 1.0
    second_margin: float = 1.0


ConversionWeights = CountWeights | MoneyWeights
