"""Everything the page of keys shows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from abtest.domain.access import ApiKey, KeyId, KeyKind
from abtest.services.access import NewKey
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark

KIND_NAMES: Mapping[KeyKind, str] = {
    KeyKind.PUBLISHABLE: mark("Web page"),
    KeyKind.SERVER: mark("Shop or server"),
    KeyKind.READ: mark("Reading reports"),
    KeyKind.ADMIN: mark("Administration"),
}
_KIND_HELP: Mapping[KeyKind, str] = {
    KeyKind.PUBLISHABLE: mark(
        "For the snippet. It stands in the page and is no secret: it may ask for"
        " variants and report what happened, nothing else."
    ),
    KeyKind.SERVER: mark(
        "For your shop or CRM, which reports purchases and refunds. Keep it secret."
    ),
    KeyKind.READ: mark(
        "For spreadsheets and dashboards: reads every report, changes nothing. Keep it"
        " secret."
    ),
    KeyKind.ADMIN: mark(
        "May do everything: experiments, keys, persons' data. Keep it secret and use it"
        " sparingly."
    ),
}
_ERRORS: Mapping[str, str] = {
    "kind": mark("Please choose what the key is for."),
    "name": mark("Please give the key a name, so that you know it again."),
    "origins": mark(
        "Please write each origin like https://www.example.com: lower case, no path, no"
        " star, one per line. Only keys for web pages have origins."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was entered; `errors` are fields that are wrong."""

    kind: str = ""
    name: str = ""
    origins: str = ""
    errors: tuple[str, ...] = ()

    def having(self, errors: Iterable[str]) -> "Asked":
        """Return the same with errors."""
        return replace(self, errors=tuple(errors))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A key in the list; `revoked` is empty while it is valid."""

    id: str
    name: str
    kind: str
    kind_name: str
    hint: str
    origins: tuple[str, ...]
    has_origins: bool
    created: str
    used: str
    revoked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KindChoice:
    """A kind of key that can be chosen."""

    value: str
    name: str
    help: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysView:
    """The page; `errors` are sentences by field."""

    valid: tuple[KeyRow, ...]
    revoked: tuple[KeyRow, ...]
    kinds: tuple[KindChoice, ...]
    asked: Asked
    errors: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKeyView:
    """A key just made; its secret is shown this once."""

    name: str
    kind_name: str
    secret: str
    advice: str


def view_keys(
    reader: Reader, keys: Sequence[ApiKey], used: Collection[KeyId], asked: Asked
) -> KeysView:
    """Write the list of keys, newest first, and the form."""
    rows = [_row(reader, key, is_used=key.id in used) for key in reversed(keys)]
    return KeysView(
        valid=tuple(row for row in rows if not row.revoked),
        revoked=tuple(row for row in rows if row.revoked),
        kinds=tuple(
            KindChoice(
                value=kind.value,
                name=reader.gettext(KIND_NAMES[kind]),
                help=reader.gettext(_KIND_HELP[kind]),
                is_chosen=asked.kind == kind.value,
            )
            for kind in KeyKind
        ),
        asked=asked,
        errors={field: reader.gettext(_ERRORS[field]) for field in asked.errors},
    )


def new_key_view(reader: Reader, new: NewKey) -> NewKeyView:
    """Write what is said of a key just made."""
    return NewKeyView(
        name=new.key.name,
        kind_name=reader.gettext(KIND_NAMES[new.key.kind]),
        secret=new.secret,
        advice=reader.gettext(_KIND_HELP[new.key.kind]),
    )


def _row(reader: Reader, key: ApiKey, *, is_used: bool) -> KeyRow:
    day = reader.format.day
    used = mark("in use") if is_used else mark("never used")
    return KeyRow(
        id=key.id,
        name=key.name,
        kind=key.kind.value,
        kind_name=reader.gettext(KIND_NAMES[key.kind]),
        hint=key.hint,
        origins=key.origins,
        has_origins=key.kind is KeyKind.PUBLISHABLE,
        created=day(key.created_at.date()),
        used=reader.gettext(used),
        revoked="" if key.revoked_at is None else day(key.revoked_at.date()),
    )
