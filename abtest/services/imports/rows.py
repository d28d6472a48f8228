"""Turns one row of a file into events: an event a row, or a visitor a row."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Protocol

from abtest.domain.events import Milliseconds
from abtest.domain.experiment import CustomerId, VisitorId
from abtest.domain.funnel import StepKey
from abtest.services.identifiers import to_event_id
from abtest.services.imports.cells import BadCellError, is_empty, read_flag
from abtest.services.imports.drafts import Draft, conversion, identity, refund
from abtest.services.imports.files import Row
from abtest.services.imports.reading import Reading


class LeftOutReason(StrEnum):
    """Why a row that is not wrong gives no events."""

    NOT_FOLLOWED_UP = "not_followed_up"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A row that gives no events, and the day and visitors it stands for."""

    reason: LeftOutReason
    day: date | None = None
    visitors: int = 0


class RowReader(Protocol):
    """Turns rows into drafts of events."""

    def events(self, row: Row) -> Iterable[Draft] | LeftOut:
        """Return the row's events, all checked before the first is given.

        Raises:
            BadCellError: a cell cannot be taken; no event of the row counts.
        """
        ...


class VisitorRows:
    """One row per visitor: an exposure, and a conversion for each step reached."""

    def __init__(
        self, reading: Reading, *, dated: Sequence[str], told: Sequence[str]
    ) -> None:
        """Take the steps that have a date column, and those that have a 0/1 column."""
        self._reading = reading
        self._dated = tuple(dated)
        self._told = tuple(told)

    def events(self, row: Row) -> Iterable[Draft] | LeftOut:
        """Return the exposure and the conversions.

        A row whose 0/1 cell is empty says that nobody knows: it is left out. An
        empty date says that the step was not reached.
        """
        reading, text = self._reading, self._reading.cells.text
        if any(is_empty(text(row, f"step:{step}")) for step in self._told):
            return LeftOut(reason=LeftOutReason.NOT_FOLLOWED_UP, visitors=1)
        at = reading.times.read("at", text(row, "at"))
        visitor = reading.visitor(text(row, "visitor"))
        events: list[Draft] = [reading.exposure(row, visitor, at)]
        for step in self._told:
            flag = read_flag(f"step:{step}", text(row, f"step:{step}"))
            delay = reading.delays.get(step, 0)
            when = reading.times.later(at, delay, field="at") if flag else None
            events += self._conversions(row, step, visitor, when)
        for step in self._dated:
            cell = text(row, f"at:{step}")
            moment = None if is_empty(cell) else reading.times.read(f"at:{step}", cell)
            events += self._conversions(row, step, visitor, moment)
        return events

    def _conversions(
        self, row: Row, step: str, visitor: VisitorId, when: Milliseconds | None
    ) -> Iterable[Draft]:
        reading, field = self._reading, f"value:{step}"
        text = reading.cells.text(row, field)
        value = reading.value(row, field, text)
        if when is None:
            if value:
                remedy = f"is a value, but {step} was not reached; correct the row"
                raise BadCellError(field, text, "value_without_step", remedy)
            return ()
        return (
            conversion(
                reading.names.single(when, "visitor row", visitor, step),
                when,
                StepKey(step),
                visitor=visitor,
                value=value,
                currency=reading.money.currency,
            ),
        )


class EventRows:
    """One row per event, its kind in the field `type`."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        finder = reading.cells.finder
        self._type, self._at = finder("type"), finder("at")
        self._visitor, self._customer = finder("visitor"), finder("customer")
        self._value, self._order = finder("value"), finder("order")
        self._step, self._event = finder("step"), finder("event")
        self._drafting: dict[str, _Drafting | None] = {"ignore": None}

    def events(self, row: Row) -> Iterable[Draft] | LeftOut:
        """Return the row's event."""
        told = self._type(row)
        if told not in self._drafting:
            self._drafting[told] = self._drafting_of(told)
        draft = self._drafting[told]
        if draft is None:
            return LeftOut(reason=LeftOutReason.IGNORED)
        return (draft(row, self._reading.times.read("at", self._at(row))),)

    def _drafting_of(self, told: str) -> "_Drafting | None":
        """Return what makes events of this type."""
        kind, _, step = told.partition(":")
        match kind:
            case "ignore":
                return None
            case "exposure":
                return self._exposure
            case "conversion":
                key = self._reading.step(step, "type") if step else None
                return partial(self._conversion, key)
            case "refund":
                return self._refund
            case "identify":
                return self._identity
            case _:
                pass
        remedy = (
            "is no type; types are exposure, conversion, conversion:STEP, refund,"
            f" identify and ignore: add --translate 'type:{told[:40]}=...'"
        )
        raise BadCellError("type", told, "unknown_type", remedy)

    def _exposure(self, row: Row, at: Milliseconds) -> Draft:
        visitor = self._reading.visitor(self._visitor(row))
        return self._reading.exposure(row, visitor, at)

    def _conversion(self, step: StepKey | None, row: Row, at: Milliseconds) -> Draft:
        reading = self._reading
        key = step or reading.step(self._step(row), "step")
        visitor, customer = self._people(row)
        value = reading.value(row, "value", self._value(row))
        order = reading.order(self._order(row))
        if event := self._event(row):
            event_id = to_event_id(event)
        else:
            said = ("conversion", visitor or "", customer or "", key, str(value))
            numbered = said if order is None else (*said, order)
            event_id = reading.names.single(at, *numbered)
        return conversion(
            event_id,
            at,
            key,
            visitor=visitor,
            customer=customer,
            value=value,
            currency=reading.money.currency,
            order=order,
        )

    def _people(self, row: Row) -> tuple[VisitorId | None, CustomerId | None]:
        """Return visitor and customer; one of them must be named."""
        visitor, customer = self._visitor(row), self._customer(row)
        if not customer:
            return self._reading.visitor(visitor), None
        return (
            self._reading.visitor(visitor) if visitor else None,
            self._reading.customer(customer),
        )

    def _refund(self, row: Row, at: Milliseconds) -> Draft:
        reading = self._reading
        order = reading.order(self._order(row))
        if order is None:
            remedy = "names no order; map order=COLUMN, a refund belongs to an order"
            raise BadCellError("order", "", "required", remedy)
        value = reading.value(row, "value", self._value(row))
        if event := self._event(row):
            event_id = to_event_id(event)
        else:
            event_id = reading.names.single(at, "refund", order, str(value))
        currency = reading.money.currency
        return refund(event_id, at, order, value=value, currency=currency)

    def _identity(self, row: Row, at: Milliseconds) -> Draft:
        visitor = self._reading.visitor(self._visitor(row))
        customer = self._reading.customer(self._customer(row))
        event_id = self._reading.names.single(at, "identify", visitor, customer)
        return identity(event_id, at, visitor, customer)


_Drafting = Callable[[Row, Milliseconds], Draft]
