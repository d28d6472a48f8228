"""Analyzes an experiment: sums out of the store, one report out of the sums."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from abtest import __version__
from abtest.domain.experiment import Experiment, ExperimentKey, VariantKey
from abtest.domain.funnel import (
    ConversionWeights,
    CountWeights,
    MoneyWeights,
)
from abtest.domain.visitor import day_to_date
from abtest.errors import invalid_field
from abtest.services.checks import listed, shown
from abtest.services.comparing import compare_variants, decision
from abtest.services.deciding import gather_evidence, reach_verdict
from abtest.services.digest import digest
from abtest.services.estimates import Estimator, Weighting
from abtest.services.health import (
    check_contamination,
    check_counts,
    check_maturity,
    check_plan,
    check_sample_ratio,
    check_split,
    summarize,
)
from abtest.services.measuring import Comparing, measure_variants
from abtest.services.plan_end import PlanEnd
from abtest.services.preparing import prepare
from abtest.services.report import (
    ExperimentReport,
    HealthCheck,
    MaturityReport,
    ReportPlan,
    Segment,
    Today,
    VerdictReason,
)
from abtest.services.report_day import as_of_day, moment_of, today_of
from abtest.services.safety import check_first_safety
from abtest.services.variants import describe_variants
from abtest.stats.delayed import Maturity, Measure
from abtest.stats.moments import Moments
from abtest.store.protocol import ExperimentFacts, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """What a report is written from: the experiment, its sums, and the day.

    Attributes:
        known: sums of everything known now, by variant.
        day: the last complete day that counts, days since 1970-01-01.
        first_weight, second_weight: worths to try out instead of the declared ones.
        lift_prior: standard deviation of a sceptical prior on every lift, for the
            posteriors; None for a flat one.
        segment: whom the sums are limited to; facts and today are of all visitors.
    """

    experiment: Experiment
    known: Mapping[VariantKey, Moments]
    facts: ExperimentFacts
    today: Today
    day: int
    first_weight: float | None = None
    second_weight: float | None = None
    lift_prior: float | None = None
    segment: Segment | None = None


def analyze(
    store: Store,
    key: ExperimentKey,
    *,
    now: datetime,
    as_of: date | None = None,
    first_weight: float | None = None,
    second_weight: float | None = None,
    lift_prior: float | None = None,
    segment: Segment | None = None,
) -> ExperimentReport:
    """Write the report of an experiment at the end of a day.

    Args:
        now: decides which day was the last complete one.
        as_of: an earlier complete day in the experiment's time zone.
        first_weight: worth to try out instead of the declared one.
        second_weight: the same; a weight that was not declared before the start is
            exploratory, and intervals are widened for having chosen it late.
        lift_prior: standard deviation of a normal prior on every lift, say 0.3.
        segment: look at these visitors alone: an exploration, which takes time in
            proportion to all visitors.

    Raises:
        AbtestError: `not_found`, or `invalid` when `as_of` is not complete yet or
            nobody is in the segment.
    """
    experiment = store.get_experiment(key)
    known = store.moments(key) if segment is None else _within(store, key, segment)
    return write_report(
        ReportData(
            experiment=experiment,
            known=known,
            facts=store.facts(key),
            today=today_of(experiment, store.activity(key), now),
            day=as_of_day(experiment, now, as_of),
            first_weight=first_weight,
            second_weight=second_weight,
            lift_prior=lift_prior,
            segment=segment,
        )
    )


def write_report(data: ReportData) -> ExperimentReport:
    """Write the report; a pure function of its data."""
    experiment, day = data.experiment, data.day
    prepared = prepare(
        experiment,
        data.known,
        day=day,
        first_weight=data.first_weight,
        second_weight=data.second_weight,
        lift_prior=data.lift_prior,
    )
    comparing, end, matured = prepared.comparing, prepared.end, prepared.matured
    measured = measure_variants(comparing)
    # What decides once does so on the first day that was the plan's end: looking at
    # it again and again afterwards would be peeking.
    is_past = end.day is not None and end.day < day
    deciding = comparing.on(end.day) if end.day is not None and is_past else comparing
    decisions = [
        decision(deciding, one)
        for one in (measure_variants(deciding) if is_past else measured)
    ]
    comparisons = compare_variants(comparing, measured, decisions)
    weights, estimates = prepared.weights, prepared.estimator
    variants = describe_variants(
        experiment,
        estimates,
        weights=weights,
        counts=prepared.counts,
        values=prepared.values,
        money=estimates.joint(Measure.MONEY, day),
        as_of=day,
    )
    evidence = gather_evidence(deciding, decisions, end=end)
    health = summarize(
        (
            check_sample_ratio(experiment, prepared.moments),
            *_check_facts(data, matured),
            *check_counts(evidence),
            *check_maturity(matured),
            *check_split(variants, second_weight=weights.second),
            *check_first_safety(
                experiment,
                estimates,
                first_complete_day=matured.first_complete_day,
                as_of=day,
            ),
            *check_plan(experiment),
        )
    )
    verdict = reach_verdict(
        experiment,
        health=health,
        matured=matured,
        evidence=evidence,
        end=end,
        as_of=day,
        weights_are_exploratory=prepared.is_exploratory,
    )
    if data.segment is not None:
        reasons = (*verdict.reasons, VerdictReason.EXPLORATORY_SEGMENT)
        verdict = replace(verdict, reasons=reasons)
    return ExperimentReport(
        experiment=experiment.key,
        name=experiment.name,
        hypothesis=experiment.hypothesis,
        status=experiment.status,
        started_at=experiment.started_at,
        time_zone=experiment.time_zone,
        as_of=day_to_date(day),
        data_through=moment_of(data.facts.last_event),
        window_days=experiment.window_days,
        first_window_days=experiment.first_window_days,
        weights=_effective(experiment.weights, weights),
        weights_are_exploratory=prepared.is_exploratory,
        weights_changed_at=experiment.weights_changed_at,
        currency=experiment.currency,
        first_step=experiment.goal.first,
        second=experiment.goal.second,
        code_version=__version__,
        event_digest=digest(prepared.moments),
        plan=_plan(experiment, end, estimates, comparing),
        variants=variants,
        comparisons=comparisons,
        health=health,
        maturity=_maturity(matured),
        verdict=verdict,
        today=data.today,
        segment=data.segment,
    )


def _within(
    store: Store, key: ExperimentKey, segment: Segment
) -> Mapping[VariantKey, Moments]:
    found = store.segment_moments(key, segment.attribute)
    if segment.value in found:
        return found[segment.value]
    known = listed([value for value in found if value]) or "none"
    raise invalid_field(
        "?segment",
        "unknown_segment",
        f"nobody in {key} has {shown(segment.value)} as {shown(segment.attribute)};"
        f" known are {known}",
    )


def _check_facts(data: ReportData, matured: Maturity) -> Iterable[HealthCheck]:
    """Check what is known of all visitors together; of a segment it says nothing."""
    if data.segment is None:
        yield check_contamination(data.facts.contaminated, matured.visitors)


def _effective(declared: ConversionWeights, used: Weighting) -> ConversionWeights:
    """Return the weights that the numbers of the report were made with."""
    match declared:
        case CountWeights():
            return replace(declared, first=used.first, second=used.second)
        case MoneyWeights():
            return replace(declared, first_margin=used.first, second_margin=used.second)


def _plan(
    experiment: Experiment,
    end: PlanEnd,
    estimates: Estimator,
    comparing: Comparing,
) -> ReportPlan:
    cap = experiment.order_cap
    return ReportPlan(
        method=experiment.method,
        alpha=experiment.alpha,
        power=experiment.power,
        minimum_detectable_effect=experiment.minimum_detectable_effect,
        first_conversion_margin=experiment.first_conversion_margin,
        order_cap=None if cap is None else cap * comparing.weights.unit,
        information_fraction=end.information_fraction,
        is_at_end=end.is_reached,
        decided_on=None if end.day is None else day_to_date(end.day),
        expected_end=end.expected_end,
        stratified=estimates.is_stratified,
        critical_value=comparing.critical_value,
        sequential_design=experiment.sequential_design,
        covariate=experiment.covariate,
        adaptive=experiment.adaptive,
    )


def _maturity(matured: Maturity) -> MaturityReport:
    return MaturityReport(
        share=matured.share,
        visitors=matured.visitors,
        mature_visitors=matured.mature_visitors,
        decide_from=_day_after(matured.first_complete_day),
        complete_from=_day_after(matured.complete_day),
    )


def _day_after(day: int | None) -> date | None:
    """Return when the report of a day can first be read: the day after."""
    return None if day is None else day_to_date(day + 1)
