"""When is the plan at its end? Information, scheduled end, and who stopped it."""

from dataclasses import dataclass
from datetime import date

from abtest.domain.experiment import (
    Action,
    Experiment,
    Method,
    SequentialDesign,
    Status,
)
from abtest.domain.visitor import day_to_date, local_day, to_milliseconds
from abtest.services.estimates import Joint, Value, Weighting
from abtest.stats.delayed import Maturity
from abtest.stats.results import NotEstimable
from abtest.stats.sequential import planned_information

_TOO_LITTLE = 0.02
"""Below this share of the information no date is extrapolated."""

_FARTHEST = 730
"""Days ahead beyond which a date would be a fantasy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEnd:
    """How far the plan has come.

    Attributes:
        information_fraction: of the worst pair, at most 1; None when unknown.
        is_scheduled_end: enrolment was closed as planned and everybody enrolled was
            followed for the whole window.
        is_stopped: ended before by a person.
        expected_end: extrapolated, see `ReportPlan`.
        is_open: looks may go on after the planned information is in, until somebody
            closes the experiment: always-valid intervals hold for ever.
    """

    information_fraction: float | None
    is_scheduled_end: bool
    is_stopped: bool
    expected_end: date | None
    is_open: bool = False

    @property
    def is_reached(self) -> bool:
        """The planned information is in, or the scheduled end has come."""
        if self.is_scheduled_end or self.is_open:
            return self.is_scheduled_end
        return (self.information_fraction or 0.0) >= 1


def plan_end(
    experiment: Experiment,
    *,
    matured: Maturity,
    newest_cohort: int | None,
    values: tuple[Joint, ...],
    first_look: tuple[Joint, ...],
    weights: Weighting,
    as_of: int,
) -> PlanEnd:
    """Judge how far the plan has come on day `as_of`.

    Args:
        matured: of all variants together, on that day.
        newest_cohort: newest exposure day known NOW, so that a look back at a day
            before the end is not taken for the end.
        values: estimates in the measure of the value, control first.
        first_look: the same on the first day that could be looked at; its control is
            the baseline of the plan, as it is for the looks, so that the plan's end
            does not move with the estimates.
    """
    closed = _day_of(experiment, Action.CLOSE)
    ended = _day_of(experiment, Action.STOP, Action.DECIDE)
    is_closed = closed is not None and experiment.status is not Status.RUNNING
    everybody_mature = (
        newest_cohort is not None and newest_cohort + experiment.window_days <= as_of
    )
    baseline = weights.applied(first_look[0])
    fraction = _fraction(experiment, values, weights, baseline)
    return PlanEnd(
        information_fraction=fraction,
        is_scheduled_end=is_closed and everybody_mature,
        # A report of today ends yesterday: what was stopped today is stopped.
        is_stopped=not is_closed and ended is not None and ended <= as_of + 1,
        expected_end=_expected_end(experiment, fraction, matured, as_of),
        is_open=(
            experiment.method is Method.SEQUENTIAL
            and experiment.sequential_design is SequentialDesign.ALWAYS_VALID
        ),
    )


def _day_of(experiment: Experiment, *actions: Action) -> int | None:
    """Return the local day on which one of the actions was first taken."""
    names = {action.value for action in actions}
    days = [
        local_day(to_milliseconds(entry.at), experiment.time_zone)
        for entry in experiment.log
        if entry.action in names
    ]
    return min(days, default=None)


def _fraction(
    experiment: Experiment,
    values: tuple[Joint, ...],
    weights: Weighting,
    baseline: Value,
) -> float | None:
    """Return information / planned information of the worst pair."""
    estimates = [weights.applied(joint) for joint in values]
    control = estimates[0]
    if isinstance(control, NotEstimable):
        return None
    if isinstance(baseline, NotEstimable):
        baseline = control
    if baseline.mean <= 0:
        return None
    planned = planned_information(
        experiment.minimum_detectable_effect * baseline.mean,
        alpha=experiment.alpha / (len(values) - 1),
        power=experiment.power,
    )
    fractions = [
        1 / (control.variance + treated.variance) / planned
        for treated in estimates[1:]
        if not isinstance(treated, NotEstimable)
        and control.variance + treated.variance > 0
    ]
    if len(fractions) < len(estimates) - 1:
        return None
    return min(1.0, *fractions)


def _expected_end(
    experiment: Experiment, fraction: float | None, matured: Maturity, as_of: int
) -> date | None:
    """Extrapolate along a straight line from the first exposure."""
    if experiment.status is not Status.RUNNING or fraction is None:
        return None
    if matured.first_complete_day is None or not _TOO_LITTLE <= fraction < 1:
        return None
    start = matured.first_complete_day - experiment.window_days
    days_left = (as_of - start + 1) * (1 - fraction) / fraction
    if days_left > _FARTHEST:
        return None
    return day_to_date(as_of + 1 + round(days_left))
