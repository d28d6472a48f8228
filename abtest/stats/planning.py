"""The planner: how long to send visitors, and how long to wait afterwards."""

import math
from dataclasses import dataclass, replace

from abtest.stats.delayed import Window
from abtest.stats.design import DelayCurve, expected_estimate
from abtest.stats.power import COUNTED, Baseline, detectable_effect, sample_size
from abtest.stats.results import JointEstimate, NotEstimable, Reason

RESERVE = 1.1
"""Visitors sent / visitors needed if all were followed to the end.

A tenth more visitors saves most of the waiting: the last cohorts need not be mature.
"""

LONGEST_DAYS = 730
"""Exposure beyond two years is no plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What a planner is asked.

    Attributes:
        visitors_per_day: of all variants together.
        shares: of each variant, the control first; any positive scale.
        first_weight: worth of a first conversion, or its margin.
        second_weight: worth of a second conversion, or its margin.
        effect: smallest relative effect worth finding, 0.1 for 10 %.
        alpha: two-sided; divided by the number of treatments (Bonferroni).
        first_conversion_margin: largest relative loss of first conversions that a
            winner may cost.
        expected_first_loss: the loss that is expected, relative.
        exposure_days: how long visitors are sent, if that is fixed.
    """

    visitors_per_day: float
    shares: tuple[float, ...] = (1.0, 1.0)
    baseline: Baseline
    delay: DelayCurve
    window: Window
    first_weight: float
    second_weight: float
    effect: float
    alpha: float = 0.05
    power: float = 0.8
    first_conversion_margin: float = 0.2
    expected_first_loss: float = 0.0
    exposure_days: int | None = None

    def __post_init__(self) -> None:
        if not self.visitors_per_day > 0 or not self.effect > 0:
            raise ValueError(
                f"visitors_per_day is {self.visitors_per_day}, effect {self.effect}; "
                "both must be positive"
            )
        if len(self.shares) < 2 or min(self.shares) <= 0:
            raise ValueError(f"shares are {self.shares}; two or more must be positive")
        if self.exposure_days is not None and not (
            1 <= self.exposure_days <= LONGEST_DAYS
        ):
            raise ValueError(
                f"exposure_days is {self.exposure_days}; 1 to {LONGEST_DAYS}"
            )

    @property
    def visitors(self) -> tuple[float, ...]:
        """Visitors a day of each variant."""
        total = sum(self.shares)
        return tuple(self.visitors_per_day * share / total for share in self.shares)

    @property
    def corrected_alpha(self) -> float:
        """Alpha of each comparison with the control."""
        return self.alpha / (len(self.shares) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """When an effect can be told from chance.

    Attributes:
        visitors_per_variant: that will be sent, the control first.
        exposure_days: visitors are sent on day 0 to day `exposure_days` - 1.
        follow_up_days: complete days to wait after the last visitors came.
        total_days: both together; the last of them is day `ready_day`.
    """

    visitors_per_variant: tuple[int, ...]
    exposure_days: int
    follow_up_days: int

    @property
    def total_days(self) -> int:
        """Complete days of data that are needed."""
        return self.exposure_days + self.follow_up_days

    @property
    def ready_day(self) -> int:
        """The last of these days, counted from day 0."""
        return self.total_days - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What can be seen of one measure, and when.

    Attributes:
        duration: until the scenario's effect is seen; not estimable when it takes
            more than two years or the value is not positive.
        curve: (complete days of data, smallest relative effect seen by then), from
            the first day on which the oldest cohort is mature until all are.
    """

    duration: Duration | NotEstimable
    curve: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """Whether the plan can bound the loss of first conversions.

    Attributes:
        standard_error: of the relative effect on first conversions, at the plan's end.
        smallest_margin: expected loss + 2 standard errors: a narrower margin could
            not be kept even if all goes as expected.
        is_resolvable: the declared margin is wider than that.
    """

    standard_error: float
    smallest_margin: float
    is_resolvable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The plan for the weighted value, and the same effect on each conversion alone."""

    value: Outlook
    first: Outlook
    second: Outlook
    guardrail: Guardrail | NotEstimable


def plan(scenario: Scenario) -> Plan:
    """Plan visitors, days of traffic and days of waiting.

    Unless the scenario fixes them, visitors are sent until there are a tenth more than
    fully followed visitors would be needed; then the plan waits until the expected
    standard error of the delay-corrected estimate is small enough. With several
    treatments the one with the fewest visitors decides.
    """
    value = _outlook(
        scenario, scenario.first_weight, scenario.second_weight, scenario.window
    )
    first_window = Window(first=scenario.window.first, second=scenario.window.first)
    return Plan(
        value=value,
        first=_outlook(scenario, 1.0, 0.0, first_window),
        second=_outlook(scenario, 0.0, 1.0, scenario.window),
        guardrail=_guardrail(scenario, value.duration),
    )


def _outlook(
    scenario: Scenario, first_weight: float, second_weight: float, window: Window
) -> Outlook:
    exposure = _exposure_days(scenario, first_weight, second_weight)
    if isinstance(exposure, NotEstimable):
        return Outlook(duration=exposure, curve=())
    sent = min(exposure, LONGEST_DAYS)
    earliest = window.longest
    curve: list[tuple[int, float]] = []
    for day in range(earliest, earliest + sent):
        variance = _effect_estimate(scenario, sent, window, day).variance(
            first_weight, second_weight
        )
        seen = detectable_effect(
            math.sqrt(variance), alpha=scenario.corrected_alpha, power=scenario.power
        )
        curve.append(
            (day + 1, seen / scenario.baseline.mean(first_weight, second_weight))
        )
    reached = (days for days, effect in curve if effect <= scenario.effect)
    return Outlook(
        duration=_duration(scenario, sent, next(reached, None)), curve=tuple(curve)
    )


def _exposure_days(
    scenario: Scenario, first_weight: float, second_weight: float
) -> int | NotEstimable:
    """Return how many days visitors are sent."""
    control, *treatments = scenario.visitors
    needed = sample_size(
        scenario.baseline,
        first_weight,
        second_weight,
        effect=scenario.effect,
        alpha=scenario.corrected_alpha,
        power=scenario.power,
        ratio=min(treatments) / control,
    )
    if isinstance(needed, NotEstimable):
        return needed
    return scenario.exposure_days or math.ceil(RESERVE * needed / control)


def _duration(
    scenario: Scenario, exposure: int, days: int | None
) -> Duration | NotEstimable:
    """Return the duration when the effect is seen after so many days."""
    if days is None:
        return NotEstimable(Reason.TOO_FEW_VISITORS)
    exposure = min(exposure, days)
    return Duration(
        visitors_per_variant=tuple(math.ceil(exposure * v) for v in scenario.visitors),
        exposure_days=exposure,
        follow_up_days=days - exposure,
    )


def _effect_estimate(
    scenario: Scenario, exposure: int, window: Window, day: int
) -> JointEstimate:
    """Return the covariance of the smallest treatment minus the control.

    The variance of an arm is inverse to its visitors: one arm with a visitor a day is
    computed and scaled.
    """
    joint = expected_estimate(
        (1.0,) * exposure, scenario.baseline, scenario.delay, window=window, as_of=day
    )
    assert isinstance(joint, JointEstimate)  # noqa: S101 - `day` is late enough
    control, *treatments = scenario.visitors
    scale = 1 / control + 1 / min(treatments)
    return replace(
        joint,
        variance_first=joint.variance_first * scale,
        covariance=joint.covariance * scale,
        variance_second=joint.variance_second * scale,
    )


def _guardrail(
    scenario: Scenario, duration: Duration | NotEstimable
) -> Guardrail | NotEstimable:
    if isinstance(duration, NotEstimable):
        return duration
    baseline = scenario.baseline
    counted = replace(baseline, first_order=COUNTED, second_order=COUNTED)
    effect = _effect_estimate(
        replace(scenario, baseline=counted),
        duration.exposure_days,
        scenario.window,
        duration.ready_day,
    )
    error = math.sqrt(effect.variance_first) / baseline.first_rate
    smallest = scenario.expected_first_loss + 2 * error
    return Guardrail(
        standard_error=error,
        smallest_margin=smallest,
        is_resolvable=scenario.first_conversion_margin > smallest,
    )
