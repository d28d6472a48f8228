"""The people who may look at the pages: their coming, roles, passwords and going."""

import secrets
from datetime import datetime

from abtest.domain.access import AuditEntry, Role, User, UserName
from abtest.services.access import (
    Caller,
    add_user,
    caller_of_user,
    set_password,
    sign_in,
    sign_out,
)
from abtest.store.protocol import ConfigStore

_LENGTH = 15
"""Bytes of chance in a password that is made: 20 characters."""


def invite(
    store: ConfigStore, name: str, *, role: Role, caller: Caller, now: datetime
) -> str:
    """Add a person and return the password made for them, which is shown this once.

    Raises:
        AbtestError: as `access.add_user`.
    """
    password = secrets.token_urlsafe(_LENGTH)
    add_user(store, name, password=password, role=role, caller=caller, now=now)
    return password


def reset_password(
    store: ConfigStore, name: str, *, caller: Caller, now: datetime
) -> str:
    """Return a new password made for somebody; they are signed out everywhere.

    Raises:
        AbtestError: `not_found`.
    """
    password = secrets.token_urlsafe(_LENGTH)
    set_password(store, name, password=password, caller=caller, now=now)
    return password


def change_password(
    store: ConfigStore, user: User, *, present: str, wanted: str, now: datetime
) -> str:
    """Change one's own password and return the cookie of a new session.

    All other sessions end.

    Raises:
        AbtestError: `unauthenticated` when the present one is wrong; `invalid` when
            the new one is unfit.
    """
    sign_out(store, sign_in(store, user.name, password=present, now=now))
    caller = caller_of_user(user)
    set_password(store, user.name, password=wanted, caller=caller, now=now)
    return sign_in(store, user.name, password=wanted, now=now)


def change_role(
    store: ConfigStore, name: str, role: Role, *, caller: Caller, now: datetime
) -> None:
    """Let somebody do more, or less, from their next page on.

    Raises:
        AbtestError: `not_found`; `conflict` when no admin would be left.
    """
    store.replace_role(UserName(name), role)
    _note(store, "user.role", name, caller=caller, now=now, detail=role.value)


def remove_user(
    store: ConfigStore, name: str, *, caller: Caller, now: datetime
) -> None:
    """Delete somebody, who is signed out; what they did stays in the audit log.

    Raises:
        AbtestError: `not_found`; `conflict` when no admin would be left.
    """
    store.delete_user(UserName(name))
    _note(store, "user.remove", name, caller=caller, now=now)


def _note(
    store: ConfigStore,
    action: str,
    name: str,
    *,
    caller: Caller,
    now: datetime,
    detail: str = "",
) -> None:
    entry = AuditEntry(
        at=now, actor=caller.name, action=action, subject=name, detail=detail
    )
    store.append_audit(entry)
