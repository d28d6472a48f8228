"""What the traffic of an experiment cost, beside what it may cost."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from statistics import NormalDist

from abtest.domain.experiment import ExperimentKey, VariantKey
from abtest.domain.money import to_major
from abtest.domain.traffic import CostSum
from abtest.services.report import ExperimentReport
from abtest.services.variant_report import VariantReport
from abtest.stats.results import (
    Interval,
    KeyFigure,
    NotEstimable,
    Reason,
    ValueEstimate,
)
from abtest.store.protocol import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCost:
    """Spent on one day, major units."""

    day: date
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCost:
    """Spent at one source, major units; None where none was told."""

    source: str | None
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantCosts:
    """What the visitors of one variant cost, and what that won; major units.

    Attributes:
        amount: its share of the money by its share of the visitors: a click costs the
            same whatever page it leads to.
        break_even_cost_per_click: what a visitor may cost at most, as in the report.
        margin_per_visitor: that less what a visitor cost.
        pays: whether a visitor is worth more than they cost; None while the interval
            of the margin holds zero.
        acquisition_cost: cost per visitor / rate of first conversions in the window.
        highest_acquisition_cost: what a first conversion may cost at most, as in the
            report.
        return_on_ad_spend: revenue per visitor in the window / cost per visitor.
    """

    key: VariantKey
    name: str
    is_control: bool
    visitors: int
    amount: float
    break_even_cost_per_click: KeyFigure | NotEstimable
    margin_per_visitor: KeyFigure | NotEstimable
    pays: bool | None
    acquisition_cost: KeyFigure | NotEstimable
    highest_acquisition_cost: KeyFigure | NotEstimable
    return_on_ad_spend: KeyFigure | NotEstimable


@dataclass(frozen=True, slots=True, kw_only=True)
class CostReport:
    """The costs that were told of for one experiment, up to a day; major units.

    Attributes:
        currency: the experiment's, else the only one that costs were told in.
        amount: in that currency.
        other_currencies: (currency, amount) of costs that cannot be added to it.
        cost_per_visitor: amount / visitors, the same for every variant: what a click
            cost that led to the experiment.
    """

    experiment: ExperimentKey
    as_of: date
    currency: str | None
    alpha: float
    amount: float
    days: tuple[DayCost, ...]
    sources: tuple[SourceCost, ...]
    other_currencies: tuple[tuple[str, float], ...]
    visitors: int
    cost_per_visitor: float | NotEstimable
    variants: tuple[VariantCosts, ...]


def describe_costs(store: Store, report: ExperimentReport) -> CostReport:
    """Put the costs of an experiment beside the values of its report.

    Costs are taken as known exactly; intervals are those of the report's estimates.

    Raises:
        AbtestError: `not_found`.
    """
    costs = [c for c in store.costs(report.experiment) if c.day <= report.as_of]
    currency = report.currency or _only({c.currency for c in costs})
    known = [c for c in costs if c.currency == currency]
    days, sources = Counter[date](), Counter[str | None]()
    for cost in known:
        days[cost.day] += cost.amount
        sources[cost.source] += cost.amount
    amount = to_major(days.total(), currency)
    visitors = sum(v.visitors for v in report.variants)
    per_visitor: float | NotEstimable
    if not known:
        per_visitor = NotEstimable(Reason.NOT_APPLICABLE)
    elif not visitors:
        per_visitor = NotEstimable(Reason.NO_VISITORS)
    else:
        per_visitor = amount / visitors
    return CostReport(
        experiment=report.experiment,
        as_of=report.as_of,
        currency=currency,
        alpha=report.plan.alpha,
        amount=amount,
        days=tuple(
            DayCost(day=day, amount=to_major(n, currency))
            for day, n in sorted(days.items())
        ),
        sources=tuple(
            SourceCost(source=source, amount=to_major(n, currency))
            for source, n in sorted(
                sources.items(), key=lambda item: (-item[1], item[0] or "")
            )
        ),
        other_currencies=_others(costs, currency),
        visitors=visitors,
        cost_per_visitor=per_visitor,
        variants=tuple(
            _variant(v, per_visitor, alpha=report.plan.alpha) for v in report.variants
        ),
    )


def _variant(
    variant: VariantReport, per_visitor: float | NotEstimable, *, alpha: float
) -> VariantCosts:
    z = NormalDist().inv_cdf(1 - alpha / 2)
    revenue = variant.revenue
    earned = revenue if isinstance(revenue, NotEstimable) else revenue.per_visitor
    margin = _margin(variant.break_even_cost_per_click, per_visitor)
    share = 0.0 if isinstance(per_visitor, NotEstimable) else per_visitor
    return VariantCosts(
        key=variant.key,
        name=variant.name,
        is_control=variant.is_control,
        visitors=variant.visitors,
        amount=share * variant.visitors,
        break_even_cost_per_click=variant.break_even_cost_per_click,
        margin_per_visitor=margin,
        pays=None if isinstance(margin, NotEstimable) else _sign(margin.interval),
        acquisition_cost=_acquisition_cost(variant.first.rate, per_visitor, z),
        highest_acquisition_cost=variant.highest_acquisition_cost,
        return_on_ad_spend=_return(earned, per_visitor, z),
    )


def _margin(
    worth: KeyFigure | NotEstimable, cost: float | NotEstimable
) -> KeyFigure | NotEstimable:
    if isinstance(cost, NotEstimable):
        return cost
    if isinstance(worth, NotEstimable):
        return worth
    lower, upper = worth.interval.lower, worth.interval.upper
    return KeyFigure(
        estimate=worth.estimate - cost,
        interval=Interval(
            lower=None if lower is None else lower - cost,
            upper=None if upper is None else upper - cost,
        ),
    )


def _acquisition_cost(
    rate: ValueEstimate | NotEstimable, cost: float | NotEstimable, z: float
) -> KeyFigure | NotEstimable:
    """Return cost / rate; its limits are those of the rate, turned over."""
    if isinstance(cost, NotEstimable):
        return cost
    if isinstance(rate, NotEstimable):
        return rate
    if rate.mean <= 0:
        return NotEstimable(Reason.NO_CONVERSIONS)
    half = z * rate.variance**0.5
    lowest = rate.mean - half
    return KeyFigure(
        estimate=cost / rate.mean,
        interval=Interval(
            lower=cost / (rate.mean + half),
            upper=cost / lowest if lowest > 0 else None,
        ),
    )


def _return(
    earned: ValueEstimate | NotEstimable, cost: float | NotEstimable, z: float
) -> KeyFigure | NotEstimable:
    if isinstance(cost, NotEstimable):
        return cost
    if isinstance(earned, NotEstimable):
        return earned
    if cost <= 0:
        return NotEstimable(Reason.NOT_POSITIVE)
    half = z * earned.variance**0.5
    return KeyFigure(
        estimate=earned.mean / cost,
        interval=Interval(
            lower=(earned.mean - half) / cost, upper=(earned.mean + half) / cost
        ),
    )


def _sign(interval: Interval) -> bool | None:
    """Tell whether the whole interval is above zero, or below."""
    if interval.lower is not None and interval.lower > 0:
        return True
    if interval.upper is not None and interval.upper < 0:
        return False
    return None


def _only(currencies: set[str]) -> str | None:
    return currencies.pop() if len(currencies) == 1 else None


def _others(
    costs: Iterable[CostSum], currency: str | None
) -> tuple[tuple[str, float], ...]:
    sums = Counter[str]()
    for cost in costs:
        if cost.currency != currency:
            sums[cost.currency] += cost.amount
    return tuple((c, to_major(n, c)) for c, n in sorted(sums.items()))
