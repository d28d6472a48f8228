"""Who may call: API keys, users, passwords, sessions and the one-time set-up link."""

import base64
import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hmac import compare_digest
from threading import BoundedSemaphore

from abtest.domain.access import (
    RIGHTS,
    ApiKey,
    AuditEntry,
    KeyId,
    KeyKind,
    Right,
    Role,
    Session,
    User,
    UserName,
)
from abtest.errors import AbtestError, ErrorCode, invalid_field
from abtest.services.checks import is_key, shown
from abtest.services.key_use import note_use
from abtest.store.protocol import ConfigStore

SESSION_AGE = timedelta(days=7)
"""How long a session lasts at most."""
SESSION_IDLE = timedelta(hours=8)
"""How long a session lasts when it is not used."""
_SESSION_STEP = timedelta(minutes=5)
"""A session that is used is prolonged by no less, so that not every page writes."""

MIN_PASSWORD = 10
MAX_PASSWORD = 256

_SETUP_SETTING = "setup_token_hash"

# scrypt with 16 MiB, five times over: OWASP's password storage cheat sheet.
_COST, _BLOCK, _PARALLEL = 2**14, 8, 5
# Few at once: whoever floods the login takes neither the memory nor all the cores.
_HASHING = BoundedSemaphore(2)

ROLE_RIGHTS: dict[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset({Right.READ}),
    Role.EDITOR: frozenset({Right.READ, Right.MANAGE}),
    Role.ADMIN: frozenset({Right.READ, Right.MANAGE}),
}
"""What people may do with experiments; keys and users are an admin's alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody, or a program, that was let in.

    Attributes:
        name: as it stands in the audit log.
        is_crawler: a browser key used by a well-known crawler.
    """

    name: str
    rights: frozenset[Right]
    is_crawler: bool = False

    @property
    def is_trusted(self) -> bool:
        """Whether what it records counts as told by a server."""
        return Right.RECORD_TRUSTED in self.rights


COMMAND_LINE = Caller(name="command line", rights=frozenset(Right))
"""Whoever can run commands beside the database may do everything."""

SERVICE = Caller(name="service", rights=frozenset(Right))
"""What the service does by itself, as its settings say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key just made, with the secret that is shown this once."""

    key: ApiKey
    secret: str


def create_key(
    store: ConfigStore,
    kind: KeyKind,
    *,
    name: str,
    origins: tuple[str, ...] = (),
    caller: Caller,
    now: datetime,
) -> NewKey:
    """Make a key `abtest_<kind>_<43 characters>`; its hash alone is stored.

    Raises:
        AbtestError: `invalid` for origins that are none, or that the kind has not.
    """
    if origins and kind is not KeyKind.PUBLISHABLE:
        raise invalid_field(
            "/origins",
            "unsupported",
            f"a key of kind {kind} has no origins; only pk is used from browsers",
        )
    for index, origin in enumerate(origins):
        _check_origin(f"/origins/{index}", origin)
    secret = f"abtest_{kind}_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        id=KeyId(f"key_{secrets.token_hex(6)}"),
        kind=kind,
        name=name or f"{kind} of {now:%Y-%m-%d}",
        secret_hash=_sha256(secret),
        hint=secret[-4:],
        origins=origins,
        created_at=now,
    )
    store.add_key(key)
    detail = f"{kind} {key.name}"
    store.append_audit(_entry(caller, "key.create", key.id, now, detail))
    return NewKey(key=key, secret=secret)


def revoke_key(
    store: ConfigStore, key_id: KeyId, *, caller: Caller, now: datetime
) -> None:
    """Make the key useless from now on; `not_found` when there is none."""
    store.revoke_key(key_id, now)
    store.append_audit(_entry(caller, "key.revoke", key_id, now))


def rotate_key(
    store: ConfigStore, key_id: KeyId, *, caller: Caller, now: datetime
) -> NewKey:
    """Make a key for the same purpose in the place of one, which is useless then.

    Raises:
        AbtestError: `not_found` when there is no such key, or it was revoked.
    """
    found = [k for k in store.list_keys() if k.id == key_id and k.revoked_at is None]
    if not found:
        raise AbtestError(ErrorCode.NOT_FOUND, f"there is no key {key_id!r} to rotate")
    old = found[0]
    new = create_key(
        store, old.kind, name=old.name, origins=old.origins, caller=caller, now=now
    )
    revoke_key(store, key_id, caller=caller, now=now)
    return new


def find_key(store: ConfigStore, secret: str) -> ApiKey | None:
    """Return the key with this secret unless it was revoked."""
    secret_hash = _sha256(secret)
    key = store.find_key(secret_hash)
    if key is None or not compare_digest(key.secret_hash, secret_hash):
        return None
    note_use(store, key)
    return key


def caller_of(key: ApiKey, *, is_crawler: bool = False) -> Caller:
    """Return what a program with this key may do."""
    return _program(key.id, key.kind, is_crawler=is_crawler)


def caller_of_user(user: User) -> Caller:
    """Return what a person may do."""
    return Caller(name=f"user {user.name}", rights=ROLE_RIGHTS[user.role])


def require(caller: Caller, right: Right) -> None:
    """Raise `not_allowed` unless the caller has the right."""
    if right not in caller.rights:
        raise AbtestError(
            ErrorCode.NOT_ALLOWED,
            f"{caller.name} may not {right.value.replace('_', ' ')};"
            f" use a key of kind {' or '.join(kinds_with(right))}",
        )


def kinds_with(right: Right) -> tuple[str, ...]:
    """Return the kinds of keys that have the right."""
    return tuple(kind.value for kind, rights in RIGHTS.items() if right in rights)


def add_user(
    store: ConfigStore,
    name: str,
    *,
    password: str,
    role: Role,
    caller: Caller,
    now: datetime,
) -> User:
    """Store a person who may look at the pages.

    Raises:
        AbtestError: `invalid` for an unfit name or password, `conflict` when the name
            is taken.
    """
    if not is_key(name.replace("@", "-")):
        raise invalid_field(
            "/name",
            "invalid_name",
            f"name {shown(name)} is unfit; use letters, digits and . _ - @",
        )
    _check_password(password)
    user = User(
        name=UserName(name),
        role=role,
        password_hash=hash_password(password),
        created_at=now,
    )
    store.add_user(user)
    store.append_audit(_entry(caller, "user.add", name, now, role.value))
    return user


def set_password(
    store: ConfigStore, name: str, *, password: str, caller: Caller, now: datetime
) -> None:
    """Give a user another password; whoever is signed in as them is signed out.

    Raises:
        AbtestError: `invalid` for an unfit password, `not_found`.
    """
    _check_password(password)
    store.replace_password(UserName(name), hash_password(password))
    store.append_audit(_entry(caller, "user.password", name, now))


def sign_in(store: ConfigStore, name: str, *, password: str, now: datetime) -> str:
    """Return the cookie of a new session.

    An unknown name takes as long as a wrong password, and is told the same.

    Raises:
        AbtestError: `unauthenticated`.
    """
    user = store.find_user(UserName(name))
    stored = user.password_hash if user else _NOBODY
    if not _is_password(password[:MAX_PASSWORD], stored) or user is None:
        raise AbtestError(
            ErrorCode.UNAUTHENTICATED, "this name and password do not belong together"
        )
    token = secrets.token_urlsafe(32)
    store.add_session(
        Session(
            token_hash=_sha256(token),
            user=user.name,
            created_at=now,
            expires_at=now + SESSION_IDLE,
        )
    )
    return token


def find_signed_in(store: ConfigStore, token: str, now: datetime) -> User | None:
    """Return the person whose session this cookie holds, and keep it from expiring."""
    session = store.find_session(_sha256(token), now)
    if session is None:
        return None
    expires_at = min(now + SESSION_IDLE, session.created_at + SESSION_AGE)
    if expires_at - session.expires_at >= _SESSION_STEP:
        with suppress(AbtestError):  # the page can still be read from a full disk
            store.extend_session(session.token_hash, expires_at)
    return store.find_user(session.user)


def sign_out(store: ConfigStore, token: str) -> None:
    """End the session of this cookie."""
    store.delete_session(_sha256(token))


def make_setup_token(store: ConfigStore) -> str | None:
    """Return a new token that makes the first user; None when there are users.

    An earlier token stops working.
    """
    if store.list_users():
        return None
    token = secrets.token_urlsafe(32)
    store.put_setting(_SETUP_SETTING, _sha256(token))
    return token


def is_setup_token(store: ConfigStore, token: str) -> bool:
    """Tell whether the token may make the first user."""
    stored = store.get_setting(_SETUP_SETTING)
    return (
        stored is not None
        and compare_digest(stored, _sha256(token))
        and not store.list_users()
    )


def redeem_setup_token(
    store: ConfigStore, token: str, *, name: str, password: str, now: datetime
) -> User:
    """Make the first user, an admin; the token works once.

    Raises:
        AbtestError: `unauthenticated` for a wrong or used token; as `add_user`.
    """
    if not is_setup_token(store, token):
        raise AbtestError(
            ErrorCode.UNAUTHENTICATED,
            "this set-up link was used or replaced; the newest one is printed when"
            " the service starts, or run `abtest user add`",
        )
    caller = Caller(name="set-up link", rights=frozenset(Right))
    user = add_user(
        store, name, password=password, role=Role.ADMIN, caller=caller, now=now
    )
    store.put_setting(_SETUP_SETTING, None)
    return user


def hash_password(password: str) -> str:
    """Return `scrypt$salt$hash`, both in base64."""
    salt = secrets.token_bytes(16)
    return "$".join(("scrypt", _base64(salt), _base64(_scrypt(password, salt))))


def _is_password(password: str, stored: str) -> bool:
    _, salt, expected = stored.split("$")
    actual = _scrypt(password, base64.b64decode(salt))
    return compare_digest(actual, base64.b64decode(expected))


@lru_cache(maxsize=1024)
def _program(key_id: KeyId, kind: KeyKind, *, is_crawler: bool) -> Caller:
    """Return the same caller for each of the many requests with a key."""
    return Caller(name=f"key {key_id}", rights=RIGHTS[kind], is_crawler=is_crawler)


def _scrypt(password: str, salt: bytes) -> bytes:
    with _HASHING:
        return hashlib.scrypt(
            password.encode(), salt=salt, n=_COST, r=_BLOCK, p=_PARALLEL, dklen=32
        )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# Hash of no password: what a stranger's attempt is measured against.
_NOBODY = f"scrypt${_base64(bytes(16))}${_base64(bytes(32))}"


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _check_password(password: str) -> None:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise invalid_field(
            "/password",
            "invalid_password",
            f"the password has {len(password)} characters;"
            f" use {MIN_PASSWORD} to {MAX_PASSWORD}",
        )


def _check_origin(pointer: str, origin: str) -> None:
    scheme, separator, host = origin.partition("://")
    if (
        scheme not in {"http", "https"}
        or not separator
        or not host
        or origin != origin.lower()
        or any(c in host for c in "/?#@ *\\")
    ):
        raise invalid_field(
            pointer,
            "invalid_origin",
            f"origin {shown(origin)} is none; write it as https://www.example.com,"
            " in lower case, without a path or *",
        )


def _entry(
    caller: Caller, action: str, subject: str, at: datetime, detail: str = ""
) -> AuditEntry:
    return AuditEntry(
        at=at, actor=caller.name, action=action, subject=subject, detail=detail
    )
