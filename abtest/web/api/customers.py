"""GET /api/v1/experiments/{key}/customers: key figures of the customers won."""

from typing import TYPE_CHECKING

from abtest.domain.experiment import ExperimentKey
from abtest.domain.money import to_major
from abtest.stats.results import NotEstimable
from abtest.web.api.report import AS_OF, read_day, read_number
from abtest.web.api.serving import Asked, Parameter
from abtest.web.exchange import Reply, json_reply

if TYPE_CHECKING:
    from abtest.services.customers import CustomerReport, VariantCustomers
    from abtest.web.render.serialize import Json

PARAMETERS = (
    Parameter(
        name="acquisition_cost",
        help="what a customer costs, major units; taken off the lifetime value",
        type="number",
    ),
    AS_OF,
)


def get_customers(asked: Asked) -> Reply:
    """Answer with the customers of one experiment."""
    # scipy takes seconds to load; a process that never reports never loads it.
    from abtest.services.customers import describe_customers  # noqa: PLC0415

    report = describe_customers(
        asked.store,
        ExperimentKey(asked.call.args["key"]),
        now=asked.now,
        as_of=read_day(asked),
        acquisition_cost=read_number(asked, "acquisition_cost") or 0.0,
    )
    return json_reply(_report(report))


def _report(report: "CustomerReport") -> "dict[str, Json]":
    return {
        "experiment": report.experiment,
        "as_of": report.as_of.isoformat(),
        "diagnostic": True,
        "window_days": report.window_days,
        "currency": report.currency,
        "alpha": report.alpha,
        "acquisition_cost": report.acquisition_cost,
        "variants": [_variant(v, report.currency) for v in report.variants],
    }


def _variant(variant: "VariantCustomers", currency: str | None) -> "dict[str, Json]":
    from abtest.web.render.serialize import figure_to_json  # noqa: PLC0415

    known: dict[str, Json] = {
        "key": variant.key,
        "name": variant.name,
        "control": variant.is_control,
    }
    figures = variant.figures
    if isinstance(figures, NotEstimable):
        return known | {"not_estimable": figures.reason.value}
    unit = to_major(1, currency)
    return known | {
        "customers": figures.customers,
        "orders": figures.orders,
        "repeat_customer_rate": figure_to_json(figures.repeat_customer_rate),
        "average_order_value": figure_to_json(figures.average_order_value, unit),
        "value_per_customer": figure_to_json(figures.value_per_customer, unit),
        "lifetime_value": figure_to_json(figures.lifetime_value, unit),
    }
