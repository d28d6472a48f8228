"""Key figures of the customers that each variant won; diagnostics, never a verdict."""

from dataclasses import dataclass
from datetime import date, datetime

from abtest.domain.experiment import ExperimentKey, VariantKey
from abtest.domain.money import to_minor
from abtest.domain.visitor import day_to_date
from abtest.errors import invalid_field
from abtest.services.analysis import as_of_day
from abtest.stats.moments import Moments
from abtest.stats.results import NotEstimable
from abtest.stats.retention import CustomerFigures, customer_figures
from abtest.store.protocol import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantCustomers:
    """The figures of one variant; money in minor units."""

    key: VariantKey
    name: str
    is_control: bool
    figures: CustomerFigures | NotEstimable


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerReport:
    """The figures of all variants, control first.

    Attributes:
        acquisition_cost: of a customer, major units.
    """

    experiment: ExperimentKey
    as_of: date
    window_days: int
    currency: str | None
    alpha: float
    acquisition_cost: float
    variants: tuple[VariantCustomers, ...]


def describe_customers(
    store: Store,
    key: ExperimentKey,
    *,
    now: datetime,
    as_of: date | None = None,
    acquisition_cost: float = 0.0,
) -> CustomerReport:
    """Describe the customers among visitors followed for the whole window.

    Args:
        now: decides which day was the last complete one.
        as_of: an earlier complete day in the experiment's time zone.
        acquisition_cost: of a customer, major units.

    Raises:
        AbtestError: `not_found`, or `invalid` when `as_of` is not complete yet or the
            cost is no amount of money.
    """
    experiment = store.get_experiment(key)
    if acquisition_cost < 0:
        raise invalid_field(
            "?acquisition_cost",
            "invalid_value",
            f"acquisition_cost is {acquisition_cost:g}; use 0 or more",
        )
    try:
        cost = to_minor(acquisition_cost, experiment.currency)
    except ValueError as error:
        raise invalid_field(
            "?acquisition_cost", "invalid_value", f"acquisition_cost {error}"
        ) from error
    day = as_of_day(experiment, now, as_of)
    moments = store.moments(key)
    return CustomerReport(
        experiment=experiment.key,
        as_of=day_to_date(day),
        window_days=experiment.window_days,
        currency=experiment.currency,
        alpha=experiment.alpha,
        acquisition_cost=acquisition_cost,
        variants=tuple(
            VariantCustomers(
                key=variant.key,
                name=variant.name,
                is_control=variant is experiment.control,
                figures=customer_figures(
                    moments.get(variant.key, Moments()).until(day),
                    window_days=experiment.window_days,
                    as_of=day,
                    alpha=experiment.alpha,
                    acquisition_cost=cost,
                ),
            )
            for variant in experiment.variants
        ),
    )
