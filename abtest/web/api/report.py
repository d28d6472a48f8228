"""GET /api/v1/experiments/{key}/report: what came out."""

import math
from datetime import date

from abtest.domain.experiment import ExperimentKey
from abtest.errors import invalid_field
from abtest.services.checks import shown
from abtest.services.report import Segment
from abtest.services.reporting import Question
from abtest.web.api.serving import Asked, Parameter
from abtest.web.exchange import Reply, json_reply
from abtest.web.render.serialize import report_to_json

LANGUAGES = ("de", "en")

AS_OF = Parameter(
    name="as_of", help="last day that counts, YYYY-MM-DD; usually yesterday"
)
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
    Parameter(
        name="lift_prior",
        help="standard deviation of a sceptical prior on every lift, say 0.3",
        type="number",
    ),
    AS_OF,
    Parameter(
        name="segment",
        help="attribute:value; these visitors alone, an exploration",
    ),
    Parameter(name="lang", help="language of the sentences: de or en"),
)


def get_report(asked: Asked) -> Reply:
    """Answer with the report of one experiment."""
    question = Question(
        experiment=ExperimentKey(asked.call.args["key"]),
        as_of=read_day(asked),
        first_weight=read_number(asked, "first_weight"),
        second_weight=read_number(asked, "second_weight"),
        lift_prior=_read_prior(asked),
        segment=_read_segment(asked),
    )
    report = asked.desk.report(question, now=asked.now)
    return json_reply(report_to_json(report, read_language(asked)))


def _read_segment(asked: Asked) -> Segment | None:
    """Return whom the report shall be limited to."""
    text = asked.query.get("segment")
    if text is None:
        return None
    attribute, colon, value = text.partition(":")
    if not (attribute and colon):
        raise invalid_field(
            "?segment",
            "invalid_value",
            f"segment is {shown(text)}; write it as attribute:value, device:mobile",
        )
    return Segment(attribute=attribute, value=value)


def _read_prior(asked: Asked) -> float | None:
    """Return the standard deviation of the prior on the lift."""
    deviation = read_number(asked, "lift_prior")
    if deviation is not None and deviation <= 0:
        raise invalid_field(
            "?lift_prior",
            "invalid_value",
            f"lift_prior is {deviation:g}; use a positive standard deviation like 0.3",
        )
    return deviation


def read_number(asked: Asked, name: str) -> float | None:
    """Return a number of the address."""
    text = asked.query.get(name)
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) <= 1e9:
        raise invalid_field(
            f"?{name}",
            "invalid_value",
            f"{name} is {shown(text)}; use a number like 2.5",
        )
    return number


def read_whole(asked: Asked, name: str) -> int | None:
    """Return a whole number of the address."""
    number = read_number(asked, name)
    if number is None:
        return None
    if number != int(number):
        raise invalid_field(
            f"?{name}",
            "invalid_value",
            f"{name} is {number:g}; use a whole number like 30",
        )
    return int(number)


def read_day(asked: Asked, name: str = "as_of") -> date | None:
    """Return a day of the address; usually the last day that shall count."""
    text = asked.query.get(name)
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise invalid_field(
            f"?{name}",
            "invalid_day",
            f"{name} is {shown(text)}; write it as 2026-01-31",
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
