"""Estimates of all variants at any day, in the units of the experiment's value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from abtest.domain.experiment import Experiment, VariantKey
from abtest.domain.funnel import CountWeights, MoneyWeights
from abtest.domain.money import minor_digits
from abtest.services.health import has_changed_allocation
from abtest.stats.columns import Columns
from abtest.stats.cumulative import Means, estimate_means
from abtest.stats.delayed import (
    Maturity,
    Measure,
    Window,
    estimate_days,
    estimate_mature,
    maturity,
    observed,
    processes,
    value,
)
from abtest.stats.moments import Moments
from abtest.stats.results import (
    JointEstimate,
    NotEstimable,
    ValueEstimate,
)
from abtest.stats.stratified import estimate_stratified, stratified_means

Joint = JointEstimate | NotEstimable
Value = ValueEstimate | NotEstimable


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighting:
    """The worth of both conversions in units of the report.

    Attributes:
        first, second: weights as declared, or as asked for.
        unit: multiplies estimates into units of the report (minor to major money).
        measure: whether counts or money are weighted.
    """

    first: float
    second: float
    unit: float
    measure: Measure

    def applied(self, joint: Joint) -> Value:
        """Return the value per visitor."""
        return weighted(joint, self.first * self.unit, self.second * self.unit)


def weighting(
    experiment: Experiment, first: float | None, second: float | None
) -> Weighting:
    """Return the declared weighting, with what was asked for put in its place."""
    match experiment.weights:
        case CountWeights() as counts:
            return Weighting(
                first=counts.first if first is None else first,
                second=counts.second if second is None else second,
                unit=1.0,
                measure=Measure.COUNT,
            )
        case MoneyWeights() as money:
            return Weighting(
                first=money.first_margin if first is None else first,
                second=money.second_margin if second is None else second,
                unit=major_unit(money.currency),
                measure=Measure.MONEY,
            )


def major_unit(currency: str | None) -> float:
    """Return what one minor unit is in major units."""
    return float(10.0 ** -minor_digits(currency))


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimator:
    """Estimates all variants, control first, as the data of the experiment demand.

    Attributes:
        moments: one for each variant, in the experiment's order; nothing later than
            the day of the report.
        is_stratified: the traffic split changed, so days are compared with days.
    """

    moments: tuple[Moments, ...]
    window: Window
    is_stratified: bool

    def joint(self, measure: Measure, as_of: int) -> tuple[Joint, ...]:
        """Estimate first and second conversion with their covariance."""
        (joints,) = self.joints(measure, (as_of,))
        return joints

    def joints(
        self, measure: Measure, days: Sequence[int]
    ) -> tuple[tuple[Joint, ...], ...]:
        """Estimate all variants at the end of each of several ascending days."""
        if self.is_stratified:
            return tuple(
                estimate_stratified(
                    self.moments,
                    window=self.window,
                    as_of=day,
                    measure=measure,
                    has_floor=True,
                )
                for day in days
            )
        by_variant = [
            estimate_days(m, days, window=self.window, measure=measure)
            for m in self.moments
        ]
        return tuple(zip(*by_variant, strict=True))

    def enrolled(self, variant: int, as_of: int) -> int:
        """Count a variant's visitors exposed until a day."""
        return Columns.of(self.moments[variant]).enrolled(as_of)

    def customers(self, as_of: int) -> tuple[Means | NotEstimable, ...]:
        """Estimate first conversions, and what first and second orders bring.

        Per visitor; money in minor units.
        """
        counted, _ = processes(self.window, Measure.COUNT)
        wanted = (counted, *processes(self.window, Measure.MONEY))
        if self.is_stratified:
            return stratified_means(self.moments, wanted, as_of=as_of)
        return tuple(
            estimate_means(Columns.of(m), wanted, as_of=as_of, last_day=as_of)
            for m in self.moments
        )

    def joint_mature(self, measure: Measure, as_of: int) -> tuple[Joint, ...]:
        """Estimate from fully followed visitors alone."""
        return tuple(
            estimate_mature(m, window=self.window, as_of=as_of, measure=measure)
            for m in self.moments
        )

    def maturity(self, counts: Sequence[Joint], as_of: int) -> Maturity:
        """Say how mature all variants together are.

        Args:
            counts: first and second conversions as estimated on that day.
        """
        parts = [maturity(m, window=self.window, as_of=as_of) for m in self.moments]
        estimated = all_estimated(
            [joint for joint, part in zip(counts, parts, strict=True) if part.visitors]
        )
        seen = sum(
            observed(m, window=self.window, as_of=as_of).second for m in self.moments
        )
        expected = (
            0.0
            if isinstance(estimated, NotEstimable)
            else sum(joint.visitors * joint.second for joint in estimated)
        )
        starts = [
            p.first_complete_day for p in parts if p.first_complete_day is not None
        ]
        ends = [p.complete_day for p in parts if p.complete_day is not None]
        return Maturity(
            # Day by day, what was seen may all be of days that do not count.
            share=seen / expected if seen and expected else None,
            visitors=sum(part.visitors for part in parts),
            mature_visitors=sum(part.mature_visitors for part in parts),
            first_complete_day=min(starts, default=None),
            complete_day=max(ends, default=None),
        )


def estimator(
    experiment: Experiment, moments: Mapping[VariantKey, Moments]
) -> Estimator:
    """Choose the estimator for the experiment."""
    first, second = experiment.first_window_days, experiment.window_days
    return Estimator(
        moments=tuple(moments.get(v.key, Moments()) for v in experiment.variants),
        window=Window(first=second if first is None else first, second=second),
        is_stratified=has_changed_allocation(experiment),
    )


def weighted(joint: Joint, first: float, second: float) -> Value:
    """Return w1 x first + w2 x second of an estimate, if there is one."""
    if isinstance(joint, NotEstimable):
        return joint
    return value(joint, first, second)


def scaled_first(joint: JointEstimate, first_weight: float) -> JointEstimate:
    """Express the first conversion in its worth, so that weights mean the second."""
    return JointEstimate(
        visitors=joint.visitors,
        first=joint.first * first_weight,
        second=joint.second,
        variance_first=joint.variance_first * first_weight**2,
        covariance=joint.covariance * first_weight,
        variance_second=joint.variance_second,
        is_mature=joint.is_mature,
    )


def all_estimated(joints: Sequence[Joint]) -> tuple[JointEstimate, ...] | NotEstimable:
    """Return the estimates, or the first reason why one of them cannot be given."""
    found: list[JointEstimate] = []
    for joint in joints:
        if isinstance(joint, NotEstimable):
            return joint
        found.append(joint)
    return tuple(found)
