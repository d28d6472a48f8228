"""Looking at a running experiment: daily looks from the first mature cohort on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from abtest.domain.experiment import SequentialDesign
from abtest.services.estimates import Estimator, Joint, Weighting, weighted
from abtest.stats.delayed import Measure
from abtest.stats.frequentist import with_floor
from abtest.stats.results import (
    NotEstimable,
    Reason,
    SequentialResult,
    ValueEstimate,
)
from abtest.stats.sequential import (
    Look,
    analyze_any_time,
    analyze_looks,
    planned_information,
)

_MOST_LOOKS = 200
"""A longer stretch is looked at every second day, every third, and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookPlan:
    """How often one may look, and when that ends.

    Attributes:
        first_day: the oldest cohort's window is over.
        as_of: the last look.
        effect: relative effect the plan wants to find.
        scheduled_end: `as_of` is the end of the plan whatever the information.
        comparisons: treatments that share alpha.
        design: how the looks are paid for.
    """

    first_day: int
    as_of: int
    effect: float
    alpha: float
    power: float
    scheduled_end: bool
    comparisons: int
    design: SequentialDesign = SequentialDesign.GROUP_SEQUENTIAL


@dataclass(frozen=True, slots=True, kw_only=True)
class JointPath:
    """Estimates of all variants on every look's day."""

    days: tuple[int, ...]
    joints: tuple[tuple[Joint, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialPair:
    """The value and the first conversions at the last look."""

    value: SequentialResult | NotEstimable
    first: SequentialResult | NotEstimable


def look_days(plan: LookPlan) -> tuple[int, ...]:
    """Return the days of the looks; the last is `as_of`.

    Counted back from a fixed beginning, so that a later report only adds looks,
    until there are so many that they are thinned.
    """
    span = plan.as_of - plan.first_day
    if span < 0:
        return ()
    if plan.design is SequentialDesign.ALWAYS_VALID:
        # The baseline is taken at the first look; those between are not needed.
        return (plan.first_day, plan.as_of)[-(span + 1) :]
    step = span // _MOST_LOOKS + 1
    days = range(plan.first_day, plan.as_of, step)
    return (*days, plan.as_of)


def joint_path(estimator: Estimator, measure: Measure, plan: LookPlan) -> JointPath:
    """Estimate all variants at every look."""
    days = look_days(plan)
    return JointPath(days=days, joints=estimator.joints(measure, days))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLooks:
    """The looks at one treatment's value, and what was planned for them.

    Attributes:
        planned: information at which the plan is at its end.
        alpha: over all looks at this treatment.
    """

    looks: Sequence[Look]
    planned: float
    alpha: float


def planned_looks(
    path: JointPath, *, treatment: int, weights: Weighting, plan: LookPlan
) -> PlannedLooks | NotEstimable:
    """Return the looks at a treatment's value.

    The baseline of the plan is the control at the first look: with a later one, what
    was spent at earlier looks would be judged anew at every look.
    """
    looks = _looks(path, treatment, plan, weights.applied)
    if isinstance(looks, NotEstimable):
        return looks
    control_mean = looks[0].control_mean
    if control_mean <= 0:
        return NotEstimable(Reason.NOT_POSITIVE)
    alpha = plan.alpha / plan.comparisons
    return PlannedLooks(
        looks=looks,
        planned=planned_information(
            plan.effect * control_mean, alpha=alpha, power=plan.power
        ),
        alpha=alpha,
    )


def analyze_path(
    value_path: JointPath,
    count_path: JointPath,
    *,
    treatment: int,
    weights: Weighting,
    plan: LookPlan,
) -> SequentialPair:
    """Judge one treatment's value and first conversions at the last look.

    The plan's end is set by the value; the first conversions are given the same
    clock: their planned information is what they will have when the value's is in.
    """
    found = planned_looks(value_path, treatment=treatment, weights=weights, plan=plan)
    if isinstance(found, NotEstimable):
        return SequentialPair(value=found, first=found)
    value = _judge(found.looks, plan, found.planned)
    first_looks = _looks(
        count_path, treatment, plan, lambda joint: weighted(joint, 1.0, 0.0)
    )
    if isinstance(first_looks, NotEstimable):
        return SequentialPair(value=value, first=first_looks)
    ratio = found.planned / found.looks[-1].information
    first = _judge(first_looks, plan, first_looks[-1].information * ratio)
    return SequentialPair(value=value, first=first)


def _judge(
    looks: Sequence[Look], plan: LookPlan, planned: float
) -> SequentialResult | NotEstimable:
    """Judge the last look in the manner of the design."""
    alpha = plan.alpha / plan.comparisons
    if plan.design is SequentialDesign.GROUP_SEQUENTIAL:
        return analyze_looks(looks, planned_information=planned, alpha=alpha)
    tau = plan.effect * looks[0].control_mean
    if tau <= 0:
        return NotEstimable(Reason.NOT_POSITIVE)
    return analyze_any_time(
        looks[-1], tau=tau, planned_information=planned, alpha=alpha
    )


def _looks(
    path: JointPath,
    treatment: int,
    plan: LookPlan,
    weigh: Callable[[Joint], ValueEstimate | NotEstimable],
) -> Sequence[Look] | NotEstimable:
    """Return the looks at which both arms can be estimated; the last must be one."""
    looks: list[Look] = []
    for day, joints in zip(path.days, path.joints, strict=True):
        control, treated = weigh(joints[0]), weigh(joints[treatment])
        if isinstance(control, NotEstimable):
            missing = control
        elif isinstance(treated, NotEstimable):
            missing = treated
        elif control.variance + treated.variance <= 0:
            missing = NotEstimable(Reason.NO_VARIANCE)
        else:
            looks.append(_look(day, *with_floor(control, treated), plan))
            continue
        if day == plan.as_of:
            return missing
    return looks or NotEstimable(Reason.NOT_MATURE)


def _look(
    day: int, control: ValueEstimate, treated: ValueEstimate, plan: LookPlan
) -> Look:
    return Look(
        day=day,
        effect=treated.mean - control.mean,
        standard_error=(control.variance + treated.variance) ** 0.5,
        control_mean=control.mean,
        control_variance=control.variance,
        treatment_mean=treated.mean,
        treatment_variance=treated.variance,
        is_scheduled_end=plan.scheduled_end and day == plan.as_of,
    )
