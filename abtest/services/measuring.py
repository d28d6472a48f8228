"""Tests of the value and of both conversions, for every treatment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress

from scipy.special import ndtri

from abtest.domain.experiment import Experiment, Method
from abtest.services.comparison_report import MeasureTest
from abtest.services.estimates import (
    Estimator,
    Joint,
    Value,
    Weighting,
    all_estimated,
    weighted,
)
from abtest.services.looks import (
    LookPlan,
    SequentialPair,
    analyze_path,
    joint_path,
)
from abtest.stats.bayesian import LiftPrior, compare_all
from abtest.stats.breakeven import slider_critical_value
from abtest.stats.delayed import Measure, Observed, observed, value
from abtest.stats.frequentist import (
    compare,
    compare_averaged,
    compare_pooled_null,
    needs_pooled_null,
)
from abtest.stats.multiplicity import (
    dunnett_adjusted_p_values,
    dunnett_critical_value,
)
from abtest.stats.results import FrequentistResult, NotEstimable, Reason


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
    def counted(self) -> tuple[Observed, ...]:
        """What has been seen of each variant."""
        return tuple(
            observed(m, window=self.estimator.window, as_of=self.as_of)
            for m in self.estimator.moments
        )

    @property
    def weighted_values(self) -> tuple[Value, ...]:
        """The value per visitor of each variant."""
        return tuple(self.weights.applied(joint) for joint in self.values)

    def on(self, day: int) -> "Comparing":
        """Return the same at the end of an earlier day."""
        values = self.estimator.joint(self.weights.measure, day)
        weighted_bound, plain_bound = critical_values(
            values,
            self.weights,
            alpha=self.experiment.alpha,
            are_late=self.weights_are_late,
        )
        return replace(
            self,
            as_of=day,
            counts=self.estimator.joint(Measure.COUNT, day),
            values=values,
            critical_value=weighted_bound,
            plain_critical_value=plain_bound,
        )

    @property
    def is_sequential(self) -> bool:
        """Whether looks before the plan's end may decide."""
        return self.experiment.method is Method.SEQUENTIAL


def critical_values(
    values: tuple[Joint, ...], weights: Weighting, *, alpha: float, are_late: bool
) -> tuple[float, float]:
    """Return the bounds on |z| for the value's effect, and for what has no weights."""
    plain = _critical_value(values, weights, alpha=alpha, is_late=False)
    if not are_late:
        return plain, plain
    return _critical_value(values, weights, alpha=alpha, is_late=True), plain


def _critical_value(
    values: tuple[Joint, ...], weights: Weighting, *, alpha: float, is_late: bool
) -> float:
    """Return the bound on |z| for the effect on the value.

    Several treatments share one control: Dunnett, which needs the variance of every
    arm; while one has none, Bonferroni. A weight chosen after the data
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
    if len(treatments) == 1:
        return single
    if min(variances) <= 0:
        return float(-ndtri(alpha / 2 / len(treatments)))
    return dunnett_critical_value(variances[0], variances[1:], alpha=alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One treatment against the control."""

    first: MeasureTest
    second: MeasureTest
    value: MeasureTest


def measure_variants(c: Comparing) -> tuple[Measured, ...]:
    """Test every treatment against the control."""
    alpha, prior = c.experiment.alpha, c.lift_prior
    firsts = [weighted(j, 1.0, 0.0) for j in c.counts]
    seconds = [weighted(j, 0.0, 1.0) for j in c.counts]
    first, second, value = (
        compare_all(values, alpha=alpha, prior=prior)
        for values in (firsts, seconds, c.weighted_values)
    )
    nothing = NotEstimable(Reason.NOT_APPLICABLE)
    return tuple(
        Measured(
            first=MeasureTest(
                frequentist=first_test,
                bayesian=first[i],
                sequential=sequential.first,
            ),
            second=MeasureTest(
                frequentist=second_test, bayesian=second[i], sequential=nothing
            ),
            value=MeasureTest(
                frequentist=value_test, bayesian=value[i], sequential=sequential.value
            ),
        )
        for i, (first_test, second_test, value_test, sequential) in enumerate(
            zip(
                _tests(c, firsts, bound=override(c, is_weighted=False)),
                _tests(c, seconds, bound=override(c, is_weighted=False)),
                value_tests(c),
                _sequential(c),
                strict=True,
            ),
            1,
        )
    )


def value_tests(c: Comparing) -> tuple[FrequentistResult | NotEstimable, ...]:
    """Test the value of every treatment on the day, once."""
    plain = _tests(c, c.weighted_values, bound=override(c, is_weighted=True))
    return tuple(_value_test(c, i, test) for i, test in enumerate(plain, 1))


def override(c: Comparing, *, is_weighted: bool) -> float | None:
    """Return a bound only where one test's own quantile will not do."""
    if is_weighted and c.weights_are_late:
        return c.critical_value
    return c.plain_critical_value if len(c.experiment.variants) > 2 else None


def _tests(
    c: Comparing, values: Sequence[Value], *, bound: float | None
) -> tuple[FrequentistResult | NotEstimable, ...]:
    """Test each treatment, with p-values corrected when there are several."""
    alpha = c.experiment.alpha
    plain = [
        compare(values[0], v, alpha=alpha, critical_value=bound) for v in values[1:]
    ]
    control, *variances = (
        0.0 if isinstance(v, NotEstimable) else v.variance for v in values
    )
    if len(plain) == 1:
        return tuple(plain)
    tested = [not isinstance(test, NotEstimable) for test in plain]
    if min((control, *compress(variances, tested))) <= 0:
        return tuple(_bonferroni(test, len(plain)) for test in plain)
    adjusted = dunnett_adjusted_p_values(
        [t if isinstance(t, NotEstimable) else t.statistic for t in plain],
        control,
        variances,
    )
    return tuple(
        t
        if isinstance(t, NotEstimable) or isinstance(p, NotEstimable)
        else replace(t, adjusted_p_value=p)
        for t, p in zip(plain, adjusted, strict=True)
    )


def _bonferroni(
    test: FrequentistResult | NotEstimable, tests: int
) -> FrequentistResult | NotEstimable:
    if isinstance(test, NotEstimable):
        return test
    return replace(test, adjusted_p_value=min(1.0, tests * test.p_value))


def _value_test(
    c: Comparing, i: int, plain: FrequentistResult | NotEstimable
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
            control.visitors, treated.visitors, c.counted[smaller].second
        )
    ):
        return plain
    if not (control.is_mature and treated.is_mature):
        first, second = c.weights.first, c.weights.second
        return compare_averaged(
            value(control, first, second),
            value(treated, first, second),
            alpha=c.experiment.alpha,
        )
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
