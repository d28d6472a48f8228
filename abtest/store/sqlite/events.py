"""How an event is written into its row."""

from collections.abc import Callable

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

Row = tuple[bytes | str | int | None, ...]


def names_in(event: Event) -> tuple[Name | None, Name | None]:
    """Return the event's visitor and customer."""
    if isinstance(event, Refund | Cost):
        return None, None
    visitor = None if event.visitor is None else (VISITOR, event.visitor)
    if isinstance(event, Exposure) or event.customer is None:
        return visitor, None
    return visitor, (CUSTOMER, event.customer)


def to_row(
    event: Event,
    received_at: Milliseconds,
    *,
    visitor: Node | None,
    customer: Node | None,
    number_of: Callable[[ExperimentKey], int],
) -> Row:
    """Return the columns of `add_event.sql`."""
    head = (event.id, received_at, visitor, customer, event.at)
    match event:
        case Exposure():
            return (
                *head, EXPOSURE, event.trusted, number_of(event.experiment),
                event.variant, event.attributes_json, None, None, None, None, None,
                None,
            )  # fmt: skip
        case Conversion():
            return (
                *head, CONVERSION, event.trusted, None,
                None, None, event.step, event.value, event.currency, event.order, None,
                None,
            )  # fmt: skip
        case Refund():
            return (
                *head, REFUND, event.trusted, None,
                None, None, None, event.value, event.currency, event.order, None, None,
            )  # fmt: skip
        case Identity():
            return (
                *head, IDENTITY, event.trusted, None,
                None, None, None, None, None, None, None, None,
            )  # fmt: skip
        case Cost():
            experiment = (
                None if event.experiment is None else number_of(event.experiment)
            )
            return (
                *head, COST, True, experiment,
                None, None, None, event.amount, event.currency, None, event.source,
                event.day,
            )  # fmt: skip
