"""Which column of a file means what: the fields, their columns and translations."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from abtest.domain.experiment import Experiment
from abtest.errors import AbtestError, ErrorCode

ROW_NUMBER = "#row"
"""Stands for a column: the number of the row, where a file names nobody."""

LOG_FIELDS = (
    "visitor", "customer", "at", "type", "variant", "step", "value", "currency",
    "order", "event", "attribute:NAME", "step:STEP", "at:STEP", "value:STEP",
)  # fmt: skip
DAILY_FIELDS = ("day", "variant", "exposures", "step:STEP")

_OF_A_STEP = ("step", "at", "value")
_ATTRIBUTE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_LONGEST_DELAY = 730


class Shape(StrEnum):
    """What one row of a file is."""

    EVENT = "event"
    VISITOR = "visitor"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """What the user said about the columns.

    Attributes:
        columns: field -> column of the file, or `ROW_NUMBER`.
        constants: field -> the same text for every row.
        translations: (field, text in the file) -> text that is meant.
        delays: step -> days after the exposure at which its conversions are placed.
    """

    shape: Shape
    columns: Mapping[str, str]
    constants: Mapping[str, str]
    translations: Mapping[tuple[str, str], str]
    delays: Mapping[str, int]

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns that must be read, each once."""
        names = (c for c in self.columns.values() if c != ROW_NUMBER)
        return tuple(dict.fromkeys(names))

    def has(self, field: str) -> bool:
        """Tell whether the field has a column or a constant."""
        return field in self.columns or field in self.constants

    def names(self, prefix: str) -> tuple[str, ...]:
        """Return what stands after `prefix:` in the fields, in the order given."""
        given = (f.partition(":") for f in (*self.columns, *self.constants))
        return tuple(rest for name, _, rest in given if rest and name == prefix)


def parse_mapping(
    *,
    columns: Iterable[str],
    constants: Iterable[str],
    translations: Iterable[str],
    delays: Iterable[str],
    by_day: bool,
) -> ColumnMapping:
    """Read `FIELD=COLUMN`, `FIELD=VALUE`, `FIELD:FROM=TO` and `STEP=DAYS`.

    Raises:
        AbtestError: `invalid`, naming what was given and what is possible.
    """
    mapping = ColumnMapping(
        shape=Shape.DAY,
        columns=_pairs("--map", "FIELD=COLUMN", columns),
        constants=_pairs("--set", "FIELD=VALUE", constants),
        translations=dict(_translation(text) for text in translations),
        delays=_delays(delays),
    )
    for field in (*mapping.columns, *mapping.constants):
        _check_field(field, by_day=by_day)
    if twice := mapping.columns.keys() & mapping.constants.keys():
        raise _bad(f"{min(twice)} is given by --map and by --set; choose one")
    if by_day:
        return mapping
    shape = Shape.EVENT if mapping.has("type") else Shape.VISITOR
    return ColumnMapping(
        shape=shape,
        columns=mapping.columns,
        constants=mapping.constants,
        translations=mapping.translations,
        delays=mapping.delays,
    )


def check_mapping(mapping: ColumnMapping, experiment: Experiment) -> None:
    """Check that the mapping is complete and fits the experiment.

    Raises:
        AbtestError: `invalid`, saying what is missing or unknown.
    """
    match mapping.shape:
        case Shape.DAY:
            _require(mapping, "day", "variant", "exposures")
            if not mapping.names("step"):
                raise _bad("no conversions are mapped; add --map step:STEP=COLUMN")
        case Shape.EVENT:
            _require(mapping, "at")
            if not (mapping.has("visitor") or mapping.has("customer")):
                raise _bad("nobody is named; add --map visitor=COLUMN")
            for prefix in _OF_A_STEP:
                for step in mapping.names(prefix):
                    raise _bad(
                        f"{prefix}:{step} is for files with one row per visitor; with"
                        " one row per event map type, step and value"
                    )
        case Shape.VISITOR:
            if not mapping.has("variant"):
                raise _bad(
                    "what is a row? For one row per event add --map type=COLUMN or"
                    " --set type=conversion:STEP; for one row per visitor add --map"
                    " variant=COLUMN"
                )
            _require(mapping, "visitor", "at")
    _check_steps(mapping, experiment)
    if experiment.currency is None and any(
        mapping.has(f)
        for f in ("value", *(f"value:{s}" for s in mapping.names("value")))
    ):
        raise _bad(
            f"{experiment.key} has no currency, so values mean nothing to it; leave"
            " value out, or give the experiment a currency in its weights"
        )


def _check_steps(mapping: ColumnMapping, experiment: Experiment) -> None:
    known = ", ".join(experiment.step_keys)
    dated = {*mapping.names("step"), *mapping.names("at")}
    for prefix in _OF_A_STEP:
        for step in mapping.names(prefix):
            if step not in experiment.step_keys:
                raise _bad(
                    f"{prefix}:{step} names a step that {experiment.key} does not"
                    f" have; its steps are {known}"
                )
            if prefix == "value" and step not in dated:
                raise _bad(f"value:{step} needs --map step:{step}=COLUMN beside it")
            if prefix == "step" and mapping.has(f"at:{step}"):
                raise _bad(f"give step:{step} or at:{step}, not both")
    for step in mapping.delays:
        if step not in mapping.names("step"):
            raise _bad(f"--delay {step} needs --map step:{step}=COLUMN beside it")


def _require(mapping: ColumnMapping, *fields: str) -> None:
    missing = [field for field in fields if not mapping.has(field)]
    if missing:
        raise _bad(f"{missing[0]} is missing; add --map {missing[0]}=COLUMN or --set")


def _check_field(field: str, *, by_day: bool) -> None:
    known = DAILY_FIELDS if by_day else LOG_FIELDS
    name, colon, rest = field.partition(":")
    if f"{name}:STEP" in known and rest:
        return
    if f"{name}:NAME" in known and rest:
        if _ATTRIBUTE.fullmatch(rest):
            return
        raise _bad(f"attribute {rest!r} may have letters, digits and . _ - only")
    if colon or field not in known:
        kind = "file with one row per day" if by_day else "file"
        raise _bad(f"{field!r} is no field of a {kind}; fields are {', '.join(known)}")


def _pairs(option: str, form: str, given: Iterable[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        field, equals, value = text.partition("=")
        if not (equals and field.strip() and value.strip()):
            raise _bad(f"{option} is {text!r}; write {option} {form}")
        if field.strip() in pairs:
            raise _bad(f"{option} gives {field.strip()} twice")
        pairs[field.strip()] = value.strip()
    return pairs


def _translation(text: str) -> tuple[tuple[str, str], str]:
    field, colon, rest = text.partition(":")
    # The last "=" parts: what stands in a file may hold one, a key of ours may not.
    source, equals, target = rest.rpartition("=")
    if not (field and colon and equals and target.strip()):
        raise _bad(f"--translate is {text!r}; write --translate FIELD:FROM=TO")
    if field not in {"variant", "type", "step", "currency"}:
        raise _bad(
            f"--translate cannot change {field!r}; it changes variant, type, step"
            " and currency"
        )
    return (field, source.strip()), target.strip()


def _delays(given: Iterable[str]) -> dict[str, int]:
    delays: dict[str, int] = {}
    for step, days in _pairs("--delay", "STEP=DAYS", given).items():
        if not days.isdecimal() or int(days) > _LONGEST_DELAY:
            raise _bad(f"--delay {step}={days}: give whole days, 0 to {_LONGEST_DELAY}")
        delays[step] = int(days)
    return delays


def _bad(detail: str) -> AbtestError:
    return AbtestError(ErrorCode.INVALID, detail)
