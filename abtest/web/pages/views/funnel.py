"""The funnel of each variant, as counted so far."""

from dataclasses import dataclass

from markupsafe import Markup

from abtest.domain.funnel import LaterStep, Repeat
from abtest.services.report import ExperimentReport
from abtest.web.pages.views.figures import Figure, RatioFigure
from abtest.web.render.charts.funnel import FunnelBar, FunnelStage, draw_funnel
from abtest.web.render.format import decimals
from abtest.web.render.reader import Reader
from abtest.web.render.words import second_name


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelCell:
    """A count with its share of all visitors, and of those of an earlier step.

    Attributes:
        all_words, base_words: the denominators: "of 4,211", "of 391: sign-up".
    """

    name: str
    count: Figure
    of_all: RatioFigure | None
    all_words: str
    of_base: RatioFigure | None
    base_words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelRow:
    """One step, with a cell for each variant."""

    name: str
    note: str
    cells: tuple[FunnelCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelView:
    """The chart and the table that says the same."""

    chart: Markup
    rows: tuple[FunnelRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """One step with the places of its counts in the report.

    Attributes:
        base: the stage whose visitors could go on to this one; None for the visitors.
    """

    name: str
    note: str
    counts: tuple[int, ...]
    paths: tuple[str, ...]
    base: "_Stage | None"


def funnel_view(reader: Reader, report: ExperimentReport) -> FunnelView | None:
    """Describe the funnel; None before the first visitor."""
    stages = _stages(reader, report)
    visitors = stages[0]
    if not any(visitors.counts):
        return None
    names = tuple(v.name or str(v.key) for v in report.variants)
    rows = tuple(_row(reader, names, stage, visitors) for stage in stages)
    return FunnelView(
        chart=draw_funnel(
            "funnel-chart",
            tuple(
                _drawn(names, visitors, stage, row)
                for stage, row in zip(stages, rows, strict=True)
            ),
            title=reader.gettext("Funnel"),
            description=_description(names, rows),
        ),
        rows=rows,
    )


def _stages(reader: Reader, report: ExperimentReport) -> list[_Stage]:
    """Return the visitors, the funnel's steps, and a repeated step at the end."""
    variants = report.variants
    stages = [
        _Stage(
            name=reader.gettext("Visitors"),
            note="",
            counts=tuple(v.visitors for v in variants),
            paths=_paths(report, "visitors"),
            base=None,
        )
    ]
    first: _Stage | None = None
    for number, step in enumerate(variants[0].steps):
        name = step.name or str(step.key)
        if step.key == report.first_step:
            first = _first_stage(reader, report, name, stages[-1])
            stages.append(first)
        elif report.second == LaterStep(step=step.key):
            stages.append(_second_stage(reader, report, name, first or stages[-1]))
        else:
            counts = tuple(v.steps[number].visitors for v in variants)
            stages.append(
                _Stage(
                    name=name,
                    note="",
                    counts=counts,
                    paths=_paths(report, f"steps.{number}.visitors"),
                    base=stages[-1],
                )
            )
    if isinstance(report.second, Repeat):
        name = second_name(reader, report)
        stages.append(_second_stage(reader, report, name, first or stages[-1]))
    return stages


def _paths(report: ExperimentReport, end: str) -> tuple[str, ...]:
    return tuple(f"variants.{i}.{end}" for i in range(len(report.variants)))


def _first_stage(
    reader: Reader, report: ExperimentReport, name: str, base: _Stage
) -> _Stage:
    return _Stage(
        name=name,
        note=reader.gettext("first conversion"),
        counts=tuple(v.first.observed for v in report.variants),
        paths=_paths(report, "first.observed"),
        base=base,
    )


def _second_stage(
    reader: Reader, report: ExperimentReport, name: str, base: _Stage
) -> _Stage:
    return _Stage(
        name=name,
        note=reader.gettext("second conversion"),
        counts=tuple(v.second.observed for v in report.variants),
        paths=_paths(report, "second.observed"),
        base=base,
    )


def _row(
    reader: Reader, names: tuple[str, ...], stage: _Stage, visitors: _Stage
) -> FunnelRow:
    base = None if stage.base is visitors else stage.base
    return FunnelRow(
        name=stage.name,
        note=stage.note,
        cells=tuple(
            FunnelCell(
                name=name,
                count=Figure(
                    reader.format.integer(stage.counts[i]),
                    stage.paths[i],
                    stage.counts[i],
                ),
                of_all=_ratio(reader, stage, stage.base and visitors, i),
                all_words=_of(reader, visitors, i),
                of_base=_ratio(reader, stage, base, i),
                base_words="" if base is None else _of_step(reader, base, i),
            )
            for i, name in enumerate(names)
        ),
    )


def _of(reader: Reader, whole: _Stage, i: int) -> str:
    return reader.gettext("of {n}", n=reader.format.integer(whole.counts[i]))


def _of_step(reader: Reader, whole: _Stage, i: int) -> str:
    return reader.gettext(
        "of {n}: {step}", n=reader.format.integer(whole.counts[i]), step=whole.name
    )


def _ratio(
    reader: Reader, part: _Stage, whole: _Stage | None, i: int
) -> RatioFigure | None:
    if whole is None or not whole.counts[i]:
        return None
    share = part.counts[i] / whole.counts[i]
    digits = min(2, max(1, decimals([100 * share])))
    return RatioFigure(
        reader.format.percent(share, digits=digits), part.paths[i], whole.paths[i]
    )


def _drawn(
    names: tuple[str, ...], visitors: _Stage, stage: _Stage, row: FunnelRow
) -> FunnelStage:
    return FunnelStage(
        name=stage.name,
        note=stage.note,
        bars=tuple(
            FunnelBar(
                label=name,
                words=_words(cell),
                share=count / everybody if everybody else 0.0,
            )
            for name, cell, count, everybody in zip(
                names, row.cells, stage.counts, visitors.counts, strict=True
            )
        ),
    )


def _words(cell: FunnelCell) -> str:
    return " · ".join(
        part.text for part in (cell.count, cell.of_all) if part is not None
    )


def _description(names: tuple[str, ...], rows: tuple[FunnelRow, ...]) -> str:
    return "; ".join(
        f"{row.name}: "
        + ", ".join(
            f"{name} {_words(cell)}"
            for name, cell in zip(names, row.cells, strict=True)
        )
        for row in rows
    )
