"""Everything stored about one person, and the events behind one experiment."""

import sqlite3
from collections.abc import Iterator

from abtest.domain.events import (
    Conversion,
    Cost,
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
from abtest.domain.person import NameKind, PersonName, PersonRecord, StoredEvent
from abtest.store.sqlite.connection import query
from abtest.store.sqlite.events import CONVERSION, EXPOSURE, REFUND
from abtest.store.sqlite.experiments import Known
from abtest.store.sqlite.people import (
    CUSTOMER,
    VISITOR,
    Node,
    Person,
    members_of,
    persons_of,
    to_json,
)

VISITORS_AT_ONCE = 500
"""Bounds the memory of an export, and how long it reads at a time."""

_KINDS = {NameKind.VISITOR: VISITOR, NameKind.CUSTOMER: CUSTOMER}
_NAME_KINDS = {number: kind for kind, number in _KINDS.items()}


def nodes_of(connection: sqlite3.Connection, name: PersonName) -> list[Node]:
    """Return all nodes of the person; none when the name is unknown."""
    row = connection.execute(
        query("person_named"), (_KINDS[name.kind], name.name)
    ).fetchone()
    if row is None:
        return []
    person = Person(row[0])
    return members_of(connection, [person])[person]


def names_of(
    connection: sqlite3.Connection, nodes: list[Node]
) -> tuple[PersonName, ...]:
    """Return the names behind the nodes, in the order in which they came."""
    rows = connection.execute(query("person_names"), (to_json(nodes),))
    return tuple(PersonName(kind=_NAME_KINDS[kind], name=name) for kind, name in rows)


def find_person(
    connection: sqlite3.Connection, known: Known, name: PersonName
) -> PersonRecord | None:
    """Return everything stored about the person, as of one moment."""
    nodes = nodes_of(connection, name)
    if not nodes:
        return None
    return PersonRecord(
        names=names_of(connection, nodes),
        events=tuple(read_events(connection, known, nodes)),
    )


def read_events(
    connection: sqlite3.Connection, known: Known, nodes: list[Node]
) -> Iterator[StoredEvent]:
    """Give all events of the nodes and the refunds of their orders, in time order."""
    for row in connection.execute(query("person_events"), (to_json(nodes),)):
        (
            id_, received_at, at, kind, trusted, visitor, customer, experiment,
            variant, attributes, step, value, currency, order,
        ) = row  # fmt: skip
        event: Event
        match kind:
            case _ if kind == EXPOSURE:
                event = Exposure(
                    id=EventId(id_),
                    at=at,
                    visitor=VisitorId(visitor),
                    experiment=known.keys[experiment],
                    variant=VariantKey(variant),
                    attributes_json=attributes,
                    trusted=bool(trusted),
                )
            case _ if kind == CONVERSION:
                event = Conversion(
                    id=EventId(id_),
                    at=at,
                    visitor=None if visitor is None else VisitorId(visitor),
                    customer=None if customer is None else CustomerId(customer),
                    step=StepKey(step),
                    value=value,
                    currency=currency,
                    order=order,
                    trusted=bool(trusted),
                )
            case _ if kind == REFUND:
                event = Refund(
                    id=EventId(id_),
                    at=at,
                    order=order,
                    value=value,
                    currency=currency,
                    trusted=bool(trusted),
                )
            case _:
                event = Identity(
                    id=EventId(id_),
                    at=at,
                    visitor=VisitorId(visitor),
                    customer=CustomerId(customer),
                    trusted=bool(trusted),
                )
        yield StoredEvent(event=event, received_at=Milliseconds(received_at))


def events_after(
    connection: sqlite3.Connection, known: Known, experiment: int, last: int
) -> tuple[int, list[Event]]:
    """Return the events behind an experiment of some persons.

    Args:
        last: the visitors with numbers up to this were dealt with.

    Returns:
        The number of the last visitor that was dealt with now, 0 at the end; and the
        events.
    """
    visitors = [
        Node(visitor)
        for (visitor,) in connection.execute(
            query("next_exposed"), (experiment, last, VISITORS_AT_ONCE)
        )
    ]
    if not visitors:
        return 0, []
    persons = set(persons_of(connection, visitors).values())
    found: list[Event] = []
    for nodes in members_of(connection, persons).values():
        exposed = [
            node
            for node, number, *_ in connection.execute(
                query("stored_outcomes"), (to_json(nodes),)
            )
            if number == experiment
        ]
        if min(exposed) > last:
            stored = read_events(connection, known, nodes)
            told = [record.event for record in stored]
            found += _behind(told, known, experiment)
    return visitors[-1], found


def costs_of(
    connection: sqlite3.Connection, experiment: int, key: ExperimentKey
) -> list[Cost]:
    """Return the costs of an experiment."""
    return [
        Cost(
            id=EventId(id_),
            at=at,
            experiment=key,
            source=source,
            day=day,
            amount=amount,
            currency=currency,
        )
        for id_, at, source, day, amount, currency in connection.execute(
            query("costs_of"), (experiment,)
        )
    ]


def _behind(events: list[Event], known: Known, experiment: int) -> Iterator[Event]:
    """Leave out what cannot change an outcome in the experiment."""
    key, steps = known.keys[experiment], known.steps[experiment]
    orders = {e.order for e in events if isinstance(e, Conversion) and e.step in steps}
    for event in events:
        match event:
            case Exposure() if event.experiment != key:
                pass
            case Conversion() if event.step not in steps:
                # It counts nowhere here, but says that two names are one person.
                if event.visitor is not None and event.customer is not None:
                    yield Identity(
                        id=event.id,
                        at=event.at,
                        visitor=event.visitor,
                        customer=event.customer,
                        trusted=event.trusted,
                    )
            case Refund() if event.order not in orders:
                pass
            case _:
                yield event
