"""Key figures of the customers that each variant won; diagnostics, never a verdict."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from abtest.domain.experiment import Experiment, ExperimentKey, VariantKey
from abtest.domain.money import to_minor
from abtest.domain.purchases import CreditedPurchases
from abtest.domain.visitor import day_to_date
from abtest.errors import invalid_field
from abtest.services.report_day import as_of_day
from abtest.stats.moments import Moments
from abtest.stats.results import NotEstimable, Reason
from abtest.stats.retention import (
    CustomerFigures,
    HabitFigures,
    Habits,
    RecurringRevenue,
    customer_figures,
    habit_figures,
)
from abtest.store.protocol import Store

DEFAULT_PERIOD_DAYS = 30
MAX_PERIOD_DAYS = 730
DEFAULT_LOYAL_PURCHASES = 3
MAX_LOYAL_PURCHASES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantCustomers:
    """The figures of one variant; money in minor units.

    Attributes:
        figures: of visitors followed for the whole window.
        loyalty: of all who bought since their exposure, in or after the window.
    """

    key: VariantKey
    name: str
    is_control: bool
    figures: CustomerFigures | NotEstimable
    loyalty: HabitFigures | NotEstimable


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """Two periods of the same length, one right after the other; days inclusive."""

    days: int
    earlier_first: date
    earlier_last: date
    later_first: date
    later_last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerReport:
    """The figures of all variants, control first.

    Attributes:
        acquisition_cost: of a customer, major units.
        periods: who bought in the earlier and again in the later one was retained.
        loyal_purchases: who bought at least so often is loyal.
    """

    experiment: ExperimentKey
    as_of: date
    window_days: int
    currency: str | None
    alpha: float
    acquisition_cost: float
    periods: Periods
    loyal_purchases: int
    variants: tuple[VariantCustomers, ...]


def describe_customers(
    store: Store,
    key: ExperimentKey,
    *,
    now: datetime,
    as_of: date | None = None,
    acquisition_cost: float = 0.0,
    period_days: int = DEFAULT_PERIOD_DAYS,
    loyal_purchases: int = DEFAULT_LOYAL_PURCHASES,
) -> CustomerReport:
    """Describe the customers that each variant won.

    Args:
        now: decides which day was the last complete one.
        as_of: an earlier complete day in the experiment's time zone.
        acquisition_cost: of a customer, major units.
        period_days: length of the periods that retention compares.
        loyal_purchases: purchases that make a customer loyal.

    Raises:
        AbtestError: `not_found`, or `invalid` when `as_of` is not complete yet or one
            of the others is out of bounds.
    """
    experiment = store.get_experiment(key)
    cost = _cost(experiment, acquisition_cost)
    _check("?period_days", period_days, most=MAX_PERIOD_DAYS)
    _check("?loyal_purchases", loyal_purchases, most=MAX_LOYAL_PURCHASES)
    day = as_of_day(experiment, now, as_of)
    moments = {variant: m.until(day) for variant, m in store.moments(key).items()}
    habits = count_habits(
        store.purchases(key),
        as_of=day,
        period_days=period_days,
        loyal_purchases=loyal_purchases,
    )
    return CustomerReport(
        experiment=experiment.key,
        as_of=day_to_date(day),
        window_days=experiment.window_days,
        currency=experiment.currency,
        alpha=experiment.alpha,
        acquisition_cost=acquisition_cost,
        periods=Periods(
            days=period_days,
            earlier_first=day_to_date(day - 2 * period_days + 1),
            earlier_last=day_to_date(day - period_days),
            later_first=day_to_date(day - period_days + 1),
            later_last=day_to_date(day),
        ),
        loyal_purchases=loyal_purchases,
        variants=tuple(
            VariantCustomers(
                key=variant.key,
                name=variant.name,
                is_control=variant is experiment.control,
                figures=customer_figures(
                    moments.get(variant.key, Moments()),
                    window_days=experiment.window_days,
                    as_of=day,
                    alpha=experiment.alpha,
                    acquisition_cost=cost,
                ),
                loyalty=_loyalty(
                    habits.get(variant.key),
                    moments.get(variant.key, Moments()),
                    start=day - period_days + 1,
                    alpha=experiment.alpha,
                ),
            )
            for variant in experiment.variants
        ),
    )


def count_habits(
    customers: Iterable[CreditedPurchases],
    *,
    as_of: int,
    period_days: int,
    loyal_purchases: int,
) -> Mapping[VariantKey, Habits]:
    """Count by variant how customers bought up to the end of a day, in one pass."""
    counts: dict[VariantKey, _Counts] = {}
    for customer in customers:
        bought = [p for p in customer.purchases if p.day <= as_of]
        if not bought:
            continue
        earlier = later = earlier_paid = later_paid = 0
        for purchase in bought:
            periods_ago = (as_of - purchase.day) // period_days
            if periods_ago == 0:
                later += 1
                later_paid += purchase.amount(as_of)
            elif periods_ago == 1:
                earlier += 1
                earlier_paid += purchase.amount(as_of)
        counted = counts.setdefault(customer.variant, _Counts())
        counted.customers += 1
        counted.loyal += len(bought) >= loyal_purchases
        counted.at_end += bool(later)
        counted.new += bool(later and not earlier)
        if earlier:
            lost = max(0, earlier_paid - later_paid)
            counted.at_start += 1
            counted.paid += earlier_paid
            counted.paid_squares += earlier_paid**2
            counted.lost += lost
            counted.lost_squares += lost**2
            counted.product += earlier_paid * lost
    return {variant: counted.habits() for variant, counted in counts.items()}


@dataclass(slots=True)
class _Counts:
    """What `Habits` are counted in."""

    customers: int = 0
    loyal: int = 0
    at_start: int = 0
    at_end: int = 0
    new: int = 0
    paid: int = 0
    paid_squares: int = 0
    lost: int = 0
    lost_squares: int = 0
    product: int = 0

    def habits(self) -> Habits:
        return Habits(
            customers=self.customers,
            loyal=self.loyal,
            at_start=self.at_start,
            at_end=self.at_end,
            new=self.new,
            revenue=RecurringRevenue(
                customers=self.at_start,
                at_start=self.paid,
                at_start_squares=self.paid_squares,
                lost=self.lost,
                lost_squares=self.lost_squares,
                product=self.product,
            ),
        )


def _loyalty(
    habits: Habits | None, moments: Moments, *, start: int, alpha: float
) -> HabitFigures | NotEstimable:
    """Return the figures, once the later period can have customers at its start."""
    if not any(day < start for day in moments.cohorts):
        return NotEstimable(Reason.NOT_MATURE)
    if habits is None:
        return NotEstimable(Reason.NO_CONVERSIONS)
    return habit_figures(habits, alpha=alpha)


def _cost(experiment: Experiment, acquisition_cost: float) -> int:
    """Return the cost of a customer in minor units."""
    if acquisition_cost < 0:
        raise invalid_field(
            "?acquisition_cost",
            "invalid_value",
            f"acquisition_cost is {acquisition_cost:g}; use 0 or more",
        )
    try:
        return to_minor(acquisition_cost, experiment.currency)
    except ValueError as error:
        raise invalid_field(
            "?acquisition_cost", "invalid_value", f"acquisition_cost {error}"
        ) from error


def _check(pointer: str, number: int, *, most: int) -> None:
    if not 1 <= number <= most:
        raise invalid_field(
            pointer,
            "out_of_range",
            f"{pointer[1:]} is {number}; use a whole number from 1 to {most}",
        )
