"""What may be recorded about visitors, and its bounds."""

import re
from dataclasses import dataclass
from typing import NewType

from abtest.domain.experiment import (
    CustomerId,
    ExperimentKey,
    VariantKey,
    VisitorId,
)
from abtest.domain.funnel import StepKey

EventId = NewType("EventId", bytes)
"""Sixteen bytes; a UUID of version 7 is the fastest to store."""

Milliseconds = NewType("Milliseconds", int)
"""Since 1970-01-01 UTC."""

MAX_PERSON_ID = 128
OLDEST = Milliseconds(631_152_000_000)
"""1990-01-01: older times are taken for mistakes."""

_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
_NOBODY = frozenset(
    {"null", "undefined", "none", "nan", "guest", "anonymous", "[object object]"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """A visitor was shown a variant."""

    id: EventId
    at: Milliseconds
    visitor: VisitorId
    experiment: ExperimentKey
    variant: VariantKey
    attributes_json: str | None = None
    trusted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Somebody reached a funnel step.

    Attributes:
        visitor: who, when known by the browser; with `customer` also given, the two
            are joined.
        customer: who, when known by the shop.
        value: minor units of `currency`; None when not told.
        order: the shop's order number; the same order at the same step counts once.
        trusted: sent with a server key.
    """

    id: EventId
    at: Milliseconds
    visitor: VisitorId | None = None
    customer: CustomerId | None = None
    step: StepKey
    value: int | None = None
    currency: str | None = None
    order: str | None = None
    trusted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money of an order went back.

    Attributes:
        value: minor units; None means the whole order.
    """

    id: EventId
    at: Milliseconds
    order: str
    value: int | None = None
    currency: str | None = None
    trusted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A visitor (a device) belongs to a customer (a person)."""

    id: EventId
    at: Milliseconds
    visitor: VisitorId
    customer: CustomerId
    trusted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Money spent on traffic on one day (local ISO date)."""

    id: EventId
    at: Milliseconds
    experiment: ExperimentKey | None
    source: str | None
    day: str
    amount: int
    currency: str


Event = Exposure | Conversion | Refund | Identity | Cost


def why_not_a_person(text: str) -> str | None:
    """Say why the text cannot be a visitor or customer id; None when it can.

    Length is the caller's concern. E-mail addresses are refused because abtest keeps
    no personal data, placeholders because they would join strangers into one person.
    """
    if not text.strip():
        return "is empty; send a random id that stays with the visitor"
    # The first of each two questions is quick, and the answer nearly always no.
    if not text.isprintable() and _CONTROL_CHARACTER.search(text):
        return "contains a control character; use letters, digits and . _ ~ : -"
    # What is longer is refused for its length; the search takes its square in time.
    if "@" in text and _EMAIL.search(text, 0, 2 * MAX_PERSON_ID):
        return "looks like an e-mail address; send a random id or a salted hash"
    if text.strip().lower() in _NOBODY:
        return "is a placeholder that strangers would share; leave the event out"
    return None
