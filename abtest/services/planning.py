"""Plans an experiment: visitors, days of traffic, days of waiting, and the date."""

import math
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from abtest.domain.experiment import Experiment, ExperimentKey, Method
from abtest.domain.funnel import ConversionWeights, CountWeights, MoneyWeights
from abtest.errors import AbtestError, ErrorCode, invalid_field
from abtest.services.definition import WeightsDefinition
from abtest.services.estimates import major_unit
from abtest.services.plan_rules import OrderValueQuestion, PlanQuestion, check_question
from abtest.services.report_day import as_of_day
from abtest.services.weight_rules import to_weights
from abtest.stats.delayed import Measure, Window
from abtest.stats.design import DelayCurve, baseline_from_history
from abtest.stats.moments import Moments
from abtest.stats.planning import Guardrail, Outlook, Scenario, plan
from abtest.stats.power import COUNTED, Baseline, OrderValue, sample_size
from abtest.stats.results import NotEstimable, Reason
from abtest.store.protocol import Store

SEQUENTIAL_PRICE = 0.03
"""Further visitors, relative, that looking every day costs.

Group sequential bounds with O'Brien-Fleming spending had 75 % power where one look had
77 %; a fixed look would need that many visitors more to have the same.
"""

DEFAULT_WINDOW = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """What finding the effect takes.

    Attributes:
        sample_size: visitors of each variant, the control first, if all of them were
            followed to the end and looked at then.
        visitors_per_variant: that are sent, fewer or more than that: recent visitors
            count before they have been followed to the end.
        decide_from: first day on which a report can tell.
    """

    sample_size: tuple[int, ...]
    visitors_per_variant: tuple[int, ...]
    traffic_days: int
    follow_up_days: int
    decide_from: date

    @property
    def total_days(self) -> int:
        """Complete days of data that are needed."""
        return self.traffic_days + self.follow_up_days


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMeasure:
    """The plan for the weighted value, or for one of the conversions alone.

    Attributes:
        curve: (complete days of data, smallest relative effect seen by then).
    """

    timetable: Timetable | NotEstimable
    curve: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedExperiment:
    """The answer, with everything it rests on; money in major units.

    Attributes:
        history: the experiment that rates and delays come from, if one was named.
        price: further visitors, relative, for looking before the end.
        shares: of each variant, adding up to 1.
        value_per_visitor: what a visitor of the control is worth.
    """

    start: date
    visitors_per_day: float
    shares: tuple[float, ...]
    window: Window
    weights: ConversionWeights
    baseline: Baseline
    history: ExperimentKey | None
    method: Method
    price: float
    alpha: float
    power: float
    effect: float
    margin: float
    value_per_visitor: float
    value: PlannedMeasure
    first: PlannedMeasure
    second: PlannedMeasure
    guardrail: Guardrail | NotEstimable


def plan_experiment(
    store: Store | None, question: PlanQuestion, *, now: datetime
) -> PlannedExperiment:
    """Answer how long to send visitors and how long to wait.

    Args:
        store: where the history is; needed only when the question names one.
        now: today is the first day when the question names none.

    Raises:
        AbtestError: `invalid` with everything that is wrong; `not_found` for an
            unknown history.
    """
    check_question(question)
    history = None
    if question.history is not None:
        if store is None:
            raise AbtestError(ErrorCode.UNAVAILABLE, "there is no database to look in")
        history = store.get_experiment(ExperimentKey(question.history))
    scenario, weights = _scenario(store, question, history, now)
    method = Method(question.method)
    price = SEQUENTIAL_PRICE if method is Method.SEQUENTIAL else 0.0
    # A look before the end costs as much as if fewer visitors came.
    asked = replace(scenario, visitors_per_day=scenario.visitors_per_day / (1 + price))
    found = plan(asked)
    counted = found if asked == _counted(asked) else plan(_counted(asked))
    calendar = _Calendar(
        scenario=scenario, price=price, start=_start(question, history, now)
    )
    first_weight, second_weight = scenario.first_weight, scenario.second_weight
    return PlannedExperiment(
        start=calendar.start,
        visitors_per_day=scenario.visitors_per_day,
        shares=tuple(s / sum(scenario.shares) for s in scenario.shares),
        window=scenario.window,
        weights=weights,
        baseline=scenario.baseline,
        history=None if history is None else history.key,
        method=method,
        price=price,
        alpha=scenario.alpha,
        power=scenario.power,
        effect=scenario.effect,
        margin=scenario.first_conversion_margin,
        value_per_visitor=scenario.baseline.mean(first_weight, second_weight),
        value=calendar.measure(found.value, first_weight, second_weight),
        first=calendar.counted.measure(counted.first, 1.0, 0.0),
        second=calendar.counted.measure(counted.second, 0.0, 1.0),
        guardrail=found.guardrail,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Calendar:
    """Puts durations on the calendar and adds the price of looking early."""

    scenario: Scenario
    price: float
    start: date

    @property
    def counted(self) -> "_Calendar":
        """The same for conversions alone, which are counted whatever they bring."""
        return replace(self, scenario=_counted(self.scenario))

    def measure(
        self, outlook: Outlook, first_weight: float, second_weight: float
    ) -> PlannedMeasure:
        timetable: Timetable | NotEstimable
        duration = outlook.duration
        sizes = self._sizes(first_weight, second_weight)
        if isinstance(sizes, NotEstimable):
            timetable = sizes
        elif isinstance(duration, NotEstimable):
            timetable = duration
        else:
            timetable = Timetable(
                sample_size=sizes,
                visitors_per_variant=tuple(
                    math.ceil(duration.exposure_days * visitors)
                    for visitors in self.scenario.visitors
                ),
                traffic_days=duration.exposure_days,
                follow_up_days=duration.follow_up_days,
                # A day counts once it is complete: its report comes a day later.
                decide_from=self.start + timedelta(days=duration.total_days),
            )
        return PlannedMeasure(timetable=timetable, curve=outlook.curve)

    def _sizes(
        self, first_weight: float, second_weight: float
    ) -> tuple[int, ...] | NotEstimable:
        """Return the visitors of each variant; the smallest treatment decides."""
        control, *treatments = self.scenario.shares
        needed = sample_size(
            self.scenario.baseline,
            first_weight,
            second_weight,
            effect=self.scenario.effect,
            alpha=self.scenario.corrected_alpha,
            power=self.scenario.power,
            ratio=min(treatments) / control,
        )
        if isinstance(needed, NotEstimable):
            return needed
        per_share = needed * (1 + self.price) / control
        # Rounded first: 1 / 3 x 3 must not ask for one visitor more.
        return tuple(
            math.ceil(round(per_share * share, 6)) for share in self.scenario.shares
        )


def _start(question: PlanQuestion, history: Experiment | None, now: datetime) -> date:
    """Return the first day: the one told, or today where the history is at home."""
    if question.start is not None:
        return date.fromisoformat(question.start)
    zone = ZoneInfo(history.time_zone if history else "UTC")
    return now.astimezone(zone).date()


def _counted(scenario: Scenario) -> Scenario:
    """Return the scenario without money."""
    baseline = replace(scenario.baseline, first_order=COUNTED, second_order=COUNTED)
    return replace(scenario, baseline=baseline)


def _scenario(
    store: Store | None,
    question: PlanQuestion,
    history: Experiment | None,
    now: datetime,
) -> tuple[Scenario, ConversionWeights]:
    window_days = question.window_days
    if window_days is None:
        window_days = history.window_days if history else DEFAULT_WINDOW
    first_days = question.first_window_days
    if first_days is None:
        first_days = window_days
    if first_days > window_days:
        raise invalid_field(
            "/first_window_days",
            "invalid_first_window_days",
            f"first_window_days is {first_days} and the second conversion has"
            f" {window_days} days; use at most {window_days}",
        )
    window = Window(first=first_days, second=window_days)
    weights = to_weights(question.weights or WeightsDefinition())
    if history is not None and store is not None:
        weights = history.weights if question.weights is None else weights
        baseline, delay = _known(store, history, window, weights, now)
    else:
        baseline, delay = _told(question), DelayCurve.exponential(window_days)
    match weights:
        case CountWeights(first=first, second=second):
            pass
        case MoneyWeights(first_margin=first, second_margin=second):
            pass
    scenario = Scenario(
        visitors_per_day=question.visitors_per_day,
        shares=question.shares or (1.0,) * (question.variants or 2),
        baseline=baseline,
        delay=delay,
        window=window,
        first_weight=first,
        second_weight=second,
        effect=question.minimum_detectable_effect,
        alpha=question.alpha,
        power=question.power,
        first_conversion_margin=question.first_conversion_margin,
        expected_first_loss=question.expected_first_loss,
        exposure_days=question.traffic_days,
    )
    return scenario, weights


def _told(question: PlanQuestion) -> Baseline:
    """Return the rates and order values of the question, which was checked."""
    first = _order(question.order_value)
    second = question.second_order_value
    return Baseline(
        first_rate=question.first_rate or 0.0,
        repeat_rate=question.repeat_rate or 0.0,
        first_order=first,
        second_order=first if second is None else _order(second),
    )


def _order(order: OrderValueQuestion | None) -> OrderValue:
    return COUNTED if order is None else OrderValue(mean=order.mean, sd=order.sd)


def _known(
    store: Store,
    history: Experiment,
    window: Window,
    weights: ConversionWeights,
    now: datetime,
) -> tuple[Baseline, DelayCurve]:
    """Return what the history says of the variant that everybody sees now."""
    in_money = isinstance(weights, MoneyWeights)
    if in_money and weights.currency != history.currency:
        raise invalid_field(
            "/weights/currency",
            "wrong_currency",
            f"currency is {weights.currency} and the orders of {history.key} are in"
            f" {history.currency or 'none'}; plan in its currency, or give"
            " order_value and rates instead of the history",
        )
    as_of = as_of_day(history, now, None)
    shown = history.decided_variant or history.control.key
    moments = store.moments(history.key).get(shown, Moments())
    baseline = baseline_from_history(
        moments,
        window=window,
        as_of=as_of,
        measure=Measure.MONEY if in_money else Measure.COUNT,
    )
    if isinstance(baseline, NotEstimable):
        raise _no_history(history, window, baseline.reason)
    delay = DelayCurve.from_history(moments, window=window, as_of=as_of)
    if isinstance(delay, NotEstimable):
        raise _no_history(history, window, delay.reason)
    if not in_money:
        return baseline, delay
    unit = major_unit(history.currency)
    return (
        replace(
            baseline,
            first_order=_in_major_units(baseline.first_order, unit),
            second_order=_in_major_units(baseline.second_order, unit),
        ),
        delay,
    )


def _in_major_units(order: OrderValue, unit: float) -> OrderValue:
    return OrderValue(mean=order.mean * unit, sd=order.sd * unit)


def _no_history(history: Experiment, window: Window, reason: Reason) -> AbtestError:
    """Say why the history is of no use, and what is."""
    match reason:
        case Reason.NOT_MATURE:
            why = (
                f"nobody in {history.key} has been followed for {window.longest} days;"
                " use a shorter window_days, or"
            )
        case Reason.NO_VISITORS | Reason.TOO_FEW_VISITORS:
            why = f"{history.key} has no visitors to learn from;"
        case _:
            why = f"{history.key} has no first and second conversions to learn from;"
    return invalid_field(
        "/history", reason.value, f"{why} give first_rate and repeat_rate instead"
    )
