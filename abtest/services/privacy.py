"""A person's data shown and erased; old events folded; an experiment's events given."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from abtest.domain.access import AuditEntry, Right
from abtest.domain.experiment import ExperimentKey
from abtest.domain.person import NameKind, PersonName, PersonRecord
from abtest.domain.visitor import to_milliseconds
from abtest.errors import AbtestError, ErrorCode, invalid_field
from abtest.services.access import Caller, require
from abtest.services.checks import shown
from abtest.services.event_documents import to_request
from abtest.services.event_rules import EventRequest
from abtest.store.privacy_protocol import Erased, Folded, Space
from abtest.store.protocol import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class GarbageSummary:
    """What a folding did, or in a rehearsal would do.

    Attributes:
        horizon: events before it are taken no more.
        persons, visitors, events: deleted; what they add up to stays.
        kept_persons: who have newer events or are in an experiment that goes on.
        experiments: those that lost visitors' events in this run.
        folded: visitors whose events are deleted, by experiment, of all runs so far.
            Such an experiment keeps its report, but cannot be rebuilt from events,
            planned anew, segmented or have its customers listed in full.
        before, after: bytes of the files; `after.free` is used again by new events.
    """

    is_rehearsal: bool
    horizon: datetime
    persons: int
    visitors: int
    events: int
    kept_persons: int
    experiments: tuple[ExperimentKey, ...]
    folded: dict[ExperimentKey, int]
    before: Space
    after: Space


def person_name(kind: str, name: str) -> PersonName:
    """Read who is meant.

    Raises:
        AbtestError: `invalid` for a kind that is none.
    """
    try:
        return PersonName(kind=NameKind(kind), name=name)
    except ValueError:
        raise invalid_field(
            "?kind",
            "invalid_choice",
            f"kind {shown(kind)} is none; use one of {', '.join(NameKind)}",
        ) from None


def show_person(store: Store, name: PersonName, caller: Caller) -> PersonRecord:
    """Return everything stored about the person with this name.

    Raises:
        AbtestError: `not_found`; `not_allowed`.
    """
    require(caller, Right.MANAGE)
    record = store.find_person(name)
    if record is None:
        raise AbtestError(
            ErrorCode.NOT_FOUND, f"nothing is stored about this {name.kind}"
        )
    return record


def erase_person(
    store: Store, name: PersonName, caller: Caller, now: datetime
) -> Erased:
    """Erase the person: every name, every event, the part in every sum.

    The audit log says that it was done and not of whom. Nothing happens to somebody
    unknown.

    Raises:
        AbtestError: `not_allowed`; `unavailable`, then ask again.
    """
    require(caller, Right.MANAGE)
    erased = store.erase_person(name)
    if erased.persons:
        entry = AuditEntry(
            at=now,
            actor=caller.name,
            action="person.erase",
            subject="1 person",
            detail=f"{erased.events} events",
        )
        store.append_audit(entry)
    return erased


def export_events(store: Store, key: ExperimentKey) -> Iterator[EventRequest]:
    """Give the raw events behind an experiment in the form in which they are sent.

    Recorded in another installation for the same experiment, they give its report.

    Raises:
        AbtestError: `not_found`.
    """
    store.get_experiment(key)
    return map(to_request, store.experiment_events(key))


def collect_garbage(
    store: Store,
    keep_days: int,
    *,
    caller: Caller,
    now: datetime,
    is_rehearsal: bool = False,
    compacts: bool = False,
) -> Iterator[int | GarbageSummary]:
    """Fold what is older than so many days, while the iterator is consumed.

    Args:
        keep_days: the horizon is the beginning of the UTC day so many days back.
        compacts: give free space back to the disk in the end.

    Returns:
        Persons looked at so far, again and again; the summary in the end.

    Raises:
        AbtestError: `invalid` for less than a day; `not_allowed`; `unavailable`, then
            every step that was done stays done.
    """
    require(caller, Right.MANAGE)
    if keep_days < 1:
        raise invalid_field(
            "/keep_days", "too_small", f"{keep_days} days are none; keep at least 1"
        )
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    asked = to_milliseconds(day - timedelta(days=keep_days))
    horizon = max(asked, store.retention().horizon or asked)
    before = store.space()
    steps: list[Folded] = []
    checked = 0
    for step in store.fold(horizon, is_rehearsal=is_rehearsal):
        checked += step.checked
        if step.persons:
            steps.append(step)
        yield checked
    if compacts and not is_rehearsal:
        store.compact()
    persons = sum(step.persons for step in steps)
    events = sum(step.events for step in steps)
    if persons and not is_rehearsal:
        entry = AuditEntry(
            at=now,
            actor=caller.name,
            action="events.fold",
            subject=f"{persons} persons",
            detail=f"{events} events before {day - timedelta(days=keep_days):%Y-%m-%d}",
        )
        store.append_audit(entry)
    yield GarbageSummary(
        is_rehearsal=is_rehearsal,
        horizon=datetime.fromtimestamp(horizon / 1000, UTC),
        persons=persons,
        visitors=sum(step.visitors for step in steps),
        events=events,
        kept_persons=checked - persons,
        experiments=tuple(
            sorted(
                frozenset[ExperimentKey]().union(*(step.experiments for step in steps))
            )
        ),
        folded=dict(store.folded_visitors()),
        before=before,
        after=store.space(),
    )
