"""What the privacy page says of a person, and of what was entered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from abtest.domain.events import Conversion, Exposure, Identity, Refund
from abtest.domain.person import NameKind, PersonRecord
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark

_ERRORS: Mapping[str, str] = {
    "name": mark("Please enter an id."),
    "unknown": mark(
        "Nothing is stored under this id. Compare it letter by letter; capitals matter."
    ),
    "confirmed": mark("Please tick that you are sure. Nothing was erased."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who was asked for; `errors` are fields that are wrong."""

    kind: str = NameKind.VISITOR.value
    name: str = ""
    errors: tuple[str, ...] = ()

    def having(self, errors: Iterable[str]) -> "Asked":
        """Return the same with errors."""
        return replace(self, errors=tuple(errors))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How much is stored about somebody: names and counts in the reader's words."""

    counts: tuple[tuple[str, str], ...]


def privacy_errors(reader: Reader, asked: Asked) -> Mapping[str, str]:
    """Say what is wrong, by field."""
    return {
        "name" if field == "unknown" else field: reader.gettext(_ERRORS[field])
        for field in asked.errors
    }


def found_view(reader: Reader, record: PersonRecord) -> Found:
    """Count what is stored; the names and events themselves are in the download."""
    kinds = [name.kind for name in record.names]
    events = [type(stored.event) for stored in record.events]
    told = (
        (mark("Visitor ids (devices)"), kinds.count(NameKind.VISITOR)),
        (mark("Customer ids"), kinds.count(NameKind.CUSTOMER)),
        (mark("Variants seen"), events.count(Exposure)),
        (mark("Conversions"), events.count(Conversion)),
        (mark("Refunds"), events.count(Refund)),
        (mark("Links between ids"), events.count(Identity)),
    )
    return Found(
        counts=tuple(
            (reader.gettext(words), reader.format.integer(n)) for words, n in told
        )
    )
