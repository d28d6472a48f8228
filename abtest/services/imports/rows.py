"""Turns one row of a file into events: an event a row, or a visitor a row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from abtest.domain.events import Conversion, Event, Identity, Milliseconds, Refund
from abtest.domain.experiment import VisitorId
from abtest.domain.funnel import StepKey
from abtest.services.identifiers import to_event_id
from abtest.services.imports.cells import BadCellError, is_empty, read_flag
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
    """Turns rows into events."""

    def events(self, row: Row) -> Iterable[Event] | LeftOut:
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

    def events(self, row: Row) -> Iterable[Event] | LeftOut:
        """Return the exposure and the conversions.

        A row whose 0/1 cell is empty says that nobody knows: it is left out. An
        empty date says that the step was not reached.
        """
        reading, text = self._reading, self._reading.cells.text
        if any(is_empty(text(row, f"step:{step}")) for step in self._told):
            return LeftOut(reason=LeftOutReason.NOT_FOLLOWED_UP, visitors=1)
        at = reading.times.read("at", text(row, "at"))
        visitor = reading.visitor(row)
        events: list[Event] = [reading.exposure(row, visitor, at)]
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
    ) -> Iterable[Conversion]:
        reading, field = self._reading, f"value:{step}"
        value = reading.value(row, field) if reading.cells.has(field) else None
        if when is None:
            if value:
                remedy = f"is a value, but {step} was not reached; correct the row"
                text = reading.cells.text(row, field)
                raise BadCellError(field, text, "value_without_step", remedy)
            return ()
        return (
            Conversion(
                id=reading.names.single(when, "visitor row", visitor, step),
                at=when,
                visitor=visitor,
                step=StepKey(step),
                value=value,
                currency=None if value is None else reading.money.currency,
                trusted=True,
            ),
        )


class EventRows:
    """One row per event, its kind in the field `type`."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def events(self, row: Row) -> Iterable[Event] | LeftOut:
        """Return the row's event."""
        told = self._reading.cells.text(row, "type")
        kind, _, step = told.partition(":")
        if kind == "ignore":
            return LeftOut(reason=LeftOutReason.IGNORED)
        at = self._reading.times.read("at", self._reading.cells.text(row, "at"))
        match kind:
            case "exposure":
                visitor = self._reading.visitor(row)
                return (self._reading.exposure(row, visitor, at),)
            case "conversion":
                return (self._conversion(row, step, at),)
            case "refund":
                return (self._refund(row, at),)
            case "identify":
                return (self._identity(row, at),)
            case _:
                pass
        remedy = (
            "is no type; types are exposure, conversion, conversion:STEP, refund,"
            f" identify and ignore: add --translate 'type:{told[:40]}=...'"
        )
        raise BadCellError("type", told, "unknown_type", remedy)

    def _conversion(self, row: Row, step: str, at: Milliseconds) -> Conversion:
        reading, cells = self._reading, self._reading.cells
        field = "type" if step else "step"
        key = reading.step(step or cells.text(row, "step"), field)
        customer = reading.customer(row) if cells.text(row, "customer") else None
        has_visitor = customer is None or cells.text(row, "visitor")
        visitor = reading.visitor(row) if has_visitor else None
        value = reading.value(row, "value")
        order = reading.order(row)
        said = ("conversion", visitor or "", customer or "", key, str(value))
        names = reading.names
        if event := cells.text(row, "event"):
            event_id = to_event_id(event)
        elif order is not None:
            event_id = names.single(at, *said, order)
        else:
            event_id = names.single(at, *said)
        return Conversion(
            id=event_id,
            at=at,
            visitor=visitor,
            customer=customer,
            step=key,
            value=value,
            currency=None if value is None else reading.money.currency,
            order=order,
            trusted=True,
        )

    def _refund(self, row: Row, at: Milliseconds) -> Refund:
        reading = self._reading
        order = reading.order(row)
        if order is None:
            remedy = "names no order; map order=COLUMN, a refund belongs to an order"
            raise BadCellError("order", "", "required", remedy)
        value = reading.value(row, "value")
        event = reading.cells.text(row, "event")
        names, said = reading.names, ("refund", order, str(value))
        return Refund(
            id=to_event_id(event) if event else names.single(at, *said),
            at=at,
            order=order,
            value=value,
            currency=None if value is None else reading.money.currency,
            trusted=True,
        )

    def _identity(self, row: Row, at: Milliseconds) -> Identity:
        visitor, customer = self._reading.visitor(row), self._reading.customer(row)
        return Identity(
            id=self._reading.names.single(at, "identify", visitor, customer),
            at=at,
            visitor=visitor,
            customer=customer,
            trusted=True,
        )
