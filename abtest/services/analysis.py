"""Analyzes an experiment: sums out of the store, one report out of the sums."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from abtest import __version__
from abtest.domain.experiment import Experiment, ExperimentKey, VariantKey
from abtest.domain.funnel import (
    ConversionWeights,
    CountWeights,
    MoneyWeights,
    Repeat,
)
from abtest.domain.visitor import (
    date_to_day,
    day_to_date,
    last_complete_day,
)
from abtest.errors import invalid_field
from abtest.services.comparing import Comparing, compare_variants, critical_value
from abtest.services.deciding import gather_evidence, look_plan, reach_verdict
from abtest.services.estimates import Estimator, Weighting, estimator, weighting
from abtest.services.health import (
    check_contamination,
    check_counts,
    check_plan,
    check_sample_ratio,
    check_split,
    summarize,
)
from abtest.services.plan_end import PlanEnd, plan_end
from abtest.services.report import (
    ExperimentReport,
    MaturityReport,
    ReportPlan,
    Today,
)
from abtest.services.safety import check_first_safety
from abtest.services.variants import describe_variants
from abtest.stats.bayesian import LiftPrior
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
    """

    experiment: Experiment
    known: Mapping[VariantKey, Moments]
    facts: ExperimentFacts
    today: Today
    day: int
    first_weight: float | None = None
    second_weight: float | None = None
    lift_prior: float | None = None


def analyze(
    store: Store,
    key: ExperimentKey,
    *,
    now: datetime,
    as_of: date | None = None,
    first_weight: float | None = None,
    second_weight: float | None = None,
    lift_prior: float | None = None,
) -> ExperimentReport:
    """Write the report of an experiment at the end of a day.

    Args:
        now: decides which day was the last complete one.
        as_of: an earlier complete day in the experiment's time zone.
        first_weight: worth to try out instead of the declared one.
        second_weight: the same; a weight that was not declared before the start is
            exploratory, and intervals are widened for having chosen it late.
        lift_prior: standard deviation of a normal prior on every lift, say 0.3.

    Raises:
        AbtestError: `not_found`, or `invalid` when `as_of` is not complete yet.
    """
    experiment = store.get_experiment(key)
    known = store.moments(key)
    return write_report(
        ReportData(
            experiment=experiment,
            known=known,
            facts=store.facts(key),
            today=_today(experiment, known.values(), now),
            day=as_of_day(experiment, now, as_of),
            first_weight=first_weight,
            second_weight=second_weight,
            lift_prior=lift_prior,
        )
    )


def write_report(data: ReportData) -> ExperimentReport:
    """Write the report; a pure function of its data."""
    experiment, day = data.experiment, data.day
    moments = {variant: m.until(day) for variant, m in data.known.items()}
    weights = weighting(experiment, data.first_weight, data.second_weight)
    is_exploratory = weights != weighting(experiment, None, None)
    is_late = is_exploratory or experiment.weights_changed_at is not None
    estimates = estimator(experiment, moments)
    counts = estimates.joint(Measure.COUNT, day)
    matured = estimates.maturity(counts, day)
    money = estimates.joint(Measure.MONEY, day)
    values = counts if weights.measure is Measure.COUNT else money
    end = plan_end(
        experiment,
        matured=matured,
        newest_cohort=max(
            (d for m in data.known.values() for d in m.cohorts), default=None
        ),
        values=values,
        first_look=estimates.joint(
            weights.measure,
            day if matured.first_complete_day is None else matured.first_complete_day,
        ),
        weights=weights,
        as_of=day,
    )
    comparing = Comparing(
        experiment=experiment,
        estimator=estimates,
        weights=weights,
        weights_are_late=is_late,
        as_of=day,
        look_plan=look_plan(experiment, matured, end, day),
        counts=counts,
        values=values,
        critical_value=critical_value(
            values, weights, alpha=experiment.alpha, is_late=is_late
        ),
        plain_critical_value=critical_value(
            values, weights, alpha=experiment.alpha, is_late=False
        ),
        lift_prior=(
            None
            if data.lift_prior is None
            else LiftPrior(standard_deviation=data.lift_prior)
        ),
    )
    comparisons = compare_variants(comparing)
    variants = describe_variants(
        experiment,
        estimates,
        weights=weights,
        counts=counts,
        values=values,
        money=money,
        as_of=day,
    )
    evidence = gather_evidence(
        variants,
        comparisons,
        method=experiment.method,
        weights=weights,
        weights_are_late=is_late,
        end=end,
    )
    health = summarize(
        (
            check_sample_ratio(experiment, moments),
            check_contamination(data.facts.contaminated, matured.visitors),
            *check_counts(evidence),
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
    return ExperimentReport(
        experiment=experiment.key,
        name=experiment.name,
        hypothesis=experiment.hypothesis,
        status=experiment.status,
        started_at=experiment.started_at,
        time_zone=experiment.time_zone,
        as_of=day_to_date(day),
        data_through=_moment(data.facts.last_event),
        window_days=experiment.window_days,
        first_window_days=experiment.first_window_days,
        weights=_effective(experiment.weights, weights),
        weights_are_exploratory=is_exploratory,
        weights_changed_at=experiment.weights_changed_at,
        currency=experiment.currency,
        first_step=experiment.goal.first,
        second=experiment.goal.second,
        code_version=__version__,
        event_digest=_digest(moments),
        plan=_plan(experiment, end, estimates, comparing),
        variants=variants,
        comparisons=comparisons,
        health=health,
        maturity=_maturity(matured),
        verdict=reach_verdict(
            experiment,
            health=health,
            matured=matured,
            evidence=evidence,
            end=end,
            as_of=day,
            weights_are_exploratory=is_exploratory,
        ),
        today=data.today,
    )


def as_of_day(experiment: Experiment, now: datetime, as_of: date | None) -> int:
    """Return the last day that counts: complete, and followed up."""
    latest = last_complete_day(now, experiment.time_zone)
    if experiment.followed_until is not None:
        latest = min(latest, date_to_day(date.fromisoformat(experiment.followed_until)))
    if as_of is None:
        return latest
    if date_to_day(as_of) > latest:
        raise invalid_field(
            "/as_of",
            "not_complete",
            f"as_of is {as_of}; it must be a complete day for which data are known, "
            f"the latest is {day_to_date(latest)}",
        )
    return date_to_day(as_of)


def _today(experiment: Experiment, moments: Iterable[Moments], now: datetime) -> Today:
    """Count what came in on the day that is not complete yet.

    Conversions are funnel steps reached for the first time, and repeats.
    """
    day = last_complete_day(now, experiment.time_zone) + 1
    is_repeat = isinstance(experiment.goal.second, Repeat)
    exposures = conversions = 0
    for m in moments:
        exposures += m.cohorts.get(day, 0)
        conversions += sum(n for k, n in m.steps.items() if k.day + k.lag == day)
        conversions += sum(
            cell.conversions
            for k, cell in m.cells.items()
            if is_repeat and k.ordinal == 2 and k.day + k.lag == day
        )
    return Today(exposures=exposures, conversions=conversions)


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


def _moment(at: int | None) -> datetime | None:
    if at is None:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)


def _digest(moments: Mapping[VariantKey, Moments]) -> str:
    """Return the SHA-256 of the sums the report rests on, whatever their order."""
    digest = hashlib.sha256()
    for variant, m in sorted(moments.items()):
        for table in (
            m.cohorts,
            m.cells,
            m.pairs,
            m.steps,
            m.covariate_cohorts,
            m.covariate_cells,
        ):
            digest.update(json.dumps([variant, sorted(table.items())]).encode())
    return digest.hexdigest()
