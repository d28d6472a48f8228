"""GET /api/v1/funnel: what all visitors did, in experiments or not."""

from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING

from abtest.domain.experiment import ExperimentKey
from abtest.services.calculating import calculate
from abtest.store.protocol import Store
from abtest.web.api.report import read_day
from abtest.web.api.serving import Asked, Parameter
from abtest.web.exchange import Reply, json_reply
from abtest.web.render.result_json import Json
from abtest.web.render.serialize import figure_to_json

if TYPE_CHECKING:
    from abtest.services.traffic import FunnelReport, FunnelStage

PARAMETERS = (
    Parameter(name="from", help="first day, YYYY-MM-DD; usually 29 days before `to`"),
    Parameter(name="to", help="last day, YYYY-MM-DD; usually yesterday"),
    Parameter(name="steps", help="steps in order, with commas"),
    Parameter(
        name="experiment",
        help="take this one's steps; usually those that most experiments have",
    ),
)


def get_funnel(asked: Asked) -> Reply:
    """Answer with the funnel of all traffic."""
    steps, experiment = asked.query.get("steps"), asked.query.get("experiment")
    task = partial(
        _describe,
        steps=None if steps is None else tuple(filter(None, steps.split(","))),
        experiment=None if experiment is None else ExperimentKey(experiment),
        first_day=read_day(asked, "from"),
        last_day=read_day(asked, "to"),
        now=asked.now,
    )
    return json_reply(calculate(asked.calculator, task))


def _describe(
    store: Store,
    *,
    steps: tuple[str, ...] | None,
    experiment: ExperimentKey | None,
    first_day: date | None,
    last_day: date | None,
    now: datetime,
) -> dict[str, Json]:
    # scipy takes seconds to load and 100 MB: only who calculates loads it.
    from abtest.services.traffic import (  # noqa: PLC0415
        FunnelQuestion,
        describe_funnel,
    )

    question = FunnelQuestion(
        steps=steps, experiment=experiment, first_day=first_day, last_day=last_day
    )
    return _report(describe_funnel(store, question, now=now))


def _report(report: "FunnelReport") -> dict[str, Json]:
    return {
        "from": report.first_day.isoformat(),
        "to": report.last_day.isoformat(),
        "time_zone": report.time_zone,
        "currency": report.currency,
        "alpha": report.alpha,
        "visitors": report.visitors,
        "steps": [_stage(stage) for stage in report.stages],
        "biggest_leak": report.biggest_leak,
        "strongest_lever": report.strongest_lever,
        "gain_of": "revenue" if report.has_revenue else "last_step",
        "buyers": report.buyers,
        "orders": report.orders,
        "revenue": report.revenue,
        "revenue_per_visitor": figure_to_json(report.revenue_per_visitor),
        "average_order_value": figure_to_json(report.average_order_value),
    }


def _stage(stage: "FunnelStage") -> dict[str, Json]:
    return {
        "step": stage.key,
        "name": stage.name,
        "kind": stage.kind,
        "persons": stage.persons,
        "lost": stage.lost,
        "rate_of_previous": figure_to_json(stage.rate_of_previous),
        "rate_of_first": figure_to_json(stage.rate_of_first),
        "drop_off": figure_to_json(stage.drop_off),
        "orders": stage.orders,
        "revenue": stage.revenue,
        "gain_if_a_tenth_better": stage.gain,
    }
