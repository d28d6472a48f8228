"""JSON of plans: what callers ask, and what they are answered."""

from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

from abtest.domain.funnel import CountWeights, MoneyWeights
from abtest.stats.results import NotEstimable
from abtest.web.api.shapes import Strict, WeightsBody, WeightsView

if TYPE_CHECKING:
    from abtest.services.planning import PlannedExperiment, PlannedMeasure
    from abtest.stats.planning import Guardrail


class OrderValueBody(Strict):
    """What an order brings, major units: mean and standard deviation."""

    mean: float
    sd: float


class PlanBody(Strict):
    """What shall be planned.

    Attributes:
        visitors_per_day: of all variants together.
        first_rate: share of visitors who convert within the window, 0 to 1.
        repeat_rate: share of those who convert a second time within the window.
        history: key of an experiment whose rates, order values and delays are used
            instead.
        window_days: 60, or that of the history.
        first_window_days: the first conversion's own window, if it is shorter.
        weights: one point each, or those of the history.
        order_value: for money without a history.
        second_order_value: that of a first order when not given.
        variants: how many, with equal shares; usually 2.
        shares: of each variant instead, the control first.
        expected_first_loss: loss of first conversions that is expected, relative.
        traffic_days: how long visitors are sent, if that is fixed.
        start: first day, YYYY-MM-DD; usually today.
    """

    visitors_per_day: float
    first_rate: float | UnsetType | None = UNSET
    repeat_rate: float | UnsetType | None = UNSET
    history: str | UnsetType | None = UNSET
    window_days: int | UnsetType | None = UNSET
    first_window_days: int | UnsetType | None = UNSET
    weights: WeightsBody | UnsetType = UNSET
    order_value: OrderValueBody | UnsetType | None = UNSET
    second_order_value: OrderValueBody | UnsetType | None = UNSET
    minimum_detectable_effect: float | UnsetType = UNSET
    alpha: float | UnsetType = UNSET
    power: float | UnsetType = UNSET
    variants: int | UnsetType | None = UNSET
    shares: tuple[float, ...] | UnsetType | None = UNSET
    first_conversion_margin: float | UnsetType = UNSET
    expected_first_loss: float | UnsetType = UNSET
    traffic_days: int | UnsetType | None = UNSET
    start: str | UnsetType | None = UNSET
    method: str | UnsetType = UNSET


class CurvePointView(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest relative effect that is found after so many complete days."""

    days: int
    minimum_detectable_effect: float


class PlannedMeasureView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What finding the effect in one measure takes, or why it cannot be planned.

    Attributes:
        sample_size_per_variant: if everybody were followed to the end.
        visitors_per_variant: that are sent.
        decide_from: first day on which a report can tell.
    """

    sample_size_per_variant: tuple[int, ...] | UnsetType = UNSET
    visitors_per_variant: tuple[int, ...] | UnsetType = UNSET
    traffic_days: int | UnsetType = UNSET
    follow_up_days: int | UnsetType = UNSET
    total_days: int | UnsetType = UNSET
    decide_from: str | UnsetType = UNSET
    not_estimable: str | UnsetType = UNSET
    curve: tuple[CurvePointView, ...]


class PlannedGuardrailView(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True
):
    """Whether the plan can bound the loss of first conversions.

    Attributes:
        standard_error: of the relative change of first conversions at the end.
        smallest_margin: the expected loss and two standard errors.
        is_resolvable: the margin is wider than that.
    """

    margin: float
    standard_error: float | UnsetType = UNSET
    smallest_margin: float | UnsetType = UNSET
    is_resolvable: bool | UnsetType = UNSET
    not_estimable: str | UnsetType = UNSET


class BaselineView(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken for true of the page today; money in major units."""

    first_rate: float
    repeat_rate: float
    second_rate: float
    first_order_value: float | None
    second_order_value: float | None
    value_per_visitor: float
    history: str | None


class PlanView(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, what it rests on, and what it means in plain sentences.

    Attributes:
        sequential_price: further visitors, relative, for looking every day; counted
            in.
        value: the weighted value, which decides.
        first, second: the same relative effect on one conversion alone.
    """

    start: str
    visitors_per_day: float
    shares: tuple[float, ...]
    window_days: int
    first_window_days: int
    weights: WeightsView
    method: str
    alpha: float
    power: float
    minimum_detectable_effect: float
    sequential_price: float
    baseline: BaselineView
    value: PlannedMeasureView
    first: PlannedMeasureView
    second: PlannedMeasureView
    guardrail: PlannedGuardrailView
    summary: tuple[str, ...]


def plan_view(plan: "PlannedExperiment", language: str) -> PlanView:
    """Return what callers are sent of a plan."""
    from abtest.web.render.plan_sentence import plan_sentences  # noqa: PLC0415

    baseline = plan.baseline
    in_money = isinstance(plan.weights, MoneyWeights)
    return PlanView(
        start=plan.start.isoformat(),
        visitors_per_day=plan.visitors_per_day,
        shares=plan.shares,
        window_days=plan.window.second,
        first_window_days=plan.window.first,
        weights=_weights(plan.weights),
        method=plan.method.value,
        alpha=plan.alpha,
        power=plan.power,
        minimum_detectable_effect=plan.effect,
        sequential_price=plan.price,
        baseline=BaselineView(
            first_rate=baseline.first_rate,
            repeat_rate=baseline.repeat_rate,
            second_rate=baseline.second_rate,
            first_order_value=baseline.first_order.mean if in_money else None,
            second_order_value=baseline.second_order.mean if in_money else None,
            value_per_visitor=plan.value_per_visitor,
            history=plan.history,
        ),
        value=_measure(plan.value),
        first=_measure(plan.first),
        second=_measure(plan.second),
        guardrail=_guardrail(plan.guardrail, plan.margin),
        summary=plan_sentences(plan, language),
    )


def _weights(weights: CountWeights | MoneyWeights) -> WeightsView:
    return msgspec.convert(
        {
            **msgspec.to_builtins(weights),
            "money": isinstance(weights, MoneyWeights),
        },
        WeightsView,
    )


def _measure(measure: "PlannedMeasure") -> PlannedMeasureView:
    curve = tuple(
        CurvePointView(days=days, minimum_detectable_effect=effect)
        for days, effect in measure.curve
    )
    timetable = measure.timetable
    if isinstance(timetable, NotEstimable):
        return PlannedMeasureView(not_estimable=timetable.reason.value, curve=curve)
    return PlannedMeasureView(
        sample_size_per_variant=timetable.sample_size,
        visitors_per_variant=timetable.visitors_per_variant,
        traffic_days=timetable.traffic_days,
        follow_up_days=timetable.follow_up_days,
        total_days=timetable.total_days,
        decide_from=timetable.decide_from.isoformat(),
        curve=curve,
    )


def _guardrail(
    guardrail: "Guardrail | NotEstimable", margin: float
) -> PlannedGuardrailView:
    if isinstance(guardrail, NotEstimable):
        return PlannedGuardrailView(margin=margin, not_estimable=guardrail.reason.value)
    return PlannedGuardrailView(
        margin=margin,
        standard_error=guardrail.standard_error,
        smallest_margin=guardrail.smallest_margin,
        is_resolvable=guardrail.is_resolvable,
    )
