"""GET /api/v1/experiments/{key}/segments: effects within groups of visitors."""

from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING

from abtest.domain.experiment import ExperimentKey
from abtest.services.calculating import calculate
from abtest.store.protocol import Store
from abtest.web.api.report import AS_OF, read_day
from abtest.web.api.serving import Asked, Parameter
from abtest.web.exchange import Reply, json_reply
from abtest.web.render.result_json import Json, estimate_to_json, frequentist_to_json

if TYPE_CHECKING:
    from abtest.services.segments import Segment, SegmentReport

PARAMETERS = (
    Parameter(
        name="attribute",
        help="of the first exposure, say device; without it the names are told",
    ),
    AS_OF,
)


def get_segments(asked: Asked) -> Reply:
    """Answer with the segments of one experiment by one attribute."""
    key = ExperimentKey(asked.call.args["key"])
    attribute = asked.query.get("attribute")
    known: dict[str, Json] = {
        "experiment": key,
        "exploratory": True,
        "attributes": list(asked.store.segment_attributes(key)),
    }
    if attribute is None:
        return json_reply(known | {"attribute": None, "segments": []})
    task = partial(
        _describe, key=key, attribute=attribute, now=asked.now, as_of=read_day(asked)
    )
    return json_reply(known | calculate(asked.calculator, task))


def _describe(
    store: Store,
    key: ExperimentKey,
    attribute: str,
    *,
    now: datetime,
    as_of: date | None,
) -> dict[str, Json]:
    # scipy takes seconds to load and 100 MB: only who calculates loads it.
    from abtest.services.segments import segments  # noqa: PLC0415

    return _report(segments(store, key, attribute, now=now, as_of=as_of))


def _report(report: "SegmentReport") -> dict[str, Json]:
    return {
        "attribute": report.attribute,
        "as_of": report.as_of.isoformat(),
        "currency": report.currency,
        "tests": report.tests,
        "segments": [_segment(segment) for segment in report.segments],
    }


def _segment(segment: "Segment") -> dict[str, Json]:
    return {
        "value": None if segment.is_other else segment.name,
        "other": segment.is_other,
        "visitors": list(segment.visitors),
        "first": list(segment.first),
        "second": list(segment.second),
        "values": [estimate_to_json("per_visitor", v) for v in segment.values],
        "comparisons": [
            {
                "variant": effect.variant,
                "control": effect.control,
                "value": frequentist_to_json(effect.test),
            }
            for effect in segment.effects
        ],
    }
