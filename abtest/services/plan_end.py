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
from abtest.services.estimates import Estimator, Joint, Weighting
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
        day: the first complete day on which the plan was at its end, days since
            1970-01-01; None while it is not, and where every look may decide.
    """

    information_fraction: float | None
    is_scheduled_end: bool
    is_stopped: bool
    expected_end: date | None
    is_open: bool = False
    day: int | None = None

    @property
    def is_reached(self) -> bool:
        """The planned information is in, or the scheduled end has come."""
        if self.day is not None:
            return True
        if self.is_scheduled_end or self.is_open:
            return self.is_scheduled_end
        return (self.information_fraction or 0.0) >= 1


def plan_end(
    experiment: Experiment,
    estimator: Estimator,
    *,
    matured: Maturity,
    newest_cohort: int | None,
    weights: Weighting,
    weights_are_late: bool,
    as_of: int,
) -> PlanEnd:
    """Judge how far the plan has come on day `as_of`.

    Args:
        matured: of all variants together, on that day.
        newest_cohort: newest exposure day known NOW, so that a look back at a day
            before the end is not taken for the end.
        weights: in use.
        weights_are_late: they were chosen after the start.
    """
    closed = _day_of(experiment, Action.CLOSE)
    ended = _day_of(experiment, Action.STOP, Action.DECIDE)
    is_closed = closed is not None and experiment.status is not Status.RUNNING
    everybody_mature = (
        newest_cohort is not None and newest_cohort + experiment.window_days <= as_of
    )
    is_scheduled_end = is_closed and everybody_mature
    planned = _planned(experiment, estimator, matured, weights, as_of)
    fraction = _fraction(weights, estimator.joint(weights.measure, as_of), planned)
    is_open = (
        experiment.method is Method.SEQUENTIAL
        and experiment.sequential_design is SequentialDesign.ALWAYS_VALID
    )
    day = None
    if decides_once(experiment, weights_are_late=weights_are_late):
        day = matured.complete_day if is_scheduled_end else None
        if not is_open:
            day = _day_reached(estimator, matured, weights, planned, as_of) or day
    return PlanEnd(
        information_fraction=fraction,
        is_scheduled_end=is_scheduled_end,
        # A report of today ends yesterday: what was stopped today is stopped.
        is_stopped=not is_closed and ended is not None and ended <= as_of + 1,
        expected_end=_expected_end(experiment, fraction, matured, as_of),
        is_open=is_open,
        day=day,
    )


def decides_once(experiment: Experiment, *, weights_are_late: bool) -> bool:
    """Tell whether the experiment decides at the plan's end alone.

    With a fixed horizon and with posteriors, which are no stopping rule; and with a
    worth that was not declared beforehand, whose interval allows for the choice of the
    worth but not for daily looks.
    """
    return weights_are_late or experiment.method is not Method.SEQUENTIAL


def _day_of(experiment: Experiment, *actions: Action) -> int | None:
    """Return the local day on which one of the actions was first taken."""
    names = {action.value for action in actions}
    days = [
        local_day(to_milliseconds(entry.at), experiment.time_zone)
        for entry in experiment.log
        if entry.action in names
    ]
    return min(days, default=None)


def _planned(
    experiment: Experiment,
    estimator: Estimator,
    matured: Maturity,
    weights: Weighting,
    as_of: int,
) -> float | None:
    """Return the planned information.

    Its baseline is the control on the first day that could be looked at, as it is for
    the looks, so that the plan's end does not move with the estimates.
    """
    first = matured.first_complete_day
    days = [as_of] if first is None else [min(first, as_of), as_of]
    for day in days:
        control = weights.applied(estimator.joint(weights.measure, day)[0])
        if not isinstance(control, NotEstimable):
            break
    else:
        return None
    if control.mean <= 0:
        return None
    return planned_information(
        experiment.minimum_detectable_effect * control.mean,
        alpha=experiment.alpha / (len(experiment.variants) - 1),
        power=experiment.power,
    )


def _fraction(
    weights: Weighting, values: tuple[Joint, ...], planned: float | None
) -> float | None:
    """Return information / planned information of the worst pair, at most 1."""
    control, *treatments = (weights.applied(joint) for joint in values)
    if planned is None or isinstance(control, NotEstimable):
        return None
    fractions = [
        1 / (control.variance + treated.variance) / planned
        for treated in treatments
        if not isinstance(treated, NotEstimable)
        and control.variance + treated.variance > 0
    ]
    if len(fractions) < len(treatments):
        return None
    return min(1.0, *fractions)


def _day_reached(
    estimator: Estimator,
    matured: Maturity,
    weights: Weighting,
    planned: float | None,
    as_of: int,
) -> int | None:
    """Return the first day on which the planned information was in.

    As far as it is known now: an event that came late belongs to its own day.
    """
    if planned is None or matured.first_complete_day is None:
        return None
    # After everybody is followed nothing changes any more.
    last = min(as_of, matured.complete_day or as_of)
    days = range(matured.first_complete_day, last + 1)
    path = estimator.joints(weights.measure, days)
    return next(
        (
            day
            for day, values in zip(days, path, strict=True)
            if (_fraction(weights, values, planned) or 0.0) >= 1
        ),
        None,
    )


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
