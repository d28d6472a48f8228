"""Compares every treatment with the control: tests, break-even, guardrail."""

from collections.abc import Sequence
from dataclasses import dataclass

from abtest.domain.experiment import Method
from abtest.services.comparison_report import (
    Comparison,
    Guardrail,
    GuardrailState,
    MeasureTest,
)
from abtest.services.estimates import Joint, all_estimated, weighting
from abtest.services.measuring import Comparing, Measured, override
from abtest.services.variance_reduced import variance_reduced
from abtest.services.worth import describe_worth
from abtest.stats.decomposition import decompose
from abtest.stats.delayed import Measure
from abtest.stats.frequentist import (
    compare,
    log_delta_interval,
    pooled_proportion_test,
)
from abtest.stats.nested_beta import compare_nested_beta, nested_beta
from abtest.stats.results import (
    BayesianResult,
    FrequentistResult,
    Interval,
    NotEstimable,
    Reason,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the verdict on one treatment rests on.

    Attributes:
        effect: on the value; None when it cannot be estimated.
        interval: of it; None when it cannot be given.
        relative_interval: the same relative to the control.
    """

    effect: float | None
    interval: Interval | None
    relative_interval: Interval | None
    guardrail: Guardrail


def decision(c: Comparing, measured: Measured) -> Decision:
    """Choose what decides, by the method of the experiment."""
    result = measured.value.frequentist
    return Decision(
        effect=None if isinstance(result, NotEstimable) else result.effect,
        interval=_decision_interval(c, measured.value),
        relative_interval=_relative(measured.value),
        guardrail=_guardrail(c, measured.first),
    )


def compare_variants(
    c: Comparing, measured: Sequence[Measured], decisions: Sequence[Decision]
) -> tuple[Comparison, ...]:
    """Describe every treatment beside the control.

    Args:
        measured: the tests of each treatment on the day.
        decisions: of that day or, where the plan ended earlier, of its last day.
    """
    mature = c.estimator.joint_mature(c.weights.measure, c.as_of)
    return tuple(
        _comparison(c, i, one, decided, mature)
        for i, (one, decided) in enumerate(zip(measured, decisions, strict=True), 1)
    )


def _comparison(
    c: Comparing,
    i: int,
    measured: Measured,
    decided: Decision,
    mature: tuple[Joint, ...],
) -> Comparison:
    moments, counted = c.estimator.moments, c.counted
    worth = describe_worth(
        all_estimated((c.values[0], c.values[i])),
        weights=c.weights,
        declared=weighting(c.experiment, None, None),
        alpha=c.experiment.alpha,
    )
    return Comparison(
        variant=c.experiment.variants[i].key,
        control=c.experiment.control.key,
        first=measured.first,
        second=measured.second,
        value=measured.value,
        mature_only=compare(
            c.weights.applied(mature[0]),
            c.weights.applied(mature[i]),
            alpha=c.experiment.alpha,
            critical_value=override(c, is_weighted=True),
        ),
        calculator_check=pooled_proportion_test(
            counted[0].first,
            moments[0].visitors,
            counted[i].first,
            moments[i].visitors,
        ),
        exact_posterior=_exact_posterior(c, i),
        decision_effect=decided.effect,
        decision_interval=decided.interval,
        break_even_weight=worth.break_even,
        bands=worth.bands,
        decomposition=(
            decompose(
                moments[0],
                moments[i],
                window=c.estimator.window,
                as_of=c.as_of,
                alpha=c.experiment.alpha,
                is_stratified=c.estimator.is_stratified,
            )
            if c.experiment.currency
            else NotEstimable(Reason.NO_REVENUE)
        ),
        guardrail=decided.guardrail,
        curve=worth.curve,
        log_ratio_interval=_log_ratio_interval(c, i),
        variance_reduced=variance_reduced(
            c.experiment, c.estimator, c.weights, treatment=i, as_of=c.as_of
        ),
    )


def _log_ratio_interval(c: Comparing, i: int) -> Interval | None:
    """Return the lift's interval as other programs give it: on the log of the ratio."""
    values = c.weighted_values
    control, treated = values[0], values[i]
    if isinstance(control, NotEstimable) or isinstance(treated, NotEstimable):
        return None
    return log_delta_interval(
        control.mean,
        control.variance,
        treated.mean,
        treated.variance,
        critical_value=c.critical_value,
    )


def _exact_posterior(c: Comparing, i: int) -> BayesianResult | NotEstimable:
    """Compare without the normal approximation: counts, everybody followed."""
    pair = all_estimated((c.counts[0], c.counts[i]))
    if isinstance(pair, NotEstimable):
        return pair
    weights = c.weights.first, c.weights.second
    window = c.estimator.window
    # With a shorter first window there are second conversions without a first one.
    is_nested = c.weights.measure is Measure.COUNT and window.first == window.second
    is_plain = is_nested and not c.estimator.is_stratified
    if not is_plain or min(weights) < 0 or max(weights) <= 0:
        return NotEstimable(Reason.NOT_APPLICABLE)
    if not all(joint.is_mature for joint in pair):
        return NotEstimable(Reason.NOT_MATURE)
    control, treated = (
        nested_beta(
            c.estimator.moments[arm].visitors,
            c.counted[arm].first,
            c.counted[arm].second,
            first_weight=c.weights.first,
            second_weight=c.weights.second,
        )
        for arm in (0, i)
    )
    return compare_nested_beta(control, treated, alpha=c.experiment.alpha)


def _decision_interval(c: Comparing, value: MeasureTest) -> Interval | None:
    """Return the interval the verdict rests on: the method's own."""
    result: FrequentistResult | BayesianResult | NotEstimable
    if c.is_sequential and not c.weights_are_late:
        sequential = value.sequential
        if isinstance(sequential, NotEstimable):
            return None
        return sequential.confidence_interval
    is_bayesian = c.experiment.method is Method.BAYESIAN
    # A prior that somebody tries out on the way shows, and decides nothing.
    if is_bayesian and not c.weights_are_late and c.lift_prior is None:
        result = value.bayesian
        return None if isinstance(result, NotEstimable) else result.credible_interval
    result = value.frequentist
    return None if isinstance(result, NotEstimable) else result.confidence_interval


def _relative(value: MeasureTest) -> Interval | None:
    """Return the relative interval that goes with the method."""
    if not isinstance(value.sequential, NotEstimable):
        return value.sequential.relative_confidence_interval
    if isinstance(value.frequentist, NotEstimable):
        return None
    return value.frequentist.relative_confidence_interval


def _guardrail(c: Comparing, first: MeasureTest) -> Guardrail:
    """Compare the relative interval of first conversions with the margin."""
    margin = c.experiment.first_conversion_margin
    result = first.sequential if c.is_sequential else first.frequentist
    interval = (
        None
        if isinstance(result, NotEstimable)
        else result.relative_confidence_interval
    )
    state = GuardrailState.OPEN
    if interval is not None:
        if interval.lower is not None and interval.lower > -margin:
            state = GuardrailState.HELD
        elif interval.upper is not None and interval.upper < -margin:
            state = GuardrailState.FAILED
    return Guardrail(margin=margin, interval=interval, state=state)
