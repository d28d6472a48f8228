"""GET /api/v1/experiments/{key}/customers: key figures of the customers won."""

from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING

from abtest.domain.experiment import ExperimentKey
from abtest.domain.money import to_major
from abtest.services.calculating import calculate
from abtest.stats.results import NotEstimable
from abtest.store.protocol import Store
from abtest.web.api.report import AS_OF, read_day, read_number, read_whole
from abtest.web.api.serving import Asked, Parameter
from abtest.web.exchange import Reply, json_reply
from abtest.web.render.result_json import Json
from abtest.web.render.serialize import figure_to_json

if TYPE_CHECKING:
    from abtest.services.customers import CustomerReport, VariantCustomers

PARAMETERS = (
    Parameter(
        name="acquisition_cost",
        help="what a customer costs, major units; taken off the lifetime value",
        type="number",
    ),
    Parameter(
        name="period_days",
        help="length of the two periods that retention and churn compare; 30",
        type="integer",
    ),
    Parameter(
        name="loyal_purchases",
        help="purchases that make a customer loyal; 3",
        type="integer",
    ),
    AS_OF,
)


def get_customers(asked: Asked) -> Reply:
    """Answer with the customers of one experiment."""
    task = partial(
        _describe,
        key=ExperimentKey(asked.call.args["key"]),
        now=asked.now,
        as_of=read_day(asked),
        acquisition_cost=read_number(asked, "acquisition_cost") or 0.0,
        period_days=read_whole(asked, "period_days"),
        loyal_purchases=read_whole(asked, "loyal_purchases"),
    )
    return json_reply(calculate(asked.calculator, task))


def _describe(
    store: Store,
    key: ExperimentKey,
    *,
    now: datetime,
    as_of: date | None,
    acquisition_cost: float,
    period_days: int | None,
    loyal_purchases: int | None,
) -> dict[str, Json]:
    # scipy takes seconds to load and 100 MB: only who calculates loads it.
    from abtest.services.customers import (  # noqa: PLC0415
        DEFAULT_LOYAL_PURCHASES,
        DEFAULT_PERIOD_DAYS,
        describe_customers,
    )

    report = describe_customers(
        store,
        key,
        now=now,
        as_of=as_of,
        acquisition_cost=acquisition_cost,
        period_days=DEFAULT_PERIOD_DAYS if period_days is None else period_days,
        loyal_purchases=(
            DEFAULT_LOYAL_PURCHASES if loyal_purchases is None else loyal_purchases
        ),
    )
    return _report(report)


def _report(report: "CustomerReport") -> dict[str, Json]:
    return {
        "experiment": report.experiment,
        "as_of": report.as_of.isoformat(),
        "diagnostic": True,
        "window_days": report.window_days,
        "currency": report.currency,
        "alpha": report.alpha,
        "acquisition_cost": report.acquisition_cost,
        "period_days": report.periods.days,
        "earlier_period": [
            report.periods.earlier_first.isoformat(),
            report.periods.earlier_last.isoformat(),
        ],
        "later_period": [
            report.periods.later_first.isoformat(),
            report.periods.later_last.isoformat(),
        ],
        "loyal_purchases": report.loyal_purchases,
        "variants": [_variant(v, report.currency) for v in report.variants],
    }


def _variant(variant: "VariantCustomers", currency: str | None) -> dict[str, Json]:
    known: dict[str, Json] = {
        "key": variant.key,
        "name": variant.name,
        "control": variant.is_control,
    }
    return known | _figures(variant, currency) | {"loyalty": _loyalty(variant)}


def _figures(variant: "VariantCustomers", currency: str | None) -> dict[str, Json]:
    figures = variant.figures
    if isinstance(figures, NotEstimable):
        return {"not_estimable": figures.reason.value}
    unit = to_major(1, currency)
    return {
        "customers": figures.customers,
        "orders": figures.orders,
        "repeat_customer_rate": figure_to_json(figures.repeat_customer_rate),
        "average_order_value": figure_to_json(figures.average_order_value, unit),
        "value_per_customer": figure_to_json(figures.value_per_customer, unit),
        "lifetime_value": figure_to_json(figures.lifetime_value, unit),
    }


def _loyalty(variant: "VariantCustomers") -> dict[str, Json]:
    figures = variant.loyalty
    if isinstance(figures, NotEstimable):
        return {"not_estimable": figures.reason.value}
    habits = figures.habits
    return {
        "customers": habits.customers,
        "loyal_customers": habits.loyal,
        "customers_at_start": habits.at_start,
        "customers_at_end": habits.at_end,
        "new_customers": habits.new,
        "loyal_rate": figure_to_json(figures.loyal_rate),
        "retention_rate": figure_to_json(figures.retention_rate),
        "churn_rate": figure_to_json(figures.churn_rate),
        "revenue_churn": figure_to_json(figures.revenue_churn),
    }
