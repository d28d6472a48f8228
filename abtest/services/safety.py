"""The safety stop: does a variant lose first conversions before anything may decide?"""

from dataclasses import replace

from abtest.domain.experiment import Experiment
from abtest.services.estimates import Estimator, Value, weighted
from abtest.services.report import HealthCheck, HealthCode, HealthStatus
from abtest.services.verdict import FIRST_GATE
from abtest.stats.delayed import Measure, Window, observed
from abtest.stats.frequentist import compare
from abtest.stats.mixture import mixture_half_width
from abtest.stats.results import NotEstimable


def check_first_safety(
    experiment: Experiment,
    estimator: Estimator,
    *,
    first_complete_day: int | None,
    as_of: int,
) -> tuple[HealthCheck, ...]:
    """Warn when first conversions have surely fallen by more than the margin.

    Before the oldest visitors' window is over nothing is decided, but nobody should
    have to wait for that when a page is broken. The first conversions within the days
    that the oldest visitors have been followed are compared; the interval of their
    relative change may be looked at every day (normal mixture, Bonferroni among
    several treatments).

    Args:
        first_complete_day: the end of the oldest visitors' window.
        as_of: last complete day.

    Returns:
        Nothing once the window is over (the guardrail speaks then), or while the
        control has fewer than `FIRST_GATE` first conversions.
    """
    if first_complete_day is None or as_of >= first_complete_day:
        return ()
    days = as_of - (first_complete_day - estimator.window.longest)
    window = Window(first=min(days, estimator.window.first), second=days)
    seen = observed(estimator.moments[0], window=window, as_of=as_of).first
    if seen < FIRST_GATE:
        return ()
    joints = replace(estimator, window=window).joint(Measure.COUNT, as_of)
    control, *treatments = (weighted(joint, 1.0, 0.0) for joint in joints)
    margin = experiment.first_conversion_margin
    changes = [
        change
        for treated in treatments
        if (change := _change(experiment, control, treated, len(treatments)))
    ]
    if not changes:
        return ()
    highest, effect = min(changes)
    is_lost = highest < -margin
    return (
        HealthCheck(
            code=HealthCode.GUARDRAIL_SAFETY,
            status=HealthStatus.WARNING if is_lost else HealthStatus.OK,
            value=highest,
            threshold=-margin,
            observed=(effect,),
        ),
    )


def _change(
    experiment: Experiment, control: Value, treated: Value, comparisons: int
) -> tuple[float, float] | None:
    """Return the upper limit of the relative change, and the change itself."""
    alpha = experiment.alpha / comparisons
    # A variant without any conversion cannot tell its own error and borrows it.
    plain = compare(control, treated, alpha=alpha)
    if (
        isinstance(control, NotEstimable)
        or isinstance(plain, NotEstimable)
        or plain.relative_effect is None
    ):
        return None
    # Tightest for the loss that matters; without a margin, for the planned effect.
    loss = experiment.first_conversion_margin or experiment.minimum_detectable_effect
    half = mixture_half_width(
        plain.standard_error, tau=loss * control.mean, alpha=alpha
    )
    wide = compare(
        control, treated, alpha=alpha, critical_value=half / plain.standard_error
    )
    if isinstance(wide, NotEstimable) or wide.relative_confidence_interval is None:
        return None
    upper = wide.relative_confidence_interval.upper
    return None if upper is None else (upper, plain.relative_effect)
