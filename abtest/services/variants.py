"""Describes every variant alone: counts, rates, value, revenue, maturity."""

from abtest.domain.allocation import shares
from abtest.domain.experiment import Experiment
from abtest.domain.funnel import FunnelStep
from abtest.services.estimates import (
    Estimator,
    Joint,
    Weighting,
    major_unit,
    weighted,
)
from abtest.services.variant_report import (
    ConversionResult,
    Revenue,
    StepResult,
    VariantReport,
)
from abtest.stats.cumulative import Means
from abtest.stats.delayed import (
    Measure,
    Observed,
    count_step,
    estimate_step,
    maturity,
    observed,
)
from abtest.stats.moments import Moments
from abtest.stats.results import KeyFigure, NotEstimable, Reason
from abtest.stats.retention import break_even_cost_per_click, highest_acquisition_cost


def describe_variants(
    experiment: Experiment,
    estimator: Estimator,
    *,
    weights: Weighting,
    counts: tuple[Joint, ...],
    values: tuple[Joint, ...],
    money: tuple[Joint, ...],
    as_of: int,
) -> tuple[VariantReport, ...]:
    """Describe all variants, control first.

    Args:
        counts: estimates of first and second conversion per visitor.
        values: estimates in the measure of the value.
        money: estimates of revenue in minor units.
    """
    planned = _planned_shares(experiment)
    nothing = NotEstimable(Reason.NO_REVENUE)
    customers = (
        estimator.customers(as_of)
        if weights.measure is Measure.MONEY
        else (nothing,) * len(experiment.variants)
    )
    described = []
    for i, variant in enumerate(experiment.variants):
        moments = estimator.moments[i]
        counted = observed(moments, window=estimator.window, as_of=as_of)
        matured = maturity(moments, window=estimator.window, as_of=as_of)
        described.append(
            VariantReport(
                key=variant.key,
                name=variant.name,
                is_control=i == 0,
                planned_share=planned[variant.key],
                visitors=moments.visitors,
                steps=tuple(
                    _step(step, moments, experiment.window_days, as_of)
                    for step in experiment.funnel
                ),
                first=ConversionResult(
                    observed=counted.first, rate=weighted(counts[i], 1.0, 0.0)
                ),
                second=ConversionResult(
                    observed=counted.second, rate=weighted(counts[i], 0.0, 1.0)
                ),
                repeat_rate=_repeat_rate(counts[i]),
                value=weights.applied(values[i]),
                revenue=_revenue(experiment, money[i], counted),
                maturity=matured.share,
                mature_visitors=matured.mature_visitors,
                break_even_cost_per_click=_cost_per_click(
                    weights, values[i], experiment.alpha
                ),
                highest_acquisition_cost=_acquisition_cost(
                    weights, customers[i], experiment.alpha
                ),
            )
        )
    return tuple(described)


def _cost_per_click(
    weights: Weighting, joint: Joint, alpha: float
) -> KeyFigure | NotEstimable:
    """Return what a visitor may cost, where the value is money."""
    if weights.measure is not Measure.MONEY:
        return NotEstimable(Reason.NO_REVENUE)
    value = weights.applied(joint)
    if isinstance(value, NotEstimable):
        return value
    return break_even_cost_per_click(value, alpha=alpha)


def _acquisition_cost(
    weights: Weighting, means: Means | NotEstimable, alpha: float
) -> KeyFigure | NotEstimable:
    """Return what a customer may cost, where the value is money."""
    if isinstance(means, NotEstimable):
        return means
    return highest_acquisition_cost(
        means,
        first_weight=weights.first * weights.unit,
        second_weight=weights.second * weights.unit,
        alpha=alpha,
    )


def _step(
    step: FunnelStep, moments: Moments, window_days: int, as_of: int
) -> StepResult:
    return StepResult(
        key=step.key,
        name=step.name,
        kind=step.kind,
        visitors=count_step(moments, step.key, window=window_days, as_of=as_of),
        rate=estimate_step(moments, step.key, window=window_days, as_of=as_of),
    )


def _planned_shares(experiment: Experiment) -> dict[str, float]:
    """Return the traffic split in force, or the one a draft would get."""
    if experiment.phases:
        now = shares(experiment.phases[-1].allocation)
        return {v.key: now.get(v.key, 0.0) for v in experiment.variants}
    total = sum(v.weight for v in experiment.variants) or 1.0
    return {v.key: v.weight / total for v in experiment.variants}


def _repeat_rate(joint: Joint) -> float | NotEstimable:
    if isinstance(joint, NotEstimable):
        return joint
    if joint.first <= 0:
        return NotEstimable(Reason.NO_CONVERSIONS)
    return joint.second / joint.first


def _revenue(
    experiment: Experiment, money: Joint, counted: Observed
) -> Revenue | NotEstimable:
    if experiment.currency is None:
        return NotEstimable(Reason.NO_REVENUE)
    unit = major_unit(experiment.currency)
    # A visit or a sign-up that brings no money is no order.
    orders = counted.first * bool(counted.first_amount) + counted.second
    total = counted.first_amount + counted.second_amount
    return Revenue(
        observed_first=counted.first_amount * unit,
        observed_second=counted.second_amount * unit,
        per_visitor=weighted(money, unit, unit),
        order_value=total * unit / orders if orders else None,
    )
