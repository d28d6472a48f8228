"""How an event is written into its row."""

from collections.abc import Callable, Iterable

from abtest.domain.events import (
    Conversion,
    Cost,
    Event,
    Exposure,
    Identity,
    Milliseconds,
    Refund,
)
from abtest.domain.experiment import ExperimentKey
from abtest.store.sqlite.people import CUSTOMER, VISITOR, Name, Node

EXPOSURE, CONVERSION, REFUND, IDENTITY, COST = range(1, 6)
"""The kinds of events as stored."""

Row = tuple[bytes | str | int, ...]


def names_in(event: Event) -> tuple[Name | None, Name | None]:
    """Return the event's visitor and customer."""
    match event:
        case Exposure():
            return (VISITOR, event.visitor), None
        case Conversion() | Identity():
            return (
                None if event.visitor is None else (VISITOR, event.visitor),
                None if event.customer is None else (CUSTOMER, event.customer),
            )
        case Refund() | Cost():
            return None, None


def orders_in(events: Iterable[Event]) -> list[str]:
    """Return the orders that the events name, as often as they do."""
    return [
        event.order
        for event in events
        if isinstance(event, (Conversion, Refund)) and event.order is not None
    ]


def to_row(
    event: Event,
    received_at: Milliseconds,
    *,
    visitor: Node | None,
    customer: Node | None,
    number_of: Callable[[ExperimentKey], int],
) -> Row:
    """Return what `add_event.sql` takes.

    It makes NULL of 0, and of an empty value: the driver looks for adapters of every
    None and bool, which would take a quarter of the time of storing an event.
    """
    head = (event.id, received_at, visitor or 0, customer or 0, event.at)
    match event:
        case Conversion():
            return (
                *head, CONVERSION, int(event.trusted), 0, 0, 0, event.step,
                "" if event.value is None else event.value,
                0 if event.currency is None else event.currency,
                0 if event.order is None else event.order,
                0, 0,
            )  # fmt: skip
        case Exposure():
            return (
                *head, EXPOSURE, int(event.trusted), number_of(event.experiment),
                event.variant,
                0 if event.attributes_json is None else event.attributes_json,
                0, "", 0, 0, 0, 0,
            )  # fmt: skip
        case Refund():
            return (
                *head, REFUND, int(event.trusted), 0, 0, 0, 0,
                "" if event.value is None else event.value,
                0 if event.currency is None else event.currency,
                event.order,
                0, 0,
            )  # fmt: skip
        case Identity():
            return (
                *head, IDENTITY, int(event.trusted), 0, 0, 0, 0, "", 0, 0, 0, 0
            )  # fmt: skip
        case Cost():
            return (
                *head, COST, 1,
                0 if event.experiment is None else number_of(event.experiment),
                0, 0, 0, event.amount, event.currency, 0,
                0 if event.source is None else event.source,
                event.day,
            )  # fmt: skip
