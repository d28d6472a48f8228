"""The report as JSON: the contract that programs read (docs/api.md)."""

from datetime import UTC, datetime

from abtest.domain.funnel import (
    ConversionWeights,
    CountWeights,
    LaterStep,
    MoneyWeights,
    Repeat,
    SecondConversion,
)
from abtest.services.comparison_report import (
    Comparison,
    CurvePoint,
    Guardrail,
    MeasureTest,
)
from abtest.services.report import (
    SCHEMA_VERSION,
    ExperimentReport,
    HealthCheck,
    MaturityReport,
    ReportPlan,
    Verdict,
)
from abtest.services.variant_report import Revenue, StepResult, VariantReport
from abtest.stats.results import (
    Band,
    BayesianResult,
    BreakEvenWeight,
    Decomposition,
    KeyFigure,
    NotEstimable,
    SequentialResult,
)
from abtest.web.render.health_sentence import health_sentence
from abtest.web.render.result_json import (
    Json,
    estimate_to_json,
    frequentist_to_json,
    interval_to_json,
    nothing_to_json,
)
from abtest.web.render.verdict_sentence import verdict_sentence


def report_to_json(report: ExperimentReport, language: str) -> dict[str, Json]:
    """Return the report as plain JSON values; the same report gives the same bytes.

    Args:
        language: `de` or `en`, for the sentences alone.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "experiment": report.experiment,
        "name": report.name,
        "status": report.status.value,
        "as_of": report.as_of.isoformat(),
        "data_through": _time(report.data_through),
        "time_zone": report.time_zone,
        "window_days": report.window_days,
        "segment": (
            None
            if report.segment is None
            else {
                "attribute": report.segment.attribute,
                "value": report.segment.value,
            }
        ),
        "first_window_days": (
            report.window_days
            if report.first_window_days is None
            else report.first_window_days
        ),
        "weights": _weights(report),
        "currency": report.currency,
        "first_conversion": {"step": report.first_step},
        "second_conversion": second_to_json(report.second),
        "code_version": report.code_version,
        "event_digest": report.event_digest,
        "plan": _plan(report.plan),
        "variants": [_variant(v) for v in report.variants],
        "comparisons": [_comparison(c) for c in report.comparisons],
        "health": {
            "status": report.health.status.value,
            "checks": [_check(c, report, language) for c in report.health.checks],
        },
        "maturity": _maturity(report.maturity),
        "verdict": _verdict(report.verdict, verdict_sentence(report, language)),
        "today": {
            "exposures": report.today.exposures,
            "conversions": report.today.conversions,
        },
    }


def second_to_json(second: SecondConversion) -> dict[str, Json]:
    """Return what counts as the second conversion."""
    match second:
        case Repeat():
            return {
                "step": second.step,
                "ordinal": second.ordinal,
                "min_gap_hours": second.min_gap_hours,
            }
        case LaterStep():
            return {"step": second.step}


def weights_to_json(weights: ConversionWeights) -> dict[str, Json]:
    """Return what the conversions are worth."""
    match weights:
        case CountWeights():
            declared: dict[str, Json] = {
                "first": weights.first,
                "second": weights.second,
            }
            return declared | (
                {"currency": weights.currency} if weights.currency else {}
            )
        case MoneyWeights():
            return {
                "money": True,
                "currency": weights.currency,
                "first_margin": weights.first_margin,
                "second_margin": weights.second_margin,
            }


def figure_to_json(
    figure: KeyFigure | NotEstimable, unit: float = 1.0
) -> dict[str, Json]:
    """Return an estimate and its interval, in units of which each is `unit`."""
    if isinstance(figure, NotEstimable):
        return {
            "estimate": None,
            "confidence_interval": None,
            **nothing_to_json(figure),
        }
    lower, upper = figure.interval.lower, figure.interval.upper
    return {
        "estimate": figure.estimate * unit,
        "confidence_interval": [
            None if lower is None else lower * unit,
            None if upper is None else upper * unit,
        ],
    }


def _weights(report: ExperimentReport) -> dict[str, Json]:
    return weights_to_json(report.weights) | {
        "exploratory": report.weights_are_exploratory,
        "changed_after_start": report.weights_changed_at is not None,
    }


def _time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plan(plan: ReportPlan) -> dict[str, Json]:
    end = plan.expected_end
    return {
        "method": plan.method.value,
        "alpha": plan.alpha,
        "power": plan.power,
        "minimum_detectable_effect": plan.minimum_detectable_effect,
        "first_conversion_margin": plan.first_conversion_margin,
        "order_cap": plan.order_cap,
        "information_fraction": plan.information_fraction,
        "is_at_end": plan.is_at_end,
        "decided_on": _day(plan.decided_on),
        "expected_end": end.isoformat() if end else None,
        "stratified": plan.stratified,
        "critical_value": plan.critical_value,
        "sequential_design": plan.sequential_design.value,
        "covariate": plan.covariate,
        "adaptive": (
            {"minimum_share": plan.adaptive.minimum_share} if plan.adaptive else None
        ),
    }


def _variant(variant: VariantReport) -> dict[str, Json]:
    repeat = variant.repeat_rate
    return {
        "key": variant.key,
        "name": variant.name,
        "control": variant.is_control,
        "planned_share": variant.planned_share,
        "visitors": variant.visitors,
        "steps": [_step(s) for s in variant.steps],
        "first": {
            "observed": variant.first.observed,
            **estimate_to_json("rate", variant.first.rate),
        },
        "second": {
            "observed": variant.second.observed,
            **estimate_to_json("rate", variant.second.rate),
            "repeat_rate": None if isinstance(repeat, NotEstimable) else repeat,
        },
        "value": estimate_to_json("per_visitor", variant.value),
        "revenue": _revenue(variant.revenue),
        "maturity": variant.maturity,
        "mature_visitors": variant.mature_visitors,
        "break_even_cost_per_click": figure_to_json(variant.break_even_cost_per_click),
        "highest_acquisition_cost": figure_to_json(variant.highest_acquisition_cost),
    }


def _step(step: StepResult) -> dict[str, Json]:
    return {
        "step": step.key,
        "name": step.name,
        "kind": step.kind.value,
        "visitors": step.visitors,
        **estimate_to_json("rate", step.rate),
    }


def _revenue(revenue: Revenue | NotEstimable) -> dict[str, Json]:
    if isinstance(revenue, NotEstimable):
        return nothing_to_json(revenue)
    return {
        "observed": revenue.observed_first + revenue.observed_second,
        "observed_first": revenue.observed_first,
        "observed_second": revenue.observed_second,
        **estimate_to_json("per_visitor", revenue.per_visitor),
        "order_value": revenue.order_value,
    }


def _comparison(comparison: Comparison) -> dict[str, Json]:
    return {
        "variant": comparison.variant,
        "control": comparison.control,
        "first": _test(comparison.first),
        "second": _test(comparison.second),
        "value": _test(comparison.value),
        "mature_only": frequentist_to_json(comparison.mature_only),
        "calculator_check": frequentist_to_json(comparison.calculator_check),
        "exact_posterior": _bayesian(comparison.exact_posterior),
        "decision_effect": comparison.decision_effect,
        "decision_interval": interval_to_json(comparison.decision_interval),
        "break_even_weight": _break_even(comparison.break_even_weight),
        "bands": [_band(b) for b in comparison.bands],
        "decomposition": _decomposition(comparison.decomposition),
        "guardrail": _guardrail(comparison.guardrail),
        "curve": [_point(p) for p in comparison.curve],
        "variance_reduced": frequentist_to_json(comparison.variance_reduced),
        "log_ratio_interval": interval_to_json(comparison.log_ratio_interval),
    }


def _test(test: MeasureTest) -> dict[str, Json]:
    return {
        "frequentist": frequentist_to_json(test.frequentist),
        "bayesian": _bayesian(test.bayesian),
        "sequential": _sequential(test.sequential),
    }


def _bayesian(result: BayesianResult | NotEstimable) -> dict[str, Json]:
    if isinstance(result, NotEstimable):
        return nothing_to_json(result)
    return {
        "probability_to_be_best": result.probability_to_be_best,
        "probability_to_beat_control": result.probability_to_beat_control,
        "expected_loss": result.expected_loss,
        "expected_loss_of_control": result.expected_loss_of_control,
        "credible_interval": interval_to_json(result.credible_interval),
        "prior": result.prior,
    }


def _sequential(result: SequentialResult | NotEstimable) -> dict[str, Json]:
    if isinstance(result, NotEstimable):
        return nothing_to_json(result)
    return {
        "confidence_interval": interval_to_json(result.confidence_interval),
        "relative_confidence_interval": interval_to_json(
            result.relative_confidence_interval
        ),
        "p_value": result.p_value,
        "critical_value": result.critical_value,
        "was_crossed": result.was_crossed,
        "information_fraction": result.information_fraction,
        "is_final": result.is_final,
        "method": result.method,
    }


def _break_even(weight: BreakEvenWeight | NotEstimable) -> dict[str, Json]:
    if isinstance(weight, NotEstimable):
        return {"kind": "none", "estimate": None, "lower": None, "upper": None} | (
            nothing_to_json(weight)
        )
    return {
        "kind": weight.kind.value,
        "estimate": weight.estimate,
        "lower": weight.lower,
        "upper": weight.upper,
    }


def _band(band: Band) -> dict[str, Json]:
    return {"lower": band.lower, "upper": band.upper, "winner": band.winner.value}


def _point(point: CurvePoint) -> dict[str, Json]:
    return {
        "weight": point.weight,
        "effect": point.effect,
        "interval": [point.lower, point.upper],
    }


def _decomposition(decomposition: Decomposition | NotEstimable) -> dict[str, Json]:
    if isinstance(decomposition, NotEstimable):
        return nothing_to_json(decomposition)
    factors = {
        "customers": decomposition.customers,
        "purchases": decomposition.purchases,
        "order_value": decomposition.order_value,
        "revenue": decomposition.revenue,
    }
    ratios: dict[str, Json] = {name: f.ratio for name, f in factors.items()}
    return ratios | {
        "intervals": {name: interval_to_json(f.interval) for name, f in factors.items()}
    }


def _guardrail(guardrail: Guardrail) -> dict[str, Json]:
    return {
        "margin": guardrail.margin,
        "relative_confidence_interval": interval_to_json(guardrail.interval),
        "state": guardrail.state.value,
    }


def _check(
    check: HealthCheck, report: ExperimentReport, language: str
) -> dict[str, Json]:
    return {
        "code": check.code.value,
        "status": check.status.value,
        "value": check.value,
        "threshold": check.threshold,
        "observed": list(check.observed),
        "planned": list(check.planned),
        "p_value": check.p_value,
        "detail": health_sentence(check, report, language),
    }


def _maturity(maturity: MaturityReport) -> dict[str, Json]:
    return {
        "share": maturity.share,
        "visitors": maturity.visitors,
        "mature_visitors": maturity.mature_visitors,
        "decide_from": _day(maturity.decide_from),
        "complete_from": _day(maturity.complete_from),
    }


def _day(day: object) -> str | None:
    return None if day is None else str(day)


def _verdict(verdict: Verdict, sentence: str) -> dict[str, Json]:
    return {
        "code": verdict.code.value,
        "variant": verdict.variant,
        "decide_from": _day(verdict.decide_from),
        "sentence": sentence,
        "reasons": [r.value for r in verdict.reasons],
    }
