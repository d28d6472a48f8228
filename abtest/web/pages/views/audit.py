"""Everything the page of the audit log shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from urllib.parse import urlencode

from abtest.domain.access import ApiKey, AuditEntry
from abtest.domain.experiment import Experiment
from abtest.store.protocol import AuditLeaf
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark

_ACTIONS: Mapping[str, str] = {
    "experiment.create": mark("created the experiment"),
    "experiment.update": mark("changed the experiment"),
    "experiment.start": mark("started the experiment"),
    "experiment.pause": mark("paused the experiment"),
    "experiment.resume": mark("let the experiment go on"),
    "experiment.close": mark("closed the experiment to new visitors"),
    "experiment.stop": mark("stopped the experiment"),
    "experiment.decide": mark("decided the experiment"),
    "experiment.archive": mark("archived the experiment"),
    "experiment.import": mark("imported data"),
    "experiment.note": mark("wrote a note"),
    "share.create": mark("made a link to the results"),
    "share.revoke": mark("ended a link to the results"),
    "key.create": mark("made a key"),
    "key.revoke": mark("revoked a key"),
    "user.add": mark("added a person"),
    "user.password": mark("changed a password"),
    "user.role": mark("changed a role"),
    "user.remove": mark("removed a person"),
    "person.erase": mark("erased a visitor's data"),
    "events.fold": mark("deleted old events"),
}
"""What is done, in words; anything else is shown as it is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One entry; `link` is empty where the subject has no page."""

    at: str
    stamp: str
    who: str
    what: str
    subject: str
    link: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An experiment whose entries can be chosen."""

    key: str
    name: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """The page; `older` and `newest` are addresses, empty where there is nothing."""

    rows: tuple[AuditRow, ...]
    choices: tuple[Choice, ...]
    chosen: str
    older: str
    newest: str


def view_audit(
    reader: Reader,
    leaf: AuditLeaf,
    *,
    experiments: Sequence[Experiment],
    keys: Sequence[ApiKey],
    chosen: str,
    is_first: bool,
) -> AuditView:
    """Write the entries in the reader's words; times are in UTC."""
    titles: dict[str, str] = {str(one.key): one.name for one in experiments}
    names: dict[str, str] = {str(key.id): key.name for key in keys}
    return AuditView(
        rows=tuple(_row(reader, entry, titles, names) for entry in leaf.entries),
        choices=tuple(
            Choice(key=key, name=name, is_chosen=key == chosen)
            for key, name in titles.items()
        ),
        chosen=chosen,
        older="" if leaf.older is None else _address(chosen, before=str(leaf.older)),
        newest="" if is_first else _address(chosen),
    )


def _row(
    reader: Reader,
    entry: AuditEntry,
    titles: Mapping[str, str],
    names: Mapping[str, str],
) -> AuditRow:
    is_experiment = entry.action.startswith("experiment.") and entry.subject in titles
    subject = titles[entry.subject] if is_experiment else entry.subject
    return AuditRow(
        at=reader.format.moment(entry.at, UTC),
        stamp=entry.at.astimezone(UTC).isoformat(timespec="seconds"),
        who=_actor(reader, entry.actor, names),
        what=reader.gettext(_ACTIONS[entry.action])
        if entry.action in _ACTIONS
        else entry.action,
        subject=names.get(subject, subject),
        link=f"/experiments/{entry.subject}" if is_experiment else "",
        detail=entry.detail,
    )


def _actor(reader: Reader, actor: str, names: Mapping[str, str]) -> str:
    kind, _, name = actor.partition(" ")
    match kind:
        case "user":
            return name
        case "key":
            return reader.gettext("key “{name}”", name=names.get(name, name))
        case _ if actor == "command line":
            return reader.gettext("Command line")
        case _ if actor == "set-up link":
            return reader.gettext("Set-up link")
        case _:
            return actor


def _address(chosen: str, **more: str) -> str:
    query = {"experiment": chosen, **more} if chosen else more
    return f"/settings/audit?{urlencode(query)}" if query else "/settings/audit"
