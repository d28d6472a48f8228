"""Reports written by hand, with numbers that are easy to say."""

from dataclasses import replace
from datetime import UTC, date, datetime

from abtest.domain.experiment import ExperimentKey, Method, Status, VariantKey
from abtest.domain.funnel import CountWeights, Repeat, StepKey, StepKind
from abtest.services.comparison_report import (
    Comparison,
    CurvePoint,
    Guardrail,
    GuardrailState,
    MeasureTest,
)
from abtest.services.report import (
    ExperimentReport,
    Health,
    HealthCheck,
    HealthCode,
    HealthStatus,
    MaturityReport,
    ReportPlan,
    Today,
    Verdict,
    VerdictCode,
    VerdictReason,
)
from abtest.services.variant_report import (
    ConversionResult,
    StepResult,
    VariantReport,
)
from abtest.stats.results import (
    Band,
    BayesianResult,
    BreakEvenKind,
    BreakEvenWeight,
    FrequentistResult,
    Interval,
    NotEstimable,
    Reason,
    ValueEstimate,
    Winner,
)

A, B, C = VariantKey("a"), VariantKey("b"), VariantKey("c")
BUY = StepKey("purchase")
MISSING = NotEstimable(Reason.NOT_APPLICABLE)


def result_of(effect: float, lower: float, upper: float, *, base: float) -> MeasureTest:
    """Return a result with the given effect on a control mean of `base`."""
    return MeasureTest(
        frequentist=FrequentistResult(
            effect=effect,
            standard_error=0.25 * abs(effect),
            confidence_interval=Interval(lower=lower, upper=upper),
            relative_effect=effect / base,
            relative_confidence_interval=Interval(
                lower=lower / base, upper=upper / base
            ),
            statistic=4.0,
            p_value=0.004,
            degrees_of_freedom=None,
            method="wald",
        ),
        bayesian=BayesianResult(
            probability_to_be_best=0.97,
            probability_to_beat_control=0.98,
            expected_loss=0.0003,
            expected_loss_of_control=0.018,
            credible_interval=Interval(lower=lower, upper=upper),
            prior="flat",
        ),
        sequential=MISSING,
    )


def comparison(variant: VariantKey = B) -> Comparison:
    """Return a variant that loses 4.1 first and wins 7.3 second conversions."""
    return Comparison(
        variant=variant,
        control=A,
        first=result_of(-0.0041, -0.009, 0.0008, base=0.05),
        second=result_of(0.0073, 0.004, 0.0106, base=0.0125),
        value=result_of(0.0178, 0.0042, 0.0314, base=0.0875),
        mature_only=MISSING,
        calculator_check=MISSING,
        exact_posterior=NotEstimable(Reason.NOT_MATURE),
        decision_interval=Interval(lower=0.0042, upper=0.0314),
        break_even_weight=BreakEvenWeight(
            kind=BreakEvenKind.INTERVAL, estimate=0.56, lower=0.1, upper=1.9
        ),
        bands=(
            Band(lower=0.0, upper=2.25, winner=Winner.UNDECIDED),
            Band(lower=2.25, upper=12.0, winner=Winner.TREATMENT),
        ),
        decomposition=NotEstimable(Reason.NO_REVENUE),
        guardrail=Guardrail(
            margin=0.2,
            interval=Interval(lower=-0.18, upper=0.016),
            state=GuardrailState.HELD,
        ),
        curve=(
            CurvePoint(weight=0.0, effect=-0.0041, lower=-0.01, upper=0.0018),
            CurvePoint(weight=6.0, effect=0.0397, lower=0.02, upper=0.0594),
            CurvePoint(weight=12.0, effect=0.0835, lower=0.045, upper=0.122),
        ),
    )


def with_value(
    compared: Comparison, effect: float, interval: Interval | None
) -> Comparison:
    """Return the comparison with another effect on the value."""
    if interval is None or interval.lower is None or interval.upper is None:
        return replace(compared, decision_interval=interval)
    value = result_of(effect, interval.lower, interval.upper, base=0.0875)
    return replace(compared, value=value, decision_interval=interval)


def variant_report(
    key: VariantKey, name: str, first: float, second: float
) -> VariantReport:
    """Return a variant with 10,000 visitors and the given rates; worth 1 and 3."""

    def estimate(mean: float) -> ValueEstimate:
        return ValueEstimate(visitors=10_000, mean=mean, variance=1e-6, is_mature=False)

    return VariantReport(
        key=key,
        name=name,
        is_control=key == A,
        planned_share=0.5,
        visitors=10_000,
        steps=(
            StepResult(
                key=BUY,
                name="Purchase",
                kind=StepKind.MAIN,
                visitors=round(10_000 * first),
                rate=estimate(first),
            ),
        ),
        first=ConversionResult(observed=round(10_000 * first), rate=estimate(first)),
        second=ConversionResult(observed=round(8_000 * second), rate=estimate(second)),
        repeat_rate=second / first,
        value=estimate(first + 3 * second),
        revenue=MISSING,
        maturity=0.8,
        mature_visitors=6_400,
    )


def split_check(status: HealthStatus = HealthStatus.OK) -> HealthCheck:
    """Return the check of the traffic split: fine, or 46 to 54."""
    is_ok = status is HealthStatus.OK
    return HealthCheck(
        code=HealthCode.SAMPLE_RATIO,
        status=status,
        value=0.2 if is_ok else 5321.7,
        threshold=100.0,
        observed=(0.5, 0.5) if is_ok else (0.46, 0.54),
        planned=(0.5, 0.5),
    )


def report(
    code: VerdictCode = VerdictCode.WINNER, *reasons: VerdictReason
) -> ExperimentReport:
    """Return a report of A against B with the verdict asked for."""
    return ExperimentReport(
        experiment=ExperimentKey("home"),
        name="Home page",
        hypothesis="An honest page brings customers who stay.",
        status=Status.RUNNING,
        started_at=datetime(2026, 9, 1, 8, 0, tzinfo=UTC),
        time_zone="Europe/Berlin",
        as_of=date(2026, 11, 21),
        data_through=datetime(2026, 11, 21, 22, 30, tzinfo=UTC),
        window_days=60,
        weights=CountWeights(first=1, second=3),
        weights_are_exploratory=VerdictReason.EXPLORATORY_WEIGHTS in reasons,
        weights_changed_at=None,
        currency=None,
        first_step=BUY,
        second=Repeat(step=BUY),
        code_version="0.1.0",
        event_digest="3f9a",
        plan=ReportPlan(
            method=Method.SEQUENTIAL,
            alpha=0.05,
            power=0.8,
            minimum_detectable_effect=0.1,
            first_conversion_margin=0.2,
            order_cap=None,
            information_fraction=0.64,
            is_at_end=False,
            expected_end=date(2026, 12, 6),
            stratified=False,
            critical_value=1.96,
        ),
        variants=(
            variant_report(A, "A", 0.05, 0.0125),
            variant_report(B, "B", 0.0459, 0.0198),
        ),
        comparisons=(comparison(),),
        health=Health(
            status=HealthStatus.OK,
            checks=(split_check(),),
        ),
        maturity=MaturityReport(
            share=0.72,
            visitors=20_000,
            mature_visitors=12_800,
            decide_from=date(2026, 11, 1),
            complete_from=date(2027, 1, 20),
        ),
        verdict=Verdict(
            code=code,
            variant=B,
            decide_from=date(2026, 12, 6),
            reasons=reasons,
        ),
        today=Today(exposures=31, conversions=2),
    )


def three_armed(code: VerdictCode) -> ExperimentReport:
    """Return a report of A against B and C, C ahead of B."""
    two = report(code)
    return replace(
        two,
        variants=(*two.variants, variant_report(C, "C", 0.05, 0.02)),
        comparisons=(comparison(B), comparison(C)),
        verdict=replace(two.verdict, variant=None),
    )


def with_comparison(changed: Comparison) -> ExperimentReport:
    """Return the report of A against B with another comparison."""
    return replace(report(), comparisons=(changed,))
