"""Links to results: made by editors, open for a while, revoked at any time."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from abtest.domain.access import AuditEntry, Right
from abtest.domain.experiment import ExperimentKey
from abtest.domain.share import ShareLink, ShareLinkId
from abtest.errors import AbtestError, ErrorCode, invalid_field
from abtest.services.access import Caller, require
from abtest.store.protocol import Store

DAYS = (7, 30, 90)
"""For how long a link may be open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """A link just made, with the token that is shown this once."""

    link: ShareLink
    token: str


def share_results(
    store: Store, key: ExperimentKey, *, days: int, caller: Caller, now: datetime
) -> NewLink:
    """Make a link to the results; the token's hash alone is stored.

    Raises:
        AbtestError: `not_found`, `invalid` for other days than `DAYS`, `not_allowed`.
    """
    require(caller, Right.MANAGE)
    experiment = store.get_experiment(key)
    if days not in DAYS:
        choices = ", ".join(map(str, DAYS))
        raise invalid_field(
            "/days", "invalid_choice", f"days is {days}; use one of {choices}"
        )
    token = secrets.token_urlsafe(32)
    link = ShareLink(
        id=ShareLinkId(f"share_{secrets.token_hex(6)}"),
        token_hash=_hash(token),
        experiment=experiment.key,
        created_by=caller.name,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    store.add_share_link(link)
    _audit(store, caller, "share.create", link, now, f"{link.id}, {days} days")
    return NewLink(link=link, token=token)


def open_link(store: Store, token: str, now: datetime) -> ExperimentKey:
    """Return which experiment the token lets read.

    Raises:
        AbtestError: `not_found` when it never did, or does no more.
    """
    link = store.find_share_link(_hash(token))
    if link is None or not link.is_open(now):
        raise AbtestError(ErrorCode.NOT_FOUND, "this link leads nowhere, or no more")
    return link.experiment


def open_links(
    store: Store, key: ExperimentKey, now: datetime
) -> tuple[ShareLink, ...]:
    """Return the links of an experiment that still lead to it, newest first."""
    links = store.list_share_links(key)
    return tuple(link for link in reversed(links) if link.is_open(now))


def revoke_link(
    store: Store,
    key: ExperimentKey,
    link_id: ShareLinkId,
    *,
    caller: Caller,
    now: datetime,
) -> None:
    """Let the link lead nowhere from now on.

    Raises:
        AbtestError: `not_found`, `not_allowed`.
    """
    require(caller, Right.MANAGE)
    links = store.list_share_links(key)
    link = next((one for one in links if one.id == link_id), None)
    if link is None:
        raise AbtestError(
            ErrorCode.NOT_FOUND, f"{key} has no link {link_id!r} to revoke"
        )
    store.revoke_share_link(link.id, now)
    _audit(store, caller, "share.revoke", link, now, link.id)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _audit(
    store: Store,
    caller: Caller,
    action: str,
    link: ShareLink,
    at: datetime,
    detail: str,
) -> None:
    entry = AuditEntry(
        at=at, actor=caller.name, action=action, subject=link.experiment, detail=detail
    )
    store.append_audit(entry)
