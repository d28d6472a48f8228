"""Everything the page of an experiment's customers shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from markupsafe import Markup

from abtest.domain.experiment import ExperimentKey
from abtest.domain.money import to_major
from abtest.errors import AbtestError, ErrorCode
from abtest.stats.results import KeyFigure, NotEstimable, Reason
from abtest.store.protocol import Store
from abtest.web.pages.views.heading import Heading, heading
from abtest.web.pages.views.key_figures import (
    Cell,
    Row,
    Writer,
    as_share,
    common_gap,
    figure_cell,
    figure_chart,
    money,
    scaled,
    share,
)
from abtest.web.pages.views.typed_numbers import read_number
from abtest.web.render.reader import Reader, reader_of
from abtest.web.render.translate import mark

if TYPE_CHECKING:
    from abtest.services.customers import CustomerReport, VariantCustomers

_FIGURES = {
    "average_order_value": mark("Average order value"),
    "repeat_customer_rate": mark("Repeat customer rate"),
    "value_per_customer": mark("Value per customer"),
    "lifetime_value": mark("Simple lifetime value"),
    "retention_rate": mark("Retention"),
    "churn_rate": mark("Churn"),
    "revenue_churn": mark("Revenue churn"),
    "loyal_rate": mark("Loyal customers"),
}
_DEFINITIONS = {
    "average_order_value": mark(
        "What an order brings on average: revenue divided by orders."
    ),
    "repeat_customer_rate": mark(
        "How many customers bought again: returning customers divided by customers."
    ),
    "value_per_customer": mark(
        "What a customer has really brought in: revenue divided by customers. Winning a"
        " customer should not cost more."
    ),
    "lifetime_value": mark(
        "A rule of thumb: average order value times repeat customer rate, less what"
        " winning a customer costs ({cost})."
    ),
    "retention_rate": mark(
        "How many customers of the earlier period bought again in the later one:"
        " (customers at the end less new ones) divided by customers at the start."
    ),
    "churn_rate": mark(
        "The other side of retention: customers who did not come back divided by"
        " customers at the start."
    ),
    "revenue_churn": mark(
        "Of the money that customers spent in the earlier period, how much they did not"
        " spend again in the later one."
    ),
    "loyal_rate": mark("How many customers have bought {n} times or more since."),
}
_TOO_YOUNG = mark(
    "The experiment is too young for two periods of this length. Choose fewer days, or"
    " come back later."
)
_IN_WINDOW = (
    "average_order_value",
    "repeat_customer_rate",
    "value_per_customer",
    "lifetime_value",
)
_OVER_PERIODS = ("retention_rate", "churn_rate", "revenue_churn", "loyal_rate")
_MONEY = frozenset({"average_order_value", "value_per_customer", "lifetime_value"})
_PROBLEMS = {
    "period_days": mark("Please use a whole number of days from 1 to {most}."),
    "loyal_purchases": mark("Please use a whole number from 1 to {most}."),
    "acquisition_cost": mark("Please write an amount of money, 0 or more."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomersAsked:
    """What the form says, as it was typed; empty fields mean what is usual."""

    period_days: str = ""
    loyal_purchases: str = ""
    acquisition_cost: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureCard:
    """One key figure of all variants; `gap` says why there is no chart."""

    key: str
    title: str
    definition: str
    chart: Markup
    gap: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureGroup:
    """Figures of the same people; `gap` says why there is none of them."""

    gap: str
    cards: tuple[FigureCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomersView:
    """The page.

    Attributes:
        form: what stands in the fields; `problems` are sentences by field.
        level: how sure the ranges are, as the number before the percent sign.
        columns: names of the variants; `rows` are the same figures as a table.
    """

    head: Heading
    form: CustomersAsked
    problems: Mapping[str, str]
    currency: str
    window: str
    earlier: str
    later: str
    level: str
    in_window: FigureGroup
    over_periods: FigureGroup
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def customers_view(
    store: Store, key: ExperimentKey, asked: CustomersAsked, *, tag: str, now: datetime
) -> CustomersView:
    """Write the page; a task for a calculator.

    Args:
        store: what is read.
        key: of the experiment.
        asked: fields that cannot be read are answered with a problem, and the figures
            are those of what is usual.
        tag: language of the reader.
        now: decides which day was the last complete one.

    Raises:
        AbtestError: `not_found`.
    """
    # scipy takes seconds to load and 100 MB: only who calculates loads it.
    from abtest.services.customers import (  # noqa: PLC0415
        DEFAULT_LOYAL_PURCHASES,
        DEFAULT_PERIOD_DAYS,
        MAX_LOYAL_PURCHASES,
        MAX_PERIOD_DAYS,
        describe_customers,
    )

    reader = reader_of(tag)
    experiment = store.get_experiment(key)
    problems: dict[str, str] = {}
    most = {"period_days": MAX_PERIOD_DAYS, "loyal_purchases": MAX_LOYAL_PURCHASES}

    def complain(field: str) -> None:
        number = reader.format.integer(most.get(field, 0))
        problems[field] = reader.gettext(_PROBLEMS[field], most=number)

    def number(field: str, typed: str, *, usual: float) -> float:
        try:
            found = read_number(typed, reader) if typed else usual
        except ValueError:
            found = -1.0
        limit = most.get(field)
        is_whole = limit is None or (found.is_integer() and 1 <= found <= limit)
        if found >= 0 and is_whole:
            return found
        complain(field)
        return usual

    period = number("period_days", asked.period_days, usual=float(DEFAULT_PERIOD_DAYS))
    loyal = number(
        "loyal_purchases", asked.loyal_purchases, usual=float(DEFAULT_LOYAL_PURCHASES)
    )
    cost = number("acquisition_cost", asked.acquisition_cost, usual=0.0)

    def described(acquisition_cost: float) -> "CustomerReport":
        return describe_customers(
            store,
            key,
            now=now,
            acquisition_cost=acquisition_cost,
            period_days=int(period),
            loyal_purchases=int(loyal),
        )

    try:
        report = described(cost)
    except AbtestError as error:
        # More than any order may be; the other fields were looked at above.
        if error.code is not ErrorCode.INVALID:
            raise
        complain("acquisition_cost")
        report = described(0.0)
    cards = _cards(reader, report)
    periods = report.periods
    return CustomersView(
        head=heading(reader, experiment, report.as_of),
        form=CustomersAsked(
            period_days=asked.period_days or str(DEFAULT_PERIOD_DAYS),
            loyal_purchases=asked.loyal_purchases or str(DEFAULT_LOYAL_PURCHASES),
            acquisition_cost=asked.acquisition_cost,
        ),
        problems=problems,
        currency=report.currency or "",
        window=reader.ngettext("{n} day", "{n} days", report.window_days),
        earlier=_days(reader, periods.earlier_first, periods.earlier_last),
        later=_days(reader, periods.later_first, periods.later_last),
        level=reader.format.plain(100 * (1 - report.alpha)),
        in_window=_group(cards, _IN_WINDOW),
        over_periods=_group(cards, _OVER_PERIODS),
        columns=tuple(_name(v) for v in report.variants),
        rows=(*_counts(reader, report), *_figure_rows(reader, report)),
    )


def _cards(reader: Reader, report: "CustomerReport") -> dict[str, FigureCard]:
    cost = money(reader, report.currency)(report.acquisition_cost)
    times = reader.format.integer(report.loyal_purchases)
    cards = {}
    for name, title in _FIGURES.items():
        write = _writer(reader, report, name)
        figures = [(_name(v), _figure(report, v, name)) for v in report.variants]
        gap = common_gap([figure_cell(reader, f, write) for _, f in figures])
        if gap and name in _OVER_PERIODS and _is_too_young(report):
            gap = reader.gettext(_TOO_YOUNG)
        said = reader.gettext(title)
        cards[name] = FigureCard(
            key=name.replace("_", "-"),
            title=said,
            definition=reader.gettext(_DEFINITIONS[name], cost=cost, n=times),
            gap=gap,
            chart=Markup("")
            if gap
            else figure_chart(
                reader, f"chart-{name.replace('_', '-')}", figures, write, title=said
            ),
        )
    return cards


def _group(cards: Mapping[str, FigureCard], names: Sequence[str]) -> FigureGroup:
    """Say once what holds for all figures of a group."""
    found = tuple(cards[name] for name in names)
    gaps = {card.gap for card in found}
    gap = gaps.pop() if len(gaps) == 1 else ""
    return FigureGroup(gap=gap, cards=found)


def _figure_rows(reader: Reader, report: "CustomerReport") -> list[Row]:
    return [
        Row(
            name=reader.gettext(title),
            cells=tuple(
                figure_cell(
                    reader, _figure(report, v, name), _writer(reader, report, name)
                )
                for v in report.variants
            ),
        )
        for name, title in _FIGURES.items()
    ]


def _counts(reader: Reader, report: "CustomerReport") -> list[Row]:
    """Return the counts that the figures rest on, where there are any."""
    names = (
        ("customers", reader.gettext("Customers followed for the whole window")),
        ("orders", reader.gettext("Their orders")),
        ("at_start", reader.gettext("Customers of the earlier period")),
        ("at_end", reader.gettext("Customers of the later period")),
        ("new", reader.gettext("Of these, new in the later period")),
    )
    return [
        Row(
            name=said,
            cells=tuple(
                Cell(text=reader.format.integer(_count(v, name)))
                for v in report.variants
            ),
        )
        for name, said in names
    ]


def _is_too_young(report: "CustomerReport") -> bool:
    """Tell whether nobody can have bought in the earlier period."""
    immature = NotEstimable(Reason.NOT_MATURE)
    return all(v.loyalty == immature for v in report.variants)


def _count(variant: "VariantCustomers", name: str) -> int:
    match name, variant.figures, variant.loyalty:
        case ("customers" | "orders", NotEstimable(), _):
            return 0
        case ("customers" | "orders", figures, _):
            return int(getattr(figures, name))
        case (_, _, NotEstimable()):
            return 0
        case (_, _, loyalty):
            return int(getattr(loyalty.habits, name))


def _figure(
    report: "CustomerReport", variant: "VariantCustomers", name: str
) -> KeyFigure | NotEstimable:
    """Return a figure; money in major units."""
    source = variant.figures if name in _IN_WINDOW else variant.loyalty
    if isinstance(source, NotEstimable):
        return source
    found: KeyFigure | NotEstimable = getattr(source, name)
    if name in _MONEY:
        return scaled(found, to_major(1, report.currency))
    return as_share(found)


def _writer(reader: Reader, report: "CustomerReport", name: str) -> Writer:
    return money(reader, report.currency) if name in _MONEY else share(reader)


def _name(variant: "VariantCustomers") -> str:
    return variant.name or str(variant.key)


def _days(reader: Reader, first: date, last: date) -> str:
    return reader.gettext(
        "{lower} to {upper}",
        lower=reader.format.day(first),
        upper=reader.format.day(last),
    )
