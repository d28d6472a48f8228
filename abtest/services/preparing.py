"""What every comparison begins with: estimates, the plan's end, critical values."""

from collections.abc import Mapping
from dataclasses import dataclass

from abtest.domain.experiment import Experiment, VariantKey
from abtest.services.estimates import Estimator, Joint, Weighting, estimator, weighting
from abtest.services.looks import LookPlan
from abtest.services.measuring import Comparing, critical_values
from abtest.services.plan_end import PlanEnd, plan_end
from abtest.stats.bayesian import LiftPrior
from abtest.stats.delayed import Maturity, Measure
from abtest.stats.moments import Moments


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An experiment at the end of one day, ready to be compared.

    Attributes:
        moments: what was known on that day; a variant nobody had seen is absent.
        is_exploratory: another worth is tried out than the declared one.
        counts: estimates of first and second conversion, control first.
        values: the same in the measure of the value.
    """

    experiment: Experiment
    day: int
    moments: Mapping[VariantKey, Moments]
    estimator: Estimator
    weights: Weighting
    is_exploratory: bool
    counts: tuple[Joint, ...]
    values: tuple[Joint, ...]
    matured: Maturity
    end: PlanEnd
    comparing: Comparing


def prepare(
    experiment: Experiment,
    known: Mapping[VariantKey, Moments],
    *,
    day: int,
    first_weight: float | None = None,
    second_weight: float | None = None,
    lift_prior: float | None = None,
) -> Prepared:
    """Estimate everything a comparison needs; a pure function.

    Args:
        known: sums of everything known now, by variant.
        day: the last complete day that counts, days since 1970-01-01.
        first_weight: worth to try out instead of the declared one.
        second_weight: the same.
        lift_prior: standard deviation of a sceptical prior on every lift.
    """
    until = {variant: m.until(day) for variant, m in known.items()}
    # A variant first seen after the day must leave no trace in the day's report.
    moments = {variant: m for variant, m in until.items() if m.cohorts}
    weights = weighting(experiment, first_weight, second_weight)
    is_exploratory = weights != weighting(experiment, None, None)
    is_late = is_exploratory or experiment.weights_changed_at is not None
    estimates = estimator(experiment, moments)
    counts = estimates.joint(Measure.COUNT, day)
    matured = estimates.maturity(counts, day)
    is_count = weights.measure is Measure.COUNT
    values = counts if is_count else estimates.joint(weights.measure, day)
    end = plan_end(
        experiment,
        estimates,
        matured=matured,
        newest_cohort=max((d for m in known.values() for d in m.cohorts), default=None),
        weights=weights,
        weights_are_late=is_late,
        as_of=day,
    )
    weighted_bound, plain_bound = critical_values(
        values, weights, alpha=experiment.alpha, are_late=is_late
    )
    return Prepared(
        experiment=experiment,
        day=day,
        moments=moments,
        estimator=estimates,
        weights=weights,
        is_exploratory=is_exploratory,
        counts=counts,
        values=values,
        matured=matured,
        end=end,
        comparing=Comparing(
            experiment=experiment,
            estimator=estimates,
            weights=weights,
            weights_are_late=is_late,
            as_of=day,
            look_plan=_look_plan(experiment, matured, end, day),
            counts=counts,
            values=values,
            critical_value=weighted_bound,
            plain_critical_value=plain_bound,
            lift_prior=(
                None if lift_prior is None else LiftPrior(standard_deviation=lift_prior)
            ),
        ),
    )


def _look_plan(
    experiment: Experiment, matured: Maturity, end: PlanEnd, as_of: int
) -> LookPlan:
    """Return when one may look; nothing changes after everybody is mature."""
    last = as_of
    if end.is_scheduled_end and matured.complete_day is not None:
        last = min(as_of, matured.complete_day)
    first = matured.first_complete_day
    return LookPlan(
        first_day=as_of + 1 if first is None else first,
        as_of=last,
        effect=experiment.minimum_detectable_effect,
        alpha=experiment.alpha,
        power=experiment.power,
        scheduled_end=end.is_scheduled_end,
        comparisons=len(experiment.variants) - 1,
        design=experiment.sequential_design,
    )
