"""Does the effect differ between groups of visitors? An exploration, no verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import reduce
from operator import add

from abtest.domain.experiment import Experiment, ExperimentKey, VariantKey
from abtest.domain.visitor import day_to_date
from abtest.services.estimates import Estimator, Value, estimator, weighting
from abtest.services.report_day import as_of_day
from abtest.services.verdict import FIRST_GATE, SECOND_GATE
from abtest.stats.delayed import observed
from abtest.stats.frequentist import compare
from abtest.stats.moments import Moments
from abtest.stats.multiplicity import benjamini_hochberg
from abtest.stats.results import FrequentistResult, NotEstimable, Reason
from abtest.store.insight_protocol import OTHER_SEGMENT
from abtest.store.protocol import Store

MOST_SEGMENTS = 20
"""Values that are told apart; all others together are one more."""

Sums = Mapping[VariantKey, Moments]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentEffect:
    """A treatment against the control among the visitors of one segment.

    Attributes:
        test: of the weighted value. `adjusted_p_value` is Benjamini and Hochberg's,
            over all tests of the exploration: among the finds below 0.05 about one
            in twenty is false at most. The interval is that of one test.
    """

    variant: VariantKey
    control: VariantKey
    test: FrequentistResult | NotEstimable

    @property
    def q_value(self) -> float | None:
        """The corrected p-value; None where there was no test."""
        if isinstance(self.test, NotEstimable):
            return None
        return self.test.adjusted_p_value


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The visitors with one value of the attribute.

    Attributes:
        name: the attribute's value; "" for visitors who brought none.
        is_other: all further values together.
        visitors: by variant, control first; so are `first` and `second`.
        first, second: conversions seen within the window.
        values: per visitor, weighted; money in major units.
    """

    name: str
    is_other: bool
    visitors: tuple[int, ...]
    first: tuple[int, ...]
    second: tuple[int, ...]
    values: tuple[Value, ...]
    effects: tuple[SegmentEffect, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentReport:
    """All segments of one attribute, those with most visitors first.

    Attributes:
        tests: how many effects could be tested; the correction is for all of them.
    """

    experiment: ExperimentKey
    attribute: str
    as_of: date
    currency: str | None
    segments: tuple[Segment, ...]
    tests: int
    is_exploratory: bool = True


def segments(
    store: Store,
    key: ExperimentKey,
    attribute: str,
    *,
    now: datetime,
    as_of: date | None = None,
) -> SegmentReport:
    """Compare the variants within each value of an attribute of the exposure.

    Args:
        attribute: its name.
        now: decides which day was the last complete one.
        as_of: an earlier complete day in the experiment's time zone.

    Raises:
        AbtestError: `not_found`, or `invalid` when `as_of` is not complete yet.
    """
    experiment = store.get_experiment(key)
    day = as_of_day(experiment, now, as_of)
    sums = store.segment_moments(key, attribute)
    return compare_segments(experiment, attribute, sums, day=day)


def compare_segments(
    experiment: Experiment,
    attribute: str,
    sums: Mapping[str, Sums],
    *,
    day: int,
) -> SegmentReport:
    """Compare the variants in each segment; a pure function.

    Args:
        attribute: what the segments are values of.
        sums: of each segment, by variant; `OTHER_SEGMENT` stands for many values.
        day: the last complete day that counts.
    """
    known = {
        name: {variant: m.until(day) for variant, m in by_variant.items()}
        for name, by_variant in sums.items()
    }
    found = [
        _segment(experiment, name, by_variant, day)
        for name, by_variant in _largest(known)
    ]
    effects = [effect for segment in found for effect in segment.effects]
    corrected = iter(
        benjamini_hochberg(
            [
                e.test if isinstance(e.test, NotEstimable) else e.test.p_value
                for e in effects
            ]
        )
    )
    return SegmentReport(
        experiment=experiment.key,
        attribute=attribute,
        as_of=day_to_date(day),
        currency=experiment.currency,
        segments=tuple(
            replace(
                segment,
                effects=tuple(
                    _corrected(effect, next(corrected)) for effect in segment.effects
                ),
            )
            for segment in found
        ),
        tests=sum(not isinstance(effect.test, NotEstimable) for effect in effects),
    )


def _largest(known: Mapping[str, Sums]) -> list[tuple[str, Sums]]:
    """Order segments by visitors and put all beyond the limit together, last."""
    sizes = {
        name: sum(m.visitors for m in by_variant.values())
        for name, by_variant in known.items()
    }
    named = sorted(
        (name for name, n in sizes.items() if n and name != OTHER_SEGMENT),
        key=lambda name: (-sizes[name], name),
    )
    kept, rest = named[:MOST_SEGMENTS], named[MOST_SEGMENTS:]
    if sizes.get(OTHER_SEGMENT):
        rest.append(OTHER_SEGMENT)
    largest = [(name, known[name]) for name in kept]
    if rest:
        largest.append((OTHER_SEGMENT, _together([known[name] for name in rest])))
    return largest


def _together(groups: Sequence[Sums]) -> Sums:
    """Add the sums of several segments."""
    variants = dict.fromkeys(variant for group in groups for variant in group)
    return {
        variant: reduce(add, [group[variant] for group in groups if variant in group])
        for variant in variants
    }


def _segment(experiment: Experiment, name: str, known: Sums, day: int) -> Segment:
    estimates = estimator(experiment, known)
    weights = weighting(experiment, None, None)
    values = tuple(
        weights.applied(joint) for joint in estimates.joint(weights.measure, day)
    )
    counted = [
        observed(m, window=estimates.window, as_of=day) for m in estimates.moments
    ]
    return Segment(
        name=name,
        is_other=name == OTHER_SEGMENT,
        visitors=tuple(m.visitors for m in estimates.moments),
        first=tuple(seen.first for seen in counted),
        second=tuple(seen.second for seen in counted),
        values=values,
        effects=tuple(
            SegmentEffect(
                variant=variant.key,
                control=experiment.control.key,
                test=(
                    compare(values[0], values[i], alpha=experiment.alpha)
                    if _has_enough(estimates, i, day, needs_second=weights.second != 0)
                    else _too_few(values[0], values[i])
                ),
            )
            for i, variant in enumerate(experiment.variants[1:], 1)
        ),
    )


def _has_enough(
    estimates: Estimator, treatment: int, day: int, *, needs_second: bool
) -> bool:
    """Tell whether there are the counts that a verdict would ask for."""
    pair = [
        observed(estimates.moments[arm], window=estimates.window, as_of=day)
        for arm in (0, treatment)
    ]
    if min(seen.first for seen in pair) < FIRST_GATE:
        return False
    return not needs_second or sum(seen.second for seen in pair) >= SECOND_GATE


def _too_few(control: Value, treated: Value) -> NotEstimable:
    """Say why there is no test: the reason of the estimates comes first."""
    for value in (control, treated):
        if isinstance(value, NotEstimable):
            return value
    return NotEstimable(Reason.TOO_FEW_CONVERSIONS)


def _corrected(effect: SegmentEffect, p_value: float | NotEstimable) -> SegmentEffect:
    """Put the corrected p-value beside the plain one."""
    if isinstance(effect.test, NotEstimable) or isinstance(p_value, NotEstimable):
        return effect
    return replace(effect, test=replace(effect.test, adjusted_p_value=p_value))
