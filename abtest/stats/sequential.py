"""Looking at a running experiment: repeated intervals that stay valid."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from scipy.special import ndtr, ndtri

from abtest.stats.frequentist import fieller_interval
from abtest.stats.mixture import mixture_half_width, mixture_p_value
from abtest.stats.results import Interval, SequentialResult
from abtest.stats.spending import Spending, spending_bounds

SMALLEST_STEP = 0.002
"""A look that adds less of the planned information is not evaluated."""

SMALLEST_P_VALUE = 1e-10
"""Repeated p-values are not followed further down."""

_SMALLEST_U = 0.001

_USUAL_SLOPE = 1.1
"""By how much the last bound rises with z_{alpha/2}, where nothing else is known."""

_SMALLEST_SECANT = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was estimated at the end of one day.

    Attributes:
        day: the last complete day that the estimates know of.
        effect: treatment minus control.
        standard_error: of the effect.
        control_variance: of the control's estimated mean, not of a visitor.
        treatment_variance: the same for the treatment.
        is_scheduled_end: the plan ends with this look, however much is known.
    """

    day: int
    effect: float
    standard_error: float
    control_mean: float
    control_variance: float
    treatment_mean: float
    treatment_variance: float
    is_scheduled_end: bool = False

    def __post_init__(self) -> None:
        if not self.standard_error > 0:
            raise ValueError(
                f"standard_error is {self.standard_error} on day {self.day}; a look "
                "without variance cannot be judged"
            )

    @property
    def information(self) -> float:
        """1 / standard error squared."""
        return 1 / self.standard_error**2

    @property
    def z(self) -> float:
        """How many standard errors the effect is away from zero, on either side."""
        return abs(self.effect) / self.standard_error


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundedLook:
    """A look that was evaluated, with the bound on |z| that it had to reach.

    Attributes:
        time: information / planned information; it rises from look to look.
        is_final: the planned information was in, or the plan's end had come.
    """

    look: Look
    bound: float
    time: float
    is_final: bool

    @property
    def interval(self) -> Interval:
        """The repeated confidence interval of the effect."""
        half = self.bound * self.look.standard_error
        return Interval(lower=self.look.effect - half, upper=self.look.effect + half)


def planned_information(effect: float, *, alpha: float, power: float) -> float:
    """Return the information at which one final look has the power for the effect.

    ((z_{alpha/2} + z_power) / effect)^2, the effect absolute, alpha two-sided.

    Raises:
        ValueError: the effect is zero.
    """
    if effect == 0:
        raise ValueError("effect is 0; no information is enough to find it")
    return float(((ndtri(1 - alpha / 2) + ndtri(power)) / effect) ** 2)


def analyze_looks(
    looks: Sequence[Look],
    *,
    planned_information: float,
    alpha: float,
    spending: Spending = Spending.OBRIEN_FLEMING,
) -> SequentialResult:
    """Judge the last look of a group sequential test with alpha spending.

    The clock is information, not days: late conversions may lower it, so its running
    maximum counts. A look that adds less than 0.2 % of the plan is not evaluated and
    the result stays that of the look before. When the planned information is reached,
    or at the scheduled end, the rest of alpha is spent and the test is over: later
    looks change nothing, the result stays that of the final look.

    The interval is the repeated confidence interval, effect +- bound x standard
    error, valid at every look whether or not one stops there. The p-value is the
    repeated p-value: the alpha at which this look would just have reached its bound.
    For several treatments against one control pass alpha / their number.

    Args:
        looks: by day, the earliest that was allowed to decide first.
        planned_information: see `planned_information`, or 1 / se^2 of the plan's end.
        alpha: two-sided error over all looks together.
        spending: how alpha is spread over the information.

    Raises:
        ValueError: no look, days that do not rise, or no planned information.

    References:
        Jennison, Turnbull: Interim analyses: the repeated confidence interval
        approach (1989), https://doi.org/10.1111/j.2517-6161.1989.tb01433.x
    """
    evaluated = bounded_looks(
        looks, planned_information=planned_information, alpha=alpha, spending=spending
    )
    last = evaluated[-1]
    times = tuple(one.time for one in evaluated)
    return _result(
        last.look,
        last.bound,
        p_value=_repeated_p_value(
            times, last.look.z, near=alpha, spending=spending, is_final=last.is_final
        ),
        was_crossed=any(one.look.z >= one.bound for one in evaluated),
        information_fraction=min(1.0, last.time),
        is_final=last.is_final,
        method=f"group_sequential_{spending}",
    )


def bounded_looks(
    looks: Sequence[Look],
    *,
    planned_information: float,
    alpha: float,
    spending: Spending = Spending.OBRIEN_FLEMING,
) -> tuple[BoundedLook, ...]:
    """Return the looks that are evaluated with their bounds; see `analyze_looks`.

    What is returned for a look does not depend on later ones.
    """
    evaluated, times, is_final = _evaluated(looks, planned_information)
    bounds = spending_bounds(times, alpha=alpha, spending=spending, is_ended=is_final)
    last = len(evaluated) - 1
    return tuple(
        BoundedLook(look=look, bound=bound, time=time, is_final=is_final and i == last)
        for i, (look, bound, time) in enumerate(
            zip(evaluated, bounds, times, strict=True)
        )
    )


def analyze_any_time(
    look: Look, *, tau: float, planned_information: float, alpha: float
) -> SequentialResult:
    """Judge one look by the normal mixture: valid without any plan of looks.

    Args:
        look: any look; those before it need not be known, and `was_crossed` speaks of
            this one alone.
        tau: the smallest effect worth finding, in units of the effect, fixed before
            the start.
        planned_information: only to say how far the experiment has come.
        alpha: error over all looks that will ever be made.
    """
    half = mixture_half_width(look.standard_error, tau=tau, alpha=alpha)
    return _result(
        look,
        half / look.standard_error,
        p_value=mixture_p_value(look.effect, look.standard_error, tau=tau),
        was_crossed=abs(look.effect) >= half,
        information_fraction=min(1.0, look.information / planned_information),
        is_final=look.is_scheduled_end,
        method="normal_mixture",
    )


def _evaluated(
    looks: Sequence[Look], planned: float
) -> tuple[tuple[Look, ...], tuple[float, ...], bool]:
    """Return the looks that count, their times, and whether the last one is final."""
    if not looks or not planned > 0:
        raise ValueError("there must be a look and a positive planned information")
    if any(later.day <= earlier.day for earlier, later in pairwise(looks)):
        raise ValueError("looks must be in the order of their days, one a day")
    evaluated: list[Look] = []
    times: list[float] = []
    for look in looks:
        time = look.information / planned
        is_final = look.is_scheduled_end or time >= 1
        next_time = times[-1] + SMALLEST_STEP if times else 0.0
        if time < next_time and not is_final:
            continue
        # The end is evaluated in any case. If it adds next to nothing, taking it for
        # a little less correlated with the look before makes its bound a little wider.
        times.append(max(time, next_time))
        evaluated.append(look)
        if is_final:
            return tuple(evaluated), tuple(times), True
    return tuple(evaluated), tuple(times), False


@lru_cache(maxsize=1024)
def _repeated_p_value(
    times: tuple[float, ...],
    z: float,
    *,
    near: float,
    spending: Spending,
    is_final: bool,
) -> float:
    """Return the alpha whose last bound is |z|.

    Searched by secants over u = z_{alpha/2}, in which the bound is almost a straight
    line, so that two or three boundary computations are enough.

    Args:
        near: an alpha whose bounds are known already: the search begins there.
    """

    def beyond(u: float) -> float:
        alpha = float(2 * ndtr(-u))
        bounds = spending_bounds(
            times, alpha=alpha, spending=spending, is_ended=is_final
        )
        return bounds[-1] - z

    # The only look would have u = z; more looks cannot make p smaller.
    largest = min(z, float(-ndtri(SMALLEST_P_VALUE / 2)))
    if largest <= _SMALLEST_U:
        return 1.0
    low, high = _SMALLEST_U, largest
    u = min(max(float(-ndtri(near / 2)), low), high)
    slope, before = _USUAL_SLOPE, None
    while True:
        excess = beyond(u)
        if excess > 0 and u == _SMALLEST_U:
            return 1.0
        if excess <= 0 and u == largest:
            return float(2 * ndtr(-u))
        if before is not None:
            slope = (excess - before[1]) / (u - before[0])
        before = u, excess
        low, high = (low, u) if excess > 0 else (u, high)
        wanted = u - excess / slope if slope > 0 else math.inf
        # An end that is not known yet is tried; otherwise the search stays inside.
        wanted = min(max(wanted, _SMALLEST_U), largest)
        if abs(wanted - u) < _SMALLEST_SECANT:
            return float(2 * ndtr(-wanted))
        if not (low < wanted < high or wanted in {_SMALLEST_U, largest} & {low, high}):
            wanted = (low + high) / 2
        u = wanted


def _result(
    look: Look,
    bound: float,
    *,
    p_value: float,
    was_crossed: bool,
    information_fraction: float,
    is_final: bool,
    method: str,
) -> SequentialResult:
    half = bound * look.standard_error
    return SequentialResult(
        confidence_interval=Interval(
            lower=look.effect - half, upper=look.effect + half
        ),
        relative_confidence_interval=fieller_interval(
            look.control_mean,
            look.control_variance,
            look.treatment_mean,
            look.treatment_variance,
            critical_value=bound,
        ),
        p_value=p_value,
        critical_value=bound,
        was_crossed=was_crossed,
        information_fraction=information_fraction,
        is_final=is_final,
        method=method,
    )
