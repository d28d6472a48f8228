"""Everything the page of an experiment's costs shows."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from abtest.domain.experiment import Experiment
from abtest.services.costs import CostReport, VariantCosts
from abtest.stats.results import KeyFigure, NotEstimable
from abtest.web.pages.views.heading import Heading, heading
from abtest.web.pages.views.key_figures import (
    Cell,
    Row,
    Writer,
    common_gap,
    figure_cell,
    figure_chart,
    money,
)
from abtest.web.render.charts.axis import Tick
from abtest.web.render.quantities import span
from abtest.web.render.reader import Reader
from abtest.web.render.words import quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class CostForm:
    """A cost as it was typed, and sentences about wrong fields.

    Attributes:
        id: of the event; the same form sent twice counts once.
    """

    id: str
    day: str
    amount: str = ""
    currency: str
    source: str = ""
    problems: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What a visitor of a variant may cost, and whether that pays."""

    tone: str
    said: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountLine:
    """Money spent on a day or at a source."""

    name: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CostsView:
    """The page.

    Attributes:
        sentences: one for each variant; empty where revenue does not decide.
        no_worth: why nothing can be said of what a visitor is worth.
        charts: what a visitor, and a customer, may cost against what they cost.
        others: costs in other currencies, in a sentence; empty when there are none.
    """

    head: Heading
    amount: str
    per_visitor: str
    visitors: str
    has_costs: bool
    sentences: tuple[Sentence, ...]
    no_worth: str
    charts: tuple[tuple[str, Markup], ...]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    days: tuple[AmountLine, ...]
    sources: tuple[AmountLine, ...]
    others: str
    level: str


def costs_view(reader: Reader, experiment: Experiment, report: CostReport) -> CostsView:
    """Write the page."""
    write = money(reader, report.currency)
    worths = [v.break_even_cost_per_click for v in report.variants]
    gap = (
        common_gap([figure_cell(reader, worth, write) for worth in worths])
        if experiment.is_money
        else reader.gettext(
            "Points decide this experiment, not money; so it cannot be said what a"
            " visitor may cost. What the visitors did cost stands below."
        )
    )
    per_visitor = report.cost_per_visitor
    return CostsView(
        head=heading(reader, experiment, report.as_of),
        amount=write(report.amount),
        per_visitor=(
            "" if isinstance(per_visitor, NotEstimable) else write(per_visitor)
        ),
        visitors=reader.format.integer(report.visitors),
        has_costs=bool(report.days),
        sentences=()
        if gap
        else tuple(_sentence(reader, v, report, write) for v in report.variants),
        no_worth=gap,
        charts=() if gap else _charts(reader, report, write),
        columns=tuple(_name(v) for v in report.variants),
        rows=_rows(reader, report, write, is_money=experiment.is_money),
        days=tuple(
            AmountLine(name=reader.format.day(d.day), amount=write(d.amount))
            for d in reversed(report.days)
        ),
        sources=tuple(
            AmountLine(
                name=s.source or reader.gettext("no source told"),
                amount=write(s.amount),
            )
            for s in report.sources
        ),
        others=_others(reader, report),
        level=reader.format.plain(100 * (1 - report.alpha)),
    )


def _sentence(
    reader: Reader, variant: VariantCosts, report: CostReport, write: Writer
) -> Sentence:
    """Say what a visitor may cost, and what that means at today's cost."""
    worth, name = variant.break_even_cost_per_click, quoted(reader, _name(variant))
    if isinstance(worth, NotEstimable):
        return Sentence(
            tone="quiet",
            said=reader.gettext(
                "What a visitor of {variant} may cost cannot be said yet.", variant=name
            ),
            because=figure_cell(reader, worth, write).gap,
        )
    said = reader.gettext(
        "You may pay up to {amount} per visitor of {variant} ({range}).",
        amount=write(worth.estimate),
        variant=name,
        range=span(reader, worth.interval, write),
    )
    if isinstance(report.cost_per_visitor, NotEstimable):
        return Sentence(tone="quiet", said=said, because="")
    cost = write(report.cost_per_visitor)
    tones = {True: "good", False: "bad", None: "wait"}
    match variant.pays:
        case True:
            because = reader.gettext(
                "A visitor costs {cost}, which is less: every visitor brings more than"
                " they cost.",
                cost=cost,
            )
        case False:
            because = reader.gettext(
                "A visitor costs {cost}, which is more: every visitor costs more than"
                " they bring.",
                cost=cost,
            )
        case None:
            because = reader.gettext(
                "A visitor costs {cost}. That lies within the range, so it is open"
                " whether visitors bring more than they cost.",
                cost=cost,
            )
    return Sentence(tone=tones[variant.pays], said=said, because=because)


def _charts(
    reader: Reader, report: CostReport, write: Writer
) -> tuple[tuple[str, Markup], ...]:
    per_visitor = report.cost_per_visitor
    marker = None
    if not isinstance(per_visitor, NotEstimable):
        words = reader.gettext("cost today: {amount}", amount=write(per_visitor))
        marker = Tick(value=per_visitor, words=words)
    title = reader.gettext("What a visitor may cost at most")
    figures = [(_name(v), v.break_even_cost_per_click) for v in report.variants]
    charts = [
        (
            title,
            figure_chart(
                reader, "per-visitor", figures, write, title=title, marker=marker
            ),
        )
    ]
    customers = [(_name(v), v.highest_acquisition_cost) for v in report.variants]
    if any(isinstance(found, KeyFigure) for _, found in customers):
        title = reader.gettext("What a customer may cost at most")
        chart = figure_chart(reader, "per-customer", customers, write, title=title)
        charts.append((title, chart))
    return tuple(charts)


def _rows(
    reader: Reader, report: CostReport, write: Writer, *, is_money: bool
) -> tuple[Row, ...]:
    say = reader.gettext

    def row(name: str, figures: list[KeyFigure | NotEstimable]) -> Row:
        cells = tuple(figure_cell(reader, figure, write) for figure in figures)
        return Row(name=name, cells=cells)

    variants = report.variants
    known = not isinstance(report.cost_per_visitor, NotEstimable)
    counts = Row(
        name=say("Visitors so far"),
        cells=tuple(Cell(text=reader.format.integer(v.visitors)) for v in variants),
    )
    worth = [
        row(
            say("A visitor may cost (break-even cost per click)"),
            [v.break_even_cost_per_click for v in variants],
        ),
        row(
            say("A customer may cost (highest acquisition cost)"),
            [v.highest_acquisition_cost for v in variants],
        ),
    ]
    if not known:
        return (counts, *worth) if is_money else ()
    share = Row(
        name=say("Share of the costs, by visitors"),
        cells=tuple(Cell(text=write(v.amount)) for v in variants),
    )
    cost = row(say("A customer has cost"), [v.acquisition_cost for v in variants])
    if not is_money:
        return (counts, share, cost)
    return (
        counts,
        share,
        worth[0],
        row(say("Left of it after costs"), [v.margin_per_visitor for v in variants]),
        worth[1],
        cost,
        row(
            say("Revenue per {one} spent (return on ad spend)", one=write(1)),
            [v.return_on_ad_spend for v in variants],
        ),
    )


def _others(reader: Reader, report: CostReport) -> str:
    if not report.other_currencies:
        return ""
    amounts = ", ".join(
        reader.format.money(amount, currency)
        for currency, amount in report.other_currencies
    )
    return reader.gettext(
        "Costs in other currencies cannot be added and are left out: {amounts}.",
        amounts=amounts,
    )


def _name(variant: VariantCosts) -> str:
    return variant.name or str(variant.key)
