"""GET /api/v1/experiments/{key}/timeseries: how the experiment went, day by day."""

from datetime import date, datetime
from typing import TYPE_CHECKING

from abtest.domain.experiment import ExperimentKey
from abtest.store.protocol import Store
from abtest.web.api.by_day import reply_for_day
from abtest.web.api.report import AS_OF
from abtest.web.api.serving import Asked
from abtest.web.exchange import Reply
from abtest.web.render.result_json import (
    Json,
    estimate_to_json,
    frequentist_to_json,
    interval_to_json,
)

if TYPE_CHECKING:
    from abtest.services.timeline import EffectLine, Timeline, VariantLine

PARAMETERS = (AS_OF,)


def get_timeseries(asked: Asked) -> Reply:
    """Answer with the days of one experiment."""
    return reply_for_day(asked, describe_days)


def describe_days(
    store: Store, key: ExperimentKey, *, now: datetime, as_of: date | None
) -> dict[str, Json]:
    """Write the days of one experiment as JSON; a task for a calculator."""
    # scipy takes seconds to load and 100 MB: only who calculates loads it.
    from abtest.services.timeline import timeline  # noqa: PLC0415

    return _report(timeline(store, key, now=now, as_of=as_of))


def _report(report: "Timeline") -> dict[str, Json]:
    return {
        "experiment": report.experiment,
        "as_of": report.as_of.isoformat(),
        "method": report.method.value,
        "alpha": report.alpha,
        "currency": report.currency,
        "first_look": _day(report.first_look),
        "planned_end": _day(report.planned_end),
        "decided_on": _day(report.decided_on),
        "marks": [
            {"day": mark.day.isoformat(), "kind": mark.kind.value}
            for mark in report.marks
        ],
        "exposures": [
            {"day": one.day.isoformat(), "visitors": list(one.visitors)}
            for one in report.exposures
        ],
        "variants": [_variant(line) for line in report.variants],
        "comparisons": [_effect(line) for line in report.effects],
    }


def _variant(line: "VariantLine") -> dict[str, Json]:
    return {
        "key": line.variant,
        "name": line.name,
        "points": [
            {
                "day": point.day.isoformat(),
                "visitors": point.visitors,
                "first": estimate_to_json("rate", point.first),
                "second": estimate_to_json("rate", point.second),
                "value": estimate_to_json("per_visitor", point.value),
            }
            for point in line.points
        ],
    }


def _effect(line: "EffectLine") -> dict[str, Json]:
    return {
        "variant": line.variant,
        "control": line.control,
        "points": [
            {
                "day": point.day.isoformat(),
                "value": frequentist_to_json(point.test),
                "looked": interval_to_json(point.looked),
                "is_final": point.is_final,
            }
            for point in line.points
        ],
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
