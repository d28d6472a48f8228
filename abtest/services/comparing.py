"""Compares every treatment with the control: tests, break-even, guardrail."""

from dataclasses import dataclass

from scipy.special import ndtri

from abtest.domain.experiment import Experiment, Method
from abtest.services.estimates import (
    Estimator,
    Joint,
    Value,
    Weighting,
    all_estimated,
    weighted,
    weighting,
)
from abtest.services.looks import (
    LookPlan,
    SequentialPair,
    analyze_path,
    joint_path,
)
from abtest.services.report import (
    Comparison,
    Guardrail,
    GuardrailState,
    MeasureTest,
)
from abtest.services.variance_reduced import variance_reduced
from abtest.services.worth import describe_worth
from abtest.stats.bayesian import LiftPrior, compare_all
from abtest.stats.breakeven import (
    slider_critical_value,
)
from abtest.stats.decomposition import decompose
from abtest.stats.delayed import Measure, Observed, observed
from abtest.stats.frequentist import (
    compare,
    compare_pooled_null,
    needs_pooled_null,
    pooled_proportion_test,
)
from abtest.stats.multiplicity import (
    dunnett_adjusted_p_values,
    dunnett_critical_value,
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
class Comparing:
    """Everything a comparison needs, the same for all treatments.

    Attributes:
        counts, values: estimates per variant, control first, of first and second
            conversion as counts, and in the measure of the value.
        critical_value: bound on |z| for the value's intervals: one test's, Dunnett's
            for several treatments, or the slider-safe one for weights chosen late.
        plain_critical_value: the same for measures that no weight enters.
        lift_prior: sceptical prior of the posteriors, if one was asked for.
    """

    experiment: Experiment
    estimator: Estimator
    weights: Weighting
    weights_are_late: bool
    as_of: int
    look_plan: LookPlan
    counts: tuple[Joint, ...]
    values: tuple[Joint, ...]
    critical_value: float
    plain_critical_value: float
    lift_prior: LiftPrior | None = None

    @property
    def is_sequential(self) -> bool:
        """Whether looks before the plan's end may decide."""
        return self.experiment.method is Method.SEQUENTIAL


def critical_value(
    values: tuple[Joint, ...], weights: Weighting, *, alpha: float, is_late: bool
) -> float:
    """Return the bound on |z| for the effect on the value.

    Several treatments share one control: Dunnett. A weight chosen after the data
    were seen: the largest slider-safe bound of the pairs (with Bonferroni among
    several treatments, which is safe and a little wide).
    """
    single = float(-ndtri(alpha / 2))
    joints = all_estimated(values)
    if isinstance(joints, NotEstimable):
        return single
    control, *treatments = joints
    if is_late:
        share = alpha / len(treatments)
        return max(slider_critical_value(control, t, alpha=share) for t in treatments)
    variances = [j.variance(weights.first, weights.second) for j in joints]
    if len(treatments) == 1 or min(variances) <= 0:
        return single
    return dunnett_critical_value(variances[0], variances[1:], alpha=alpha)


def compare_variants(c: Comparing) -> tuple[Comparison, ...]:
    """Compare every treatment with the control."""
    measures = {
        "first": [weighted(j, 1.0, 0.0) for j in c.counts],
        "second": [weighted(j, 0.0, 1.0) for j in c.counts],
        "value": [c.weights.applied(j) for j in c.values],
    }
    tests = {
        name: _tests(c, values, bound=_override(c, is_weighted=name == "value"))
        for name, values in measures.items()
    }
    posteriors = {
        name: compare_all(values, alpha=c.experiment.alpha, prior=c.lift_prior)
        for name, values in measures.items()
    }
    sequential = _sequential(c)
    mature = c.estimator.joint_mature(c.weights.measure, c.as_of)
    counted = [
        observed(m, window=c.estimator.window, as_of=c.as_of)
        for m in c.estimator.moments
    ]
    return tuple(
        _comparison(
            c,
            i,
            MeasureTest(
                frequentist=tests["first"][i - 1],
                bayesian=posteriors["first"][i],
                sequential=sequential[i - 1].first,
            ),
            MeasureTest(
                frequentist=tests["second"][i - 1],
                bayesian=posteriors["second"][i],
                sequential=NotEstimable(Reason.NOT_APPLICABLE),
            ),
            MeasureTest(
                frequentist=_value_test(c, i, tests["value"][i - 1], counted),
                bayesian=posteriors["value"][i],
                sequential=sequential[i - 1].value,
            ),
            mature,
            counted,
        )
        for i in range(1, len(c.experiment.variants))
    )


def _tests(
    c: Comparing, values: list[Value], *, bound: float | None
) -> tuple[FrequentistResult | NotEstimable, ...]:
    """Test each treatment, with p-values corrected when there are several."""
    alpha = c.experiment.alpha
    plain = [
        compare(values[0], v, alpha=alpha, critical_value=bound) for v in values[1:]
    ]
    control = values[0]
    if len(plain) == 1 or isinstance(control, NotEstimable) or control.variance <= 0:
        return tuple(plain)
    adjusted = dunnett_adjusted_p_values(
        [t if isinstance(t, NotEstimable) else t.statistic for t in plain],
        control.variance,
        [0.0 if isinstance(v, NotEstimable) else v.variance for v in values[1:]],
    )
    return tuple(
        t
        if isinstance(t, NotEstimable) or isinstance(p, NotEstimable)
        else _with_adjusted(t, p)
        for t, p in zip(plain, adjusted, strict=True)
    )


def _override(c: Comparing, *, is_weighted: bool) -> float | None:
    """Return a bound only where one test's own quantile will not do."""
    if is_weighted and c.weights_are_late:
        return c.critical_value
    return c.plain_critical_value if len(c.experiment.variants) > 2 else None


def _with_adjusted(test: FrequentistResult, p_value: float) -> FrequentistResult:
    return FrequentistResult(
        effect=test.effect,
        standard_error=test.standard_error,
        confidence_interval=test.confidence_interval,
        relative_effect=test.relative_effect,
        relative_confidence_interval=test.relative_confidence_interval,
        statistic=test.statistic,
        p_value=test.p_value,
        degrees_of_freedom=test.degrees_of_freedom,
        method=test.method,
        adjusted_p_value=p_value,
    )


def _value_test(
    c: Comparing,
    i: int,
    plain: FrequentistResult | NotEstimable,
    counted: list[Observed],
) -> FrequentistResult | NotEstimable:
    """Take the p-value from the null's variance where the split is very unequal."""
    control, treated = c.values[0], c.values[i]
    if isinstance(control, NotEstimable) or isinstance(treated, NotEstimable):
        return plain
    smaller = 0 if control.visitors <= treated.visitors else i
    if (
        len(c.experiment.variants) > 2
        or c.weights_are_late
        or c.weights.measure is not Measure.COUNT
        or not needs_pooled_null(
            control.visitors, treated.visitors, counted[smaller].second
        )
    ):
        return plain
    return compare_pooled_null(
        control,
        treated,
        first_weight=c.weights.first,
        second_weight=c.weights.second,
        alpha=c.experiment.alpha,
    )


def _sequential(c: Comparing) -> list[SequentialPair]:
    treatments = range(1, len(c.experiment.variants))
    if not c.is_sequential:
        nothing = NotEstimable(Reason.NOT_APPLICABLE)
        return [SequentialPair(value=nothing, first=nothing) for _ in treatments]
    count_path = joint_path(c.estimator, Measure.COUNT, c.look_plan)
    value_path = (
        count_path
        if c.weights.measure is Measure.COUNT
        else joint_path(c.estimator, c.weights.measure, c.look_plan)
    )
    return [
        analyze_path(
            value_path, count_path, treatment=i, weights=c.weights, plan=c.look_plan
        )
        for i in treatments
    ]


def _comparison(
    c: Comparing,
    i: int,
    first: MeasureTest,
    second: MeasureTest,
    value: MeasureTest,
    mature: tuple[Joint, ...],
    counted: list[Observed],
) -> Comparison:
    moments = c.estimator.moments
    worth = describe_worth(
        all_estimated((c.values[0], c.values[i])),
        weights=c.weights,
        declared=weighting(c.experiment, None, None),
        alpha=c.experiment.alpha,
    )
    return Comparison(
        variant=c.experiment.variants[i].key,
        control=c.experiment.control.key,
        first=first,
        second=second,
        value=value,
        mature_only=compare(
            c.weights.applied(mature[0]),
            c.weights.applied(mature[i]),
            alpha=c.experiment.alpha,
            critical_value=_override(c, is_weighted=True),
        ),
        calculator_check=pooled_proportion_test(
            counted[0].first,
            moments[0].visitors,
            counted[i].first,
            moments[i].visitors,
        ),
        exact_posterior=_exact_posterior(c, i, counted),
        decision_interval=_decision_interval(c, value),
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
        guardrail=_guardrail(c, first),
        curve=worth.curve,
        variance_reduced=variance_reduced(
            c.experiment, c.estimator, c.weights, treatment=i, as_of=c.as_of
        ),
    )


def _exact_posterior(
    c: Comparing, i: int, counted: list[Observed]
) -> BayesianResult | NotEstimable:
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
            counted[arm].first,
            counted[arm].second,
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
