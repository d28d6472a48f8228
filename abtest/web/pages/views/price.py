"""What a visitor and a customer may cost, by variant, where revenue is known."""

from dataclasses import dataclass

from abtest.services.report import ExperimentReport
from abtest.stats.results import KeyFigure, NotEstimable, Reason
from abtest.web.pages.views.figures import Figure, Shown, ends
from abtest.web.render.quantities import span
from abtest.web.render.reader import Reader
from abtest.web.render.words import reason_sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceCell:
    """A figure with its range, or why there is none."""

    text: Shown
    span: Shown = ""
    is_gap: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """One variant."""

    name: str
    click: PriceCell
    customer: PriceCell


def price_rows(reader: Reader, report: ExperimentReport) -> tuple[PriceRow, ...]:
    """Describe the figures of all variants; none where there is no revenue."""
    figures = [
        figure
        for variant in report.variants
        for figure in (
            variant.break_even_cost_per_click,
            variant.highest_acquisition_cost,
        )
    ]
    if all(f == NotEstimable(Reason.NO_REVENUE) for f in figures):
        return ()
    return tuple(
        PriceRow(
            name=variant.name or str(variant.key),
            click=_cell(
                reader,
                report,
                variant.break_even_cost_per_click,
                path=f"variants.{i}.break_even_cost_per_click",
            ),
            customer=_cell(
                reader,
                report,
                variant.highest_acquisition_cost,
                path=f"variants.{i}.highest_acquisition_cost",
            ),
        )
        for i, variant in enumerate(report.variants)
    )


def _cell(
    reader: Reader,
    report: ExperimentReport,
    figure: KeyFigure | NotEstimable,
    *,
    path: str,
) -> PriceCell:
    if isinstance(figure, NotEstimable):
        return PriceCell(text=reason_sentence(figure, reader.tag), is_gap=True)
    currency = report.currency

    def write(amount: float) -> str:
        if currency is None:
            return reader.format.number(amount, digits=2)
        return reader.format.money(amount, currency)

    return PriceCell(
        text=Figure(write(figure.estimate), f"{path}.estimate", figure.estimate),
        span=Figure(
            span(reader, figure.interval, write),
            f"{path}.confidence_interval",
            ends(figure.interval),
        ),
    )
