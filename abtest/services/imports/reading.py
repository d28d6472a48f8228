"""Finds in a row what an event needs: who, which variant, which step, how much."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from abtest.domain.events import (
    MAX_PERSON_ID,
    Milliseconds,
    why_not_a_person,
)
from abtest.domain.experiment import (
    CustomerId,
    Experiment,
    VariantKey,
    VisitorId,
)
from abtest.domain.funnel import StepKey
from abtest.errors import AbtestError
from abtest.services.checks import attributes_json
from abtest.services.imports.cells import (
    BadCellError,
    MoneyReader,
    TimeReader,
    is_empty,
)
from abtest.services.imports.drafts import Draft, exposure
from abtest.services.imports.files import Row
from abtest.services.imports.identity import EventNames
from abtest.services.imports.mapping import ROW_NUMBER, ColumnMapping

_MAX_ORDER = 128
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,15})(\.\d+)?")
_SIMPLE = re.compile(rf"(?=.*\d)[A-Za-z0-9_.~:-]{{1,{MAX_PERSON_ID}}}")
"""Names like almost all, with which nothing is wrong: a placeholder has no digit."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

Finder = Callable[[Row], str]


class Cells:
    """Finds the text of a field in a row."""

    def __init__(self, mapping: ColumnMapping, *, row_name: str) -> None:
        self._mapping = mapping
        self._row_name = row_name
        self._translations: dict[str, dict[str, str]] = {}
        for (field, source), target in mapping.translations.items():
            self._translations.setdefault(field, {})[source] = target
        self._places = {column: place for place, column in enumerate(mapping.wanted)}
        self._finders: dict[str, Finder] = {}

    def text(self, row: Row, field: str) -> str:
        """Return the field's text, translated; empty when the field is not mapped."""
        return self.finder(field)(row)

    def finder(self, field: str) -> Finder:
        """Return what finds the field's text in any row."""
        find = self._finders.get(field)
        if find is None:
            find = self._finders[field] = self._finder(field)
        return find

    def _finder(self, field: str) -> Finder:
        column = self._mapping.columns.get(field)
        if column is None:
            constant = self._mapping.constants.get(field, "")
            return lambda _row: constant
        if column == ROW_NUMBER:
            return lambda row: f"{self._row_name}-{row.number}"
        place = self._places[column]
        translations = self._translations.get(field)
        if translations is None:
            return lambda row: row.cells[place].strip()

        def translated(row: Row) -> str:
            raw = row.cells[place].strip()
            return translations.get(raw, raw)

        return translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the readers of all shapes need.

    Attributes:
        ended: no visitor can have been exposed from then on; None while open.
        delays: step -> days after the row's time at which its conversion is placed.
        attributes: names of the attributes that are mapped.
        variants, steps: of the experiment.
    """

    experiment: Experiment
    cells: Cells
    times: TimeReader
    money: MoneyReader
    names: EventNames
    ended: Milliseconds | None
    delays: Mapping[str, int]
    attributes: tuple[str, ...]
    variants: tuple[VariantKey, ...]
    steps: tuple[StepKey, ...]

    def visitor(self, text: str) -> VisitorId:
        """Return the visitor's id."""
        return VisitorId(text if _SIMPLE.fullmatch(text) else _person("visitor", text))

    def customer(self, text: str) -> CustomerId:
        """Return the customer's id."""
        return CustomerId(
            text if _SIMPLE.fullmatch(text) else _person("customer", text)
        )

    def variant(self, row: Row) -> VariantKey:
        """Return the variant's key."""
        text = self.cells.text(row, "variant")
        if text in self.variants:
            return VariantKey(text)
        remedy = (
            f"is no variant of {self.experiment.key}, which has"
            f" {', '.join(self.variants)};"
            f" add --translate 'variant:{text[:40]}=VARIANT' or correct the file"
        )
        raise BadCellError("variant", text, "unknown_variant", remedy)

    def step(self, text: str, field: str) -> StepKey:
        """Return the step's key."""
        if text in self.steps:
            return StepKey(text)
        remedy = (
            f"is no step of {self.experiment.key}, which has"
            f" {', '.join(self.steps)}; add --translate or correct the"
            " file"
        )
        raise BadCellError(field, text, "unknown_step", remedy)

    def value(self, row: Row, field: str, text: str) -> int | None:
        """Return minor units, or None when nothing is told."""
        if is_empty(text):
            return None
        currency = self.cells.text(row, "currency")
        if currency and currency != self.money.currency:
            remedy = (
                f"is not {self.money.currency}, the currency of"
                f" {self.experiment.key}; convert the values first"
            )
            raise BadCellError("currency", currency, "wrong_currency", remedy)
        return self.money.read(field, text)

    def order(self, order: str) -> str | None:
        """Return the order number, or None when the row names none."""
        if not order:
            return None
        if len(order) > _MAX_ORDER or _CONTROL.search(order):
            remedy = f"is no order number: at most {_MAX_ORDER} printable characters"
            raise BadCellError("order", order, "invalid_order", remedy)
        return order

    def attributes_json(self, row: Row) -> str | None:
        """Return the mapped attributes as a JSON object; empty cells are left out."""
        if not self.attributes:
            return None
        told = {n: self.cells.text(row, f"attribute:{n}") for n in self.attributes}
        # "01234" stays a text: only what is written like a number is one.
        typed = {
            name: json.loads(text) if _NUMBER.fullmatch(text) else text
            for name, text in told.items()
            if text
        }
        try:
            return attributes_json("/attributes", typed)
        except AbtestError as error:
            longest = max(typed, key=lambda name: len(told[name]))
            raise BadCellError(
                f"attribute:{longest}", told[longest], "too_long", error.detail
            ) from error

    def exposure(self, row: Row, visitor: VisitorId, at: Milliseconds) -> Draft:
        """Return the row's exposure."""
        if self.ended is not None and at >= self.ended:
            remedy = f"lies after the end of {self.experiment.key}; leave the row out"
            raise BadCellError("at", self.cells.text(row, "at"), "not_running", remedy)
        key, variant = self.experiment.key, self.variant(row)
        return exposure(
            self.names.single(at, "exposure", key, visitor, variant),
            at,
            visitor=visitor,
            experiment=key,
            variant=variant,
            attributes_json=self.attributes_json(row),
        )


def _person(field: str, text: str) -> str:
    """Return an id that is not like almost all, if it can be one."""
    complaint = why_not_a_person(text)
    if complaint is None and len(text) > MAX_PERSON_ID:
        complaint = f"is longer than {MAX_PERSON_ID} characters; send a hash of it"
    if complaint is not None:
        code = "not_a_person" if text.strip() else "required"
        raise BadCellError(field, text, code, complaint)
    return text
