"""Events as their fields: to make the events themselves takes ten times as long."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from abtest.domain.events import (
    Conversion,
    Event,
    EventId,
    Exposure,
    Identity,
    Milliseconds,
    Refund,
)
from abtest.domain.experiment import (
    CustomerId,
    ExperimentKey,
    VariantKey,
    VisitorId,
)
from abtest.domain.funnel import StepKey

Kind = type[Event]

Fields = dict[str, bytes | int | str | None]
"""All fields of an event: to fill in those that are missing takes long as well."""

Draft = tuple[Kind, str, Fields]
"""Kind, person (the order when nobody is named), fields."""

_ARRAY = b"\xdd"
"""How MessagePack begins a list, before the number of its members."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODERS: dict[Kind, Callable[[bytes], Sequence[Event]]] = {
    Exposure: msgspec.msgpack.Decoder(list[Exposure]).decode,
    Conversion: msgspec.msgpack.Decoder(list[Conversion]).decode,
    Refund: msgspec.msgpack.Decoder(list[Refund]).decode,
    Identity: msgspec.msgpack.Decoder(list[Identity]).decode,
}


def exposure(
    id_: EventId,
    at: Milliseconds,
    *,
    visitor: VisitorId,
    experiment: ExperimentKey,
    variant: VariantKey,
    attributes_json: str | None = None,
) -> Draft:
    """Draft an exposure."""
    fields: Fields = {
        "id": id_,
        "at": at,
        "visitor": visitor,
        "experiment": experiment,
        "variant": variant,
        "attributes_json": attributes_json,
        "trusted": True,
    }
    return Exposure, visitor, fields


def conversion(
    id_: EventId,
    at: Milliseconds,
    step: StepKey,
    *,
    visitor: VisitorId | None = None,
    customer: CustomerId | None = None,
    value: int | None = None,
    currency: str | None = None,
    order: str | None = None,
) -> Draft:
    """Draft a conversion; without a value its currency is left out."""
    fields: Fields = {
        "id": id_,
        "at": at,
        "visitor": visitor,
        "customer": customer,
        "step": step,
        "value": value,
        "currency": None if value is None else currency,
        "order": order,
        "trusted": True,
    }
    return Conversion, visitor or customer or "", fields


def refund(
    id_: EventId,
    at: Milliseconds,
    order: str,
    *,
    value: int | None,
    currency: str | None,
) -> Draft:
    """Draft a refund; without a value its currency is left out."""
    fields: Fields = {
        "id": id_,
        "at": at,
        "order": order,
        "value": value,
        "currency": None if value is None else currency,
        "trusted": True,
    }
    return Refund, order, fields


def identity(
    id_: EventId, at: Milliseconds, visitor: VisitorId, customer: CustomerId
) -> Draft:
    """Draft an identity."""
    fields: Fields = {
        "id": id_,
        "at": at,
        "visitor": visitor,
        "customer": customer,
        "trusted": True,
    }
    return Identity, visitor, fields


def append_to(written: bytearray, fields: Fields) -> None:
    """Write a draft behind others of its kind."""
    _ENCODER.encode_into(fields, written, -1)


def read(kind: Kind, written: bytes, count: int) -> Sequence[Event]:
    """Make the events of so many drafts of one kind."""
    return _DECODERS[kind](_ARRAY + count.to_bytes(4, "big") + written)


def finish(drafts: Iterable[Draft]) -> list[Event]:
    """Make the events."""
    return [msgspec.convert(fields, kind) for kind, _, fields in drafts]
