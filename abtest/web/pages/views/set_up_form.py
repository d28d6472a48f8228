"""The set-up form as it was typed: texts, rows, and what its buttons do to them."""

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Protocol

from abtest.domain.experiment import Experiment
from abtest.domain.funnel import CountWeights, LaterStep, MoneyWeights, Repeat, StepKind
from abtest.domain.money import to_major
from abtest.services.set_up_notes import SetUpNotes
from abtest.web.pages.views.typed_numbers import write_number, write_percent
from abtest.web.render.reader import Reader

AGAIN = "again"
"""Choice of a second conversion at the step of the first."""

POINTS, MONEY = "points", "money"

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_LONGEST_KEY = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantRow:
    """A variant as typed."""

    key: str = ""
    name: str = ""
    weight: str = "1"
    payload: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """A step of the funnel as typed."""

    key: str = ""
    name: str = ""
    kind: str = StepKind.CUSTOM.value


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUpForm:
    """Everything as typed; numbers as their reader writes them, shares in percent.

    Attributes:
        version: of the stored experiment that the form was made from.
        first: place of the first conversion's step in `steps`.
        second: place of a later step, or `AGAIN`.
        first_profit, second_profit, later_share, later_profit: for working out what a
            second conversion is worth; not stored.
    """

    version: str = ""
    name: str = ""
    key: str = ""
    hypothesis: str = ""
    page_url: str = ""
    variants: tuple[VariantRow, ...] = ()
    coverage: str = "100"
    steps: tuple[StepRow, ...] = ()
    first: str = "0"
    second: str = AGAIN
    ordinal: str = "2"
    gap: str = "0"
    window_days: str = "60"
    first_window_days: str = ""
    worth: str = POINTS
    first_points: str = "1"
    second_points: str = "1"
    currency: str = ""
    first_margin: str = "100"
    second_margin: str = "100"
    first_profit: str = ""
    second_profit: str = ""
    later_share: str = ""
    later_profit: str = ""
    visitors_per_day: str = ""
    history: str = ""
    first_rate: str = ""
    repeat_rate: str = ""
    order_mean: str = ""
    order_sd: str = ""
    effect: str = "10"
    method: str = "sequential"
    design: str = "group_sequential"
    alpha: str = "5"
    power: str = "80"
    margin: str = "20"
    order_cap: str = ""
    time_zone: str = ""


FROZEN = (
    "key", "first", "second", "ordinal", "gap", "window_days", "first_window_days",
    "effect", "method", "design", "alpha", "power", "margin", "order_cap", "time_zone",
)  # fmt: skip
"""Fields that are fixed once the experiment has started."""


class Typed(Protocol):
    """What a browser sent: one value or several by name."""

    def get(self, key: str, default: str) -> str:
        """Return the first value of the name."""
        ...

    def getlist(self, key: str) -> list[str]:
        """Return all values of the name."""
        ...


def read_form(typed: Typed) -> SetUpForm:
    """Return what was typed; what was not sent is as on an empty form."""
    empty = SetUpForm()
    plain = {
        field.name: typed.get(field.name, getattr(empty, field.name)).strip()
        for field in fields(SetUpForm)
        if field.name not in {"variants", "steps"}
    }
    variants = _rows(typed, "variant", ("key", "name", "weight", "payload"))
    steps = _rows(typed, "step", ("key", "name", "kind"))
    return replace(
        empty,
        **plain,
        variants=tuple(VariantRow(**row) for row in variants),
        steps=tuple(StepRow(**row) for row in steps),
    )


def form_of(experiment: Experiment, notes: SetUpNotes, reader: Reader) -> SetUpForm:
    """Return the form that would make this experiment."""
    order = experiment.step_keys
    form = SetUpForm(
        version=str(experiment.version),
        name=experiment.name,
        key=experiment.key,
        hypothesis=experiment.hypothesis,
        page_url=notes.page_url,
        variants=tuple(
            VariantRow(
                key=v.key,
                name=v.name,
                weight=write_number(v.weight, reader),
                payload=_payload(v.payload_json),
            )
            for v in experiment.variants
        ),
        coverage=write_percent(experiment.coverage, reader),
        steps=tuple(
            StepRow(key=s.key, name=s.name, kind=s.kind.value)
            for s in experiment.funnel
        ),
        first=str(order.index(experiment.goal.first)),
        window_days=str(experiment.window_days),
        first_window_days=_optional(experiment.first_window_days, reader),
        visitors_per_day=_optional(notes.visitors_per_day, reader),
        history=notes.history,
        first_rate=_optional_percent(notes.first_rate, reader),
        repeat_rate=_optional_percent(notes.repeat_rate, reader),
        order_mean=_optional(notes.order_mean, reader),
        order_sd=_optional(notes.order_sd, reader),
        effect=write_percent(experiment.minimum_detectable_effect, reader),
        method=experiment.method.value,
        design=experiment.sequential_design.value,
        alpha=write_percent(experiment.alpha, reader),
        power=write_percent(experiment.power, reader),
        margin=write_percent(experiment.first_conversion_margin, reader),
        order_cap=_cap(experiment, reader),
        time_zone=experiment.time_zone,
    )
    return _with_worth(_with_second(form, experiment, reader), experiment, reader)


def kept_as_stored(
    typed: SetUpForm, stored: SetUpForm, *, has_shares: bool
) -> SetUpForm:
    """Return what was typed, with all that is fixed since the start as stored.

    Browsers do not send fields that are switched off. Rows are those of the stored
    experiment, in its order.

    Args:
        has_shares: whether shares and coverage may still change.
    """
    fixed = FROZEN if has_shares else (*FROZEN, "coverage")
    frozen = {name: getattr(stored, name) for name in fixed}
    rows = dict(enumerate(typed.variants))
    steps = dict(enumerate(typed.steps))
    return replace(
        typed,
        **frozen,
        variants=tuple(
            _as_stored(rows.get(i, v), v, has_shares=has_shares)
            for i, v in enumerate(stored.variants)
        ),
        steps=tuple(
            replace(steps.get(i, s), key=s.key) for i, s in enumerate(stored.steps)
        ),
    )


def without_step(form: SetUpForm, place: int) -> SetUpForm:
    """Return the form with a step less; the conversions stay at their steps."""
    steps = tuple(s for i, s in enumerate(form.steps) if i != place)
    return replace(
        form,
        steps=steps,
        first=_moved(form.first, place, lost="0"),
        second=_moved(form.second, place, lost=AGAIN),
    )


def key_from(name: str) -> str:
    """Make a key from a name: letters, digits and hyphens; empty when none is left."""
    plain = unicodedata.normalize("NFKD", name.lower().translate(_UMLAUTS))
    plain = plain.encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_KEY].rstrip("-")


def free_key(wanted: str, taken: Iterable[str]) -> str:
    """Return the key, with a number behind it when it is taken."""
    used = set(taken)
    if wanted not in used:
        return wanted
    return next(
        key
        for key in (f"{wanted}-{n}" for n in range(2, len(used) + 3))
        if key not in used
    )


def _rows(typed: Typed, kind: str, names: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows; a column that was not sent keeps its usual value."""
    columns = {name: typed.getlist(f"{kind}_{name}") for name in names}
    longest = max(len(column) for column in columns.values())
    return [
        {name: column[i].strip() for name, column in columns.items() if i < len(column)}
        for i in range(longest)
    ]


def _as_stored(row: VariantRow, stored: VariantRow, *, has_shares: bool) -> VariantRow:
    kept = replace(row, key=stored.key)
    return kept if has_shares else replace(kept, weight=stored.weight)


def _moved(choice: str, removed: int, *, lost: str) -> str:
    if not choice.isdecimal() or int(choice) < removed:
        return choice
    return lost if int(choice) == removed else str(int(choice) - 1)


def _with_second(form: SetUpForm, experiment: Experiment, reader: Reader) -> SetUpForm:
    match experiment.goal.second:
        case Repeat(ordinal=ordinal, min_gap_hours=gap):
            return replace(
                form, second=AGAIN, ordinal=str(ordinal), gap=write_number(gap, reader)
            )
        case LaterStep(step=step):
            return replace(form, second=str(experiment.step_keys.index(step)))


def _with_worth(form: SetUpForm, experiment: Experiment, reader: Reader) -> SetUpForm:
    match experiment.weights:
        case CountWeights(first=first, second=second, currency=currency):
            return replace(
                form,
                worth=POINTS,
                first_points=write_number(first, reader),
                second_points=write_number(second, reader),
                currency=currency or "",
            )
        case MoneyWeights(currency=currency, first_margin=one, second_margin=two):
            return replace(
                form,
                worth=MONEY,
                first_margin=write_percent(one, reader),
                second_margin=write_percent(two, reader),
                currency=currency,
            )


def _cap(experiment: Experiment, reader: Reader) -> str:
    if experiment.order_cap is None:
        return ""
    return write_number(to_major(experiment.order_cap, experiment.currency), reader)


def _payload(stored: str) -> str:
    content = json.loads(stored)
    return json.dumps(content, ensure_ascii=False, indent=1) if content else ""


def _optional(value: float | None, reader: Reader) -> str:
    return "" if value is None else write_number(value, reader)


def _optional_percent(value: float | None, reader: Reader) -> str:
    return "" if value is None else write_percent(value, reader)
