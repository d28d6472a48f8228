"""What the buttons inside the set-up form do: rows, templates, sums, past traffic."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from abtest.domain.experiment import Experiment, ExperimentKey
from abtest.services.definition_rules import MAX_STEPS, MAX_VARIANTS
from abtest.services.set_up_notes import past_visitors_per_day
from abtest.store.protocol import Store
from abtest.web.pages.views.funnel_templates import SHOP, TEMPLATES, with_template
from abtest.web.pages.views.set_up_form import (
    POINTS,
    SetUpForm,
    StepRow,
    VariantRow,
    without_step,
)
from abtest.web.pages.views.set_up_reading import Typist, variant_keys
from abtest.web.pages.views.typed_numbers import write_number
from abtest.web.render.reader import Reader

_ZONES = {
    "de-DE": "Europe/Berlin",
    "de-AT": "Europe/Vienna",
    "de-CH": "Europe/Zurich",
    "en-GB": "Europe/London",
    "en-US": "America/New_York",
}
_CURRENCIES = {"de-CH": "CHF", "en-GB": "GBP", "en-US": "USD"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The form after a button.

    Attributes:
        problems: sentences by field.
        worth_found: what the calculator of the worth found, in a sentence.
    """

    form: SetUpForm
    problems: Mapping[str, str] = field(default_factory=dict)
    worth_found: str = ""


def first_form(store: Store, reader: Reader) -> SetUpForm:
    """Return the form of a new experiment: a shop, two variants.

    Time zone and currency are those of the newest experiment, else those of the
    reader's country.
    """
    known = store.list_experiments()
    zone = known[-1].time_zone if known else _ZONES.get(reader.tag, "UTC")
    currency = known[-1].currency if known else None
    empty = SetUpForm(
        variants=(
            VariantRow(key="a", name=reader.gettext("Present page")),
            VariantRow(key="b", name=reader.gettext("New page")),
        ),
        time_zone=zone,
        currency=currency or _CURRENCIES.get(reader.tag, "EUR"),
    )
    return with_template(empty, SHOP, reader)


def histories(store: Store, *, besides: Experiment | None) -> tuple[Experiment, ...]:
    """Return the experiments that had visitors, oldest first."""
    return tuple(
        e
        for e in store.list_experiments()
        if e.started_at is not None and (besides is None or e.key != besides.key)
    )


def apply_change(
    form: SetUpForm, change: str, store: Store, reader: Reader, now: datetime
) -> Changed:
    """Return the form after a button; an unknown one changes nothing."""
    kind, _, which = change.partition("-")
    match kind:
        case "template" if which in TEMPLATES:
            return Changed(form=with_template(form, which, reader))
        case "sentence" if not form.hypothesis:
            return Changed(form=replace(form, hypothesis=hypothesis_template(reader)))
        case "add" | "drop":
            return Changed(form=_with_rows(form, kind, which))
        case "worth":
            return _worked_out(form, reader)
        case "past":
            return _from_past(form, store, reader, now)
        case _:
            return Changed(form=form)


def hypothesis_template(reader: Reader) -> str:
    """Return the sentence to fill in."""
    return reader.gettext("We believe that … because … We will see it in …")


def _with_rows(form: SetUpForm, kind: str, which: str) -> SetUpForm:
    what, _, place = which.partition("-")
    number = int(place) if place.isdecimal() else -1
    match kind, what:
        case "add", "variant" if len(form.variants) < MAX_VARIANTS:
            key = variant_keys(replace(form, variants=(*form.variants, VariantRow())))
            row = VariantRow(key=key[-1], name=key[-1].upper())
            return replace(form, variants=(*form.variants, row))
        case "add", "step" if len(form.steps) < MAX_STEPS:
            return replace(form, steps=(*form.steps, StepRow()))
        case "drop", "variant" if len(form.variants) > 2:
            kept = tuple(v for i, v in enumerate(form.variants) if i != number)
            return replace(form, variants=kept)
        case "drop", "step" if len(form.steps) > 1:
            return without_step(form, number)
        case _:
            return form


def _worked_out(form: SetUpForm, reader: Reader) -> Changed:
    """Fill in the points: what a second order brings for each unit of the first.

    Worth of a second conversion = (its profit + share who go on x their later profit)
    / profit of a first one.
    """
    typist = Typist(form=form, reader=reader)
    first = typist.number("first_profit", 0.0)
    second = typist.number("second_profit", 0.0)
    share = typist.optional_percent("later_share") or 0.0
    later = typist.optional("later_profit") or 0.0
    if not typist.problems and first <= 0:
        typist.problems["first_profit"] = reader.gettext(
            "A first order must bring a profit for this sum; otherwise let money"
            " decide, with margins."
        )
    if typist.problems:
        return Changed(form=form, problems=typist.problems)
    worth = round((second + share * later) / first, 2)
    filled = replace(
        form,
        worth=POINTS,
        first_points="1",
        second_points=write_number(worth, reader),
    )
    sentence = reader.gettext(
        "A second conversion is worth {worth} times a first one. The points are filled"
        " in.",
        worth=reader.format.plain(worth),
    )
    return Changed(form=filled, worth_found=sentence)


def _from_past(form: SetUpForm, store: Store, reader: Reader, now: datetime) -> Changed:
    """Fill in the visitors per day that came to an earlier experiment."""
    if not form.history:
        words = reader.gettext("Choose an earlier experiment first.")
        return Changed(form=form, problems={"history": words})
    found = past_visitors_per_day(store, ExperimentKey(form.history), now=now)
    if found is None:
        words = reader.gettext("Nobody has been in this experiment yet.")
        return Changed(form=form, problems={"history": words})
    return Changed(
        form=replace(form, visitors_per_day=write_number(round(found), reader))
    )
