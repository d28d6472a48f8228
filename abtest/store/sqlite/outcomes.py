"""Judges persons anew and brings their outcomes and the sums up to date."""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from abtest.domain.events import Conversion, Exposure, Milliseconds, Refund
from abtest.domain.experiment import VisitorId
from abtest.domain.visitor import History, local_day
from abtest.store.sqlite.connection import query
from abtest.store.sqlite.events import EXPOSURE
from abtest.store.sqlite.experiments import Known
from abtest.store.sqlite.outcome_rows import WRITE_OUTCOME, Row, from_row, resolved
from abtest.store.sqlite.people import Node, Person, members_of, persons_of, to_json
from abtest.store.sqlite.rollup import Sums

EVERYTHING = 0
"""A reason that concerns all experiments of a person."""

Reasons = Mapping[Person, Collection[int | str]]
"""Why a person is judged anew: numbers of experiments, step keys, or EVERYTHING."""

PERSONS_AT_ONCE = 1000
"""Bounds the memory of tasks that judge everybody."""


@dataclass(frozen=True, slots=True)
class _Events:
    """What is known of one person; exposures by experiment."""

    exposures: dict[int, list[Exposure]] = field(
        default_factory=lambda: defaultdict(list)
    )
    conversions: list[Conversion] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)


def refresh(
    connection: sqlite3.Connection, known: Known, reasons: Reasons
) -> AbstractSet[Person]:
    """Judge the persons anew in the experiments that the reasons concern.

    Somebody without any exposure costs no more than finding that out.

    Returns:
        Those without any exposure.
    """
    members = members_of(connection, reasons)
    stored = _stored(connection, [n for nodes in members.values() for n in nodes])
    exposed = {node for node, _ in stored}
    affected = {
        person: nodes
        for person, nodes in members.items()
        if not exposed.isdisjoint(nodes)
        or any(isinstance(reason, int) and reason for reason in reasons[person])
    }
    judge(connection, known, affected, reasons=reasons, stored=stored)
    return members.keys() - affected.keys()


def judge_whole(
    connection: sqlite3.Connection, known: Known, persons: Iterable[Person]
) -> Mapping[Person, list[Node]]:
    """Judge the persons anew in everything; return their nodes."""
    members = members_of(connection, persons)
    stored = _stored(connection, [n for nodes in members.values() for n in nodes])
    reasons = {person: {EVERYTHING} for person in members}
    judge(connection, known, members, reasons=reasons, stored=stored)
    return members


def rejudge(connection: sqlite3.Connection, known: Known, experiment: int) -> None:
    """Judge everybody in the experiment anew, after its plan was changed.

    Who stands alone and did nothing but look, which is true of most, is counted on
    the day that the plan says, and not looked at any closer.
    """
    plan = known.plans[experiment]
    last = 0
    while rows := connection.execute(
        query("next_judged"), (experiment, last, PERSONS_AT_ONCE)
    ).fetchall():
        sums = Sums()
        moved: list[tuple[int | str | None, ...]] = []
        others: list[Node] = []
        for visitor, is_idle, *stored in rows:
            row = Row(*stored)
            if not is_idle or plan.covariate is not None:
                others.append(visitor)
                continue
            day = local_day(Milliseconds(row.exposed_at), plan.time_zone)
            if day == row.day and row.detail is None:
                continue
            name = VisitorId(str(visitor))
            after = row._replace(day=day, detail=None)
            sums.add(experiment, from_row(name, row), sign=-1)
            sums.add(experiment, from_row(name, after))
            moved.append((visitor, experiment, *after))
        connection.executemany(WRITE_OUTCOME, moved)
        sums.write(connection)
        persons = persons_of(connection, others).values()
        refresh(connection, known, {p: {experiment} for p in persons})
        last = rows[-1][0]


def judge(
    connection: sqlite3.Connection,
    known: Known,
    members: Mapping[Person, Iterable[Node]],
    *,
    reasons: Reasons,
    stored: Mapping[tuple[Node, int], Row],
) -> None:
    """Judge persons, given with all their nodes, and write what differs from stored."""
    if not members:
        return
    sums = Sums()
    changed: list[tuple[int | str | None, ...]] = []
    for person, events in _load(connection, known, members).items():
        for experiment, exposures in events.exposures.items():
            if not _concerns(reasons[person], experiment, known):
                continue
            history = History(
                exposures=exposures,
                conversions=events.conversions,
                refunds=events.refunds,
            )
            for outcome, after in resolved(history, known.plans[experiment]):
                visitor = Node(int(outcome.visitor))
                before = stored.get((visitor, experiment))
                if before == after:
                    continue
                if before is not None:
                    old = from_row(outcome.visitor, before)
                    sums.add(experiment, old, sign=-1)
                sums.add(experiment, outcome)
                changed.append((visitor, experiment, *after))
    connection.executemany(WRITE_OUTCOME, changed)
    sums.write(connection)


def _concerns(reasons: Collection[int | str], experiment: int, known: Known) -> bool:
    return (
        experiment in reasons
        or EVERYTHING in reasons
        or not known.steps[experiment].isdisjoint(reasons)
    )


def _stored(
    connection: sqlite3.Connection, visitors: Iterable[Node]
) -> dict[tuple[Node, int], Row]:
    rows = connection.execute(query("full_outcomes"), (to_json(visitors),))
    return {(visitor, experiment): Row(*row) for visitor, experiment, *row in rows}


def _load(
    connection: sqlite3.Connection,
    known: Known,
    members: Mapping[Person, Iterable[Node]],
) -> dict[Person, _Events]:
    """Read everything that `resolve` looks at."""
    owners = {node: person for person, nodes in members.items() for node in nodes}
    found: dict[Person, _Events] = defaultdict(_Events)
    buyers: dict[str, set[Person]] = defaultdict(set)
    for row in connection.execute(query("history"), (to_json(owners),)):
        node, kind, id_, at, experiment, variant, attributes, *told = row
        person = owners[node]
        if kind == EXPOSURE:
            # Visitors need only be told apart, so the number serves as the name.
            exposure = Exposure(
                id=id_,
                at=at,
                visitor=VisitorId(str(node)),
                experiment=known.keys[experiment],
                variant=variant,
                attributes_json=attributes,
            )
            found[person].exposures[experiment].append(exposure)
            continue
        step, value, currency, order, is_trusted = told
        found[person].conversions.append(
            Conversion(
                id=id_,
                at=at,
                step=step,
                value=value,
                currency=currency,
                order=order,
                trusted=bool(is_trusted),
            )
        )
        if order is not None:
            buyers[order].add(person)
    if buyers:
        for order, id_, at, value, currency in connection.execute(
            query("refunds"), (to_json(buyers),)
        ):
            refund = Refund(id=id_, at=at, order=order, value=value, currency=currency)
            for person in buyers[order]:
                found[person].refunds.append(refund)
    return found
