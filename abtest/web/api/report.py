"""GET /api/v1/experiments/{key}/report: what came out."""

import math
from datetime import date

from abtest.domain.experiment import ExperimentKey
from abtest.errors import invalid_field
from abtest.services.checks import shown
from abtest.web.api.serving import Asked, Parameter
from abtest.web.exchange import Reply, json_reply

LANGUAGES = ("de", "en")

PARAMETERS = (
    Parameter(
        name="first_weight",
        help="worth of a first conversion to try out",
        type="number",
    ),
    Parameter(
        name="second_weight",
        help="worth of a second conversion to try out",
        type="number",
    ),
    Parameter(name="as_of", help="last day that counts, YYYY-MM-DD; usually yesterday"),
    Parameter(name="lang", help="language of the sentences: de or en"),
)


def get_report(asked: Asked) -> Reply:
    """Answer with the report of one experiment."""
    # scipy takes seconds to load; a process that never reports never loads it.
    from abtest.services.analysis import analyze  # noqa: PLC0415
    from abtest.web.render.serialize import report_to_json  # noqa: PLC0415

    report = analyze(
        asked.store,
        ExperimentKey(asked.call.args["key"]),
        now=asked.now,
        as_of=_day(asked),
        first_weight=_weight(asked, "first_weight"),
        second_weight=_weight(asked, "second_weight"),
    )
    return json_reply(report_to_json(report, read_language(asked)))


def _weight(asked: Asked, name: str) -> float | None:
    text = asked.query.get(name)
    if text is None:
        return None
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not abs(weight) <= 1e9:
        raise invalid_field(
            f"?{name}",
            "invalid_value",
            f"{name} is {shown(text)}; use a number like 2.5",
        )
    return weight


def _day(asked: Asked) -> date | None:
    text = asked.query.get("as_of")
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise invalid_field(
            "?as_of", "invalid_day", f"as_of is {shown(text)}; write it as 2026-01-31"
        )
    return day


def read_language(asked: Asked) -> str:
    """Return the language the caller wants sentences in."""
    language = asked.query.get("lang", asked.language)
    if language not in LANGUAGES:
        raise invalid_field(
            "?lang", "invalid_choice", f"lang is {shown(language)}; use de or en"
        )
    return language
