"""Looking at a running experiment: repeated intervals that stay valid."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from scipy.optimize import brentq
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
    evaluated, times, is_final = _evaluated(looks, planned_information)
    bounds = spending_bounds(times, alpha=alpha, spending=spending, is_ended=is_final)
    look = evaluated[-1]
    return _result(
        look,
        bounds[-1],
        p_value=_repeated_p_value(times, look.z, spending=spending, is_final=is_final),
        was_crossed=any(
            one.z >= bound for one, bound in zip(evaluated, bounds, strict=True)
        ),
        information_fraction=min(1.0, times[-1]),
        is_final=is_final,
        method=f"group_sequential_{spending}",
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
    times: tuple[float, ...], z: float, *, spending: Spending, is_final: bool
) -> float:
    """Return the alpha whose last bound is |z|.

    Searched over u = z_{alpha/2}, in which the bound is almost a straight line, so
    that four or five boundary computations are enough.
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
    excess = beyond(largest)
    if excess <= 0:
        return float(2 * ndtr(-largest))
    smallest = max(_SMALLEST_U, largest - 1.2 * excess)
    if beyond(smallest) > 0:
        smallest = _SMALLEST_U
        if beyond(smallest) > 0:
            return 1.0
    return float(2 * ndtr(-brentq(beyond, smallest, largest, xtol=1e-6)))


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
