"""Who may do what: API keys, users, sessions and the audit log."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

KeyId = NewType("KeyId", str)
UserName = NewType("UserName", str)


class KeyKind(StrEnum):
    """What a key is for."""

    PUBLISHABLE = "pk"
    SERVER = "sk"
    READ = "rk"
    ADMIN = "ak"


class Right(StrEnum):
    """What a caller wants to do."""

    ASSIGN = "assign"
    RECORD = "record"
    RECORD_TRUSTED = "record_trusted"
    READ = "read"
    MANAGE = "manage"


RIGHTS: dict[KeyKind, frozenset[Right]] = {
    KeyKind.PUBLISHABLE: frozenset({Right.ASSIGN, Right.RECORD}),
    KeyKind.SERVER: frozenset({Right.ASSIGN, Right.RECORD, Right.RECORD_TRUSTED}),
    KeyKind.READ: frozenset({Right.READ}),
    KeyKind.ADMIN: frozenset({Right.READ, Right.MANAGE}),
}
"""The whole table of rights of keys."""


class Role(StrEnum):
    """What a person may do on the pages."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key; its secret is known to its holder alone.

    Attributes:
        secret_hash: SHA-256 of the secret, hex.
        hint: the last four characters, to tell keys apart.
        origins: exact origins a publishable key may be used from; empty means any.
    """

    id: KeyId
    kind: KeyKind
    name: str
    secret_hash: str
    hint: str
    origins: tuple[str, ...] = ()
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who looks at the pages; `password_hash` is scrypt."""

    name: UserName
    role: Role
    password_hash: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signed-in browser; only the SHA-256 of its cookie is stored."""

    token_hash: str
    user: UserName
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what to which thing; never changed afterwards."""

    at: datetime
    actor: str
    action: str
    subject: str
    detail: str = ""
