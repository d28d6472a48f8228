"""What is wrong with a set-up form: a sentence for each field."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from abtest.errors import FieldError
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark

_FIELDS: Mapping[str, str] = {
    "/first_conversion/step": "first",
    "/second_conversion/step": "second",
    "/second_conversion/ordinal": "ordinal",
    "/second_conversion/min_gap_hours": "gap",
    "/weights/first": "first_points",
    "/weights/second": "second_points",
    "/weights/currency": "currency",
    "/weights/first_margin": "first_margin",
    "/weights/second_margin": "second_margin",
    "/minimum_detectable_effect": "effect",
    "/first_conversion_margin": "margin",
    "/sequential_design": "design",
    "/order_value": "order_mean",
    "/order_value/mean": "order_mean",
    "/order_value/sd": "order_sd",
    "/variants": "variant-0-name",
    "/shares": "variant-0-weight",
    "/funnel": "step-0-name",
    "/method": "method-sequential",
}
"""Fields whose id is not the last part of their pointer."""

_ROW = re.compile(r"/(variants|funnel|shares)/(\d+)(?:/(\w+))?")
_ROWS = {"variants": "variant", "funnel": "step", "shares": "variant"}

_BY_FIELD: Mapping[str, str] = {
    "coverage": mark("Use more than 0 and at most 100 %."),
    "window_days": mark("Use 0 to 730 days."),
    "first_window_days": mark("Use no more days than for the second conversion."),
    "alpha": mark("Use more than 0 and less than 50 %."),
    "power": mark("Use a number between 0 and 100 %, usually 80."),
    "effect": mark("Use a number above 0, for example 10."),
    "margin": mark("Use 0 to below 100 %."),
    "ordinal": mark("Use 2 for the second time, at most 20."),
    "gap": mark("Use 0 to 8,760 hours."),
    "order_cap": mark("Use an amount above 0, and only where money decides."),
    "currency": mark("Name the currency with three capital letters, for example EUR."),
    "time_zone": mark("This time zone is not known; use a name like Europe/Berlin."),
    "visitors_per_day": mark("Say how many visitors come on a day; more than 0."),
    "first_rate": mark("Use more than 0 and less than 100 %."),
    "repeat_rate": mark("Use 0 to 100 %."),
    "order_mean": mark("Say what an order brings on average; more than 0."),
    "order_sd": mark("Use 0 or more."),
    "history": mark(
        "This experiment has too little data to learn from; type the rates instead."
    ),
    "name": mark("Give the experiment a name of at most 200 characters."),
    "hypothesis": mark("Use at most 4,000 characters."),
}
_BY_CODE: Mapping[str, str] = {
    "invalid_key": mark(
        "Use 1 to 64 letters, digits and _ . - and begin with a letter or digit."
    ),
    "duplicate_key": mark("This key stands here twice; give each its own."),
    "too_long": mark("This is too long."),
    "unknown_step": mark("Choose a step of the funnel."),
    "invalid_weight": mark("At least one of these must be above 0."),
    "frozen": mark("This is fixed since the start."),
    "conflict": mark("This key is taken; choose another one."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One line of the summary above a form."""

    field: str
    words: str


def field_of(pointer: str) -> str:
    """Return the id of the field that a pointer of the services means."""
    if row := _ROW.fullmatch(pointer):
        kind, place, name = row.groups()
        return f"{_ROWS[kind]}-{place}-{name or 'weight'}"
    return _FIELDS.get(pointer, pointer.rpartition("/")[2] or "name")


def problems_of(reader: Reader, errors: Sequence[FieldError]) -> dict[str, str]:
    """Return a sentence for each field that something is wrong with.

    The services' own words, in English, are said where none of ours fit.
    """
    found: dict[str, str] = {}
    for error in errors:
        name = field_of(error.pointer)
        ours = _BY_CODE.get(error.code) or _BY_FIELD.get(name)
        found.setdefault(name, reader.gettext(ours) if ours else error.detail)
    return found


def summary(problems: Mapping[str, str]) -> tuple[Problem, ...]:
    """Return the lines of the summary, in the order in which they were found."""
    return tuple(Problem(field=name, words=words) for name, words in problems.items())
