"""Drafts become the events that they describe, from memory and from a file."""

from dataclasses import fields

import pytest

from abtest.domain.events import (
    Conversion,
    Event,
    EventId,
    Exposure,
    Identity,
    Milliseconds,
    Refund,
)
from abtest.domain.experiment import CustomerId, ExperimentKey, VariantKey, VisitorId
from abtest.domain.funnel import StepKey
from abtest.services.imports import drafts
from abtest.services.imports.drafts import Draft

ID = EventId(b"0123456789abcdef")
AT = Milliseconds(1_770_000_000_000)
WHO, CUSTOMER = VisitorId("v1"), CustomerId("c1")
SHOP, ARM, BUY = ExperimentKey("shop"), VariantKey("a"), StepKey("buy")

PAIRS: list[tuple[Draft, Event]] = [
    (
        drafts.exposure(
            ID, AT, visitor=WHO, experiment=SHOP, variant=ARM, attributes_json="{}"
        ),
        Exposure(
            id=ID,
            at=AT,
            visitor=WHO,
            experiment=SHOP,
            variant=ARM,
            attributes_json="{}",
            trusted=True,
        ),
    ),
    (
        drafts.conversion(ID, AT, BUY, customer=CUSTOMER, value=5, currency="EUR"),
        Conversion(
            id=ID,
            at=AT,
            step=BUY,
            customer=CUSTOMER,
            value=5,
            currency="EUR",
            trusted=True,
        ),
    ),
    (
        drafts.conversion(ID, AT, BUY, visitor=WHO, currency="EUR", order="A-1"),
        Conversion(id=ID, at=AT, step=BUY, visitor=WHO, order="A-1", trusted=True),
    ),
    (
        drafts.refund(ID, AT, "A-1", value=None, currency="EUR"),
        Refund(id=ID, at=AT, order="A-1", trusted=True),
    ),
    (
        drafts.identity(ID, AT, WHO, CUSTOMER),
        Identity(id=ID, at=AT, visitor=WHO, customer=CUSTOMER, trusted=True),
    ),
]


@pytest.mark.parametrize(("draft", "event"), PAIRS)
def test_draft_becomes_its_event(draft: Draft, event: Event) -> None:
    assert drafts.finish([draft]) == [event]
    kind, _, told = draft
    assert told.keys() == {field.name for field in fields(kind)}
    written = bytearray()
    for _ in range(3):
        drafts.append_to(written, told)
    assert drafts.read(kind, bytes(written), 3) == [event] * 3
