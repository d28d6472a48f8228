"""Everything the page of all traffic shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from markupsafe import Markup

from abtest.domain.experiment import Experiment, ExperimentKey
from abtest.domain.funnel import StepKey
from abtest.errors import AbtestError, ErrorCode
from abtest.stats.results import KeyFigure, NotEstimable
from abtest.store.protocol import Store
from abtest.web.pages.views.key_figures import Cell, Writer, figure_cell, money
from abtest.web.render.charts.steps import TrafficStep, draw_steps
from abtest.web.render.quantities import NOTHING
from abtest.web.render.reader import Reader, reader_of
from abtest.web.render.translate import mark

if TYPE_CHECKING:
    from abtest.services.traffic import FunnelReport, FunnelStage

_PROBLEMS = {
    "from": mark("Please choose a first day that is not after the last one."),
    "to": mark("Please choose a last day that is over."),
    "experiment": mark("There is no such funnel any more; this is another one."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficAsked:
    """What the form says, as it was typed; empty fields mean what is usual."""

    first_day: str = ""
    last_day: str = ""
    experiment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelChoice:
    """A funnel that can be chosen, by an experiment that has it."""

    value: str
    words: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRow:
    """One step of the funnel; shares say of how many."""

    name: str
    persons: str
    of_all: str
    of_all_note: str
    of_previous: str
    of_previous_note: str
    lost: str
    orders: str
    revenue: str
    gain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelPart:
    """What there is to see once somebody came.

    Attributes:
        leak, lever: sentences; empty where there is nothing to say.
        figures: name and cell of what all of it brought.
    """

    leak: str
    lever: str
    is_revenue: bool
    figures: tuple[tuple[str, Cell], ...]
    chart: Markup
    stages: tuple[StageRow, ...]
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficView:
    """The page.

    Attributes:
        choices: funnels; empty while there is no experiment.
        funnel: None while nobody came in the period.
    """

    problems: Mapping[str, str]
    first_day: str
    last_day: str
    period: str
    time_zone: str
    choices: tuple[FunnelChoice, ...]
    funnel: FunnelPart | None


def traffic_view(
    store: Store, asked: TrafficAsked, *, tag: str, now: datetime
) -> TrafficView:
    """Write the page; a task for a calculator.

    Args:
        store: what is read.
        asked: fields that cannot be used are answered with a problem, and the funnel
            is the usual one.
        tag: language of the reader.
        now: decides which day was the last complete one.
    """
    # scipy takes seconds to load and 100 MB: only who calculates loads it.
    from abtest.services.traffic import (  # noqa: PLC0415
        FunnelQuestion,
        describe_funnel,
    )

    reader = reader_of(tag)
    experiments = store.list_experiments()
    if not experiments:
        return TrafficView(
            problems={},
            first_day="",
            last_day="",
            period="",
            time_zone="",
            choices=(),
            funnel=None,
        )
    problems: dict[str, str] = {}

    def complain(field: str) -> None:
        problems[field] = reader.gettext(_PROBLEMS[field])

    def day(field: str, typed: str) -> date | None:
        try:
            return date.fromisoformat(typed) if typed else None
        except ValueError:
            complain(field)
            return None

    first, last = day("from", asked.first_day), day("to", asked.last_day)
    chosen = ExperimentKey(asked.experiment) if asked.experiment else None
    if chosen is not None and all(e.key != chosen for e in experiments):
        complain("experiment")
        chosen = None
    try:
        question = FunnelQuestion(experiment=chosen, first_day=first, last_day=last)
        report = describe_funnel(store, question, now=now)
    except AbtestError as error:
        if error.code is not ErrorCode.INVALID:
            raise
        complain(error.errors[0].pointer.removeprefix("?"))
        report = describe_funnel(store, FunnelQuestion(experiment=chosen), now=now)
    return TrafficView(
        problems=problems,
        first_day=asked.first_day or report.first_day.isoformat(),
        last_day=asked.last_day or report.last_day.isoformat(),
        period=reader.gettext(
            "{lower} to {upper}",
            lower=reader.format.day(report.first_day),
            upper=reader.format.day(report.last_day),
        ),
        time_zone=report.time_zone,
        choices=_choices(experiments, tuple(s.key for s in report.stages)),
        funnel=_funnel(reader, report) if report.visitors else None,
    )


def _choices(
    experiments: Sequence[Experiment], chosen: tuple[StepKey, ...]
) -> tuple[FunnelChoice, ...]:
    """Return each funnel once, by the newest experiment that has it."""
    newest = {experiment.step_keys: experiment for experiment in experiments}
    return tuple(
        FunnelChoice(
            value=str(experiment.key),
            words=" → ".join(step.name or str(step.key) for step in experiment.funnel),
            is_chosen=steps == chosen,
        )
        for steps, experiment in newest.items()
    )


def _funnel(reader: Reader, report: "FunnelReport") -> FunnelPart:
    write = money(reader, report.currency)
    return FunnelPart(
        leak=_leak(reader, report),
        lever=_lever(reader, report),
        is_revenue=report.has_revenue,
        figures=_figures(reader, report, write),
        chart=_chart(reader, report),
        stages=tuple(
            _stage(reader, report, i, write) for i in range(len(report.stages))
        ),
        level=reader.format.plain(100 * (1 - report.alpha)),
    )


def _leak(reader: Reader, report: "FunnelReport") -> str:
    """Say where most are lost."""
    for place, stage in enumerate(report.stages):
        if stage.key == report.biggest_leak:
            return reader.gettext(
                "Most are lost before {step}: {lost} of {whole} do not get there"
                " ({share}).",
                step=_name(reader, stage),
                lost=reader.format.integer(stage.lost),
                whole=_whole(reader, report, place),
                share=_share(reader, stage.drop_off),
            )
    return ""


def _lever(reader: Reader, report: "FunnelReport") -> str:
    """Say which step would help most, were a tenth more to take it."""
    from abtest.services.traffic import IMPROVEMENT  # noqa: PLC0415 - see above

    for place, stage in enumerate(report.stages):
        if stage.key != report.strongest_lever or stage.gain is None:
            continue
        rate = stage.rate_of_previous
        goes_all = isinstance(rate, KeyFigure) and rate.estimate * (1 + IMPROVEMENT) > 1
        if goes_all:
            condition = reader.gettext(
                "If everybody at the step before reached {step}",
                step=_name(reader, stage),
            )
        elif place:
            condition = reader.gettext(
                "If {more} more of those at {before} reached {step}",
                more=reader.format.percent(IMPROVEMENT, digits=0),
                before=_name(reader, report.stages[place - 1]),
                step=_name(reader, stage),
            )
        else:
            condition = reader.gettext(
                "If {more} more of all visitors reached {step}",
                more=reader.format.percent(IMPROVEMENT, digits=0),
                step=_name(reader, stage),
            )
        gain = reader.format.percent(stage.gain, digits=_digits(stage.gain))
        if report.has_revenue:
            return reader.gettext(
                "{condition}, revenue would rise by about {gain}.",
                condition=condition,
                gain=gain,
            )
        return reader.gettext(
            "{condition}, about {gain} more would reach the last step.",
            condition=condition,
            gain=gain,
        )
    return ""


def _figures(
    reader: Reader, report: "FunnelReport", write: Writer
) -> tuple[tuple[str, Cell], ...]:
    say, integer = reader.gettext, reader.format.integer
    counts = ((say("Visitors"), Cell(text=integer(report.visitors))),)
    if not report.orders:
        return counts
    return (
        *counts,
        (say("Buyers"), Cell(text=integer(report.buyers))),
        (say("Orders"), Cell(text=integer(report.orders))),
        (say("Revenue"), Cell(text=write(report.revenue))),
        (
            say("Revenue per visitor"),
            figure_cell(reader, report.revenue_per_visitor, write),
        ),
        (
            say("Average order value"),
            figure_cell(reader, report.average_order_value, write),
        ),
    )


def _chart(reader: Reader, report: "FunnelReport") -> Markup:
    steps = []
    before = 1.0
    for place, stage in enumerate(report.stages):
        share = _estimate(stage.rate_of_first)
        said = reader.gettext(
            "{n}: {share} of all",
            n=reader.format.integer(stage.persons),
            share=_share(reader, stage.rate_of_first),
        )
        if isinstance(stage.rate_of_previous, KeyFigure) and place:
            said = reader.gettext(
                "{said}, {share} of the step before",
                said=said,
                share=_share(reader, stage.rate_of_previous),
            )
        steps.append(
            TrafficStep(
                name=stage.name or str(stage.key),
                words=said,
                share=share,
                before=before,
            )
        )
        before = share
    everybody = TrafficStep(
        name=reader.gettext("Visitors"),
        words=reader.format.integer(report.visitors),
        share=1.0,
        before=1.0,
    )
    return draw_steps(
        "traffic",
        (everybody, *steps),
        title=reader.gettext("Funnel of all traffic"),
        description="; ".join(f"{s.name}: {s.words}" for s in (everybody, *steps)),
    )


def _stage(
    reader: Reader, report: "FunnelReport", place: int, write: Writer
) -> StageRow:
    stage = report.stages[place]
    before = report.stages[place - 1].persons if place else report.visitors
    integer = reader.format.integer
    return StageRow(
        name=stage.name or str(stage.key),
        persons=integer(stage.persons),
        of_all=_share(reader, stage.rate_of_first),
        of_all_note=reader.gettext("of {n}", n=integer(report.visitors)),
        of_previous=_share(reader, stage.rate_of_previous),
        of_previous_note=reader.gettext("of {n}", n=integer(before)),
        lost=integer(stage.lost),
        orders=integer(stage.orders) if stage.orders else "",
        revenue=write(stage.revenue) if stage.orders else "",
        gain=""
        if stage.gain is None
        else reader.format.percent(stage.gain, digits=_digits(stage.gain), signed=True),
    )


def _digits(gain: float) -> int:
    """Leave out a decimal that is zero."""
    return 0 if round(gain, 3) == round(gain, 2) else 1


def _whole(reader: Reader, report: "FunnelReport", place: int) -> str:
    if place == 0:
        return reader.gettext(
            "all {n} visitors", n=reader.format.integer(report.visitors)
        )
    before = report.stages[place - 1]
    return reader.gettext(
        "{n} at {step}",
        n=reader.format.integer(before.persons),
        step=_name(reader, before),
    )


def _name(reader: Reader, stage: "FunnelStage") -> str:
    return reader.gettext("“{name}”", name=stage.name or str(stage.key))


def _share(reader: Reader, figure: KeyFigure | NotEstimable) -> str:
    return (
        NOTHING
        if isinstance(figure, NotEstimable)
        else reader.format.percent(figure.estimate)
    )


def _estimate(figure: KeyFigure | NotEstimable) -> float:
    return 0.0 if isinstance(figure, NotEstimable) else figure.estimate
