"""Judges what a batch brought, from all events of a person only where it must."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from operator import attrgetter

import msgspec

from abtest.domain.events import Conversion, Exposure, Milliseconds
from abtest.domain.funnel import StepKey
from abtest.domain.journey import Journey
from abtest.domain.visitor import History, local_day
from abtest.store.sqlite.connection import query
from abtest.store.sqlite.course import Course
from abtest.store.sqlite.events import CONVERSION
from abtest.store.sqlite.experiments import Known
from abtest.store.sqlite.outcome_rows import (
    NOWHERE,
    WRITE_OUTCOME,
    Row,
    from_text,
    resolved,
)
from abtest.store.sqlite.outcomes import EVERYTHING, judge
from abtest.store.sqlite.people import VISITOR, Node, People, Person, to_json
from abtest.store.sqlite.rollup import Cohort, Sums


@dataclass(slots=True)
class News:
    """What a batch brought about one person.

    Attributes:
        exposures: with the number of the experiment and the visitor's node.
        refunded: steps of orders of which money went back.
    """

    exposures: tuple[tuple[int, Node, Exposure], ...] = ()
    conversions: tuple[Conversion, ...] = ()
    refunded: tuple[StepKey, ...] = ()

    @property
    def reasons(self) -> set[int | str]:
        """Return the experiments and steps that are concerned."""
        return {
            *(number for number, _, _ in self.exposures),
            *(conversion.step for conversion in self.conversions),
            *self.refunded,
        }


@dataclass(frozen=True, slots=True)
class FirstTold:
    """The event that came first of all that name an order."""

    kind: int
    node: Node | None
    step: str | None
    at: Milliseconds
    has_value: bool
    is_trusted: bool


Orders = Mapping[str, FirstTold | None]
"""Orders that several events name; None where the batch is the first to do so."""


@dataclass(slots=True)
class _Standing:
    """What is stored of one person; rows by experiment and visitor."""

    nodes: set[Node]
    rows: dict[int, dict[Node, Row]] = field(default_factory=dict)

    def first(self, experiment: int) -> Node | None:
        """Return the visitor exposed first, who is credited with what the person does.

        None when there are several at the same moment.
        """
        rows = self.rows[experiment]
        if len(rows) == 1:
            return next(iter(rows))
        earliest = min(row.exposed_at for row in rows.values())
        first = [node for node, row in rows.items() if row.exposed_at == earliest]
        return first[0] if len(first) == 1 else None


def told_orders(
    connection: sqlite3.Connection, orders: Iterable[str]
) -> dict[str, FirstTold | None]:
    """Return those orders of a batch, before it is stored, that are not told once."""
    counts = Counter(orders)
    if not counts:
        return {}
    told: dict[str, FirstTold | None] = {o: None for o, n in counts.items() if n > 1}
    for order, *first in connection.execute(query("first_told"), (to_json(counts),)):
        told[order] = FirstTold(*first)
    return told


def take_in(
    connection: sqlite3.Connection,
    known: Known,
    people: People,
    news: Mapping[Person, News],
    *,
    orders: Orders,
) -> AbstractSet[Person]:
    """Bring outcomes and sums up to date with what was just stored.

    Whatever is done here without looking at all events of a person is what `resolve`
    would say of them.

    Returns:
        Those without any exposure.
    """
    arrivals = _Arrivals(known, people, orders)
    lonely: set[Person] = set()
    returning: list[Person] = []
    for person, new in news.items():
        if not people.is_new(person):
            returning.append(person)
        elif not new.exposures:
            lonely.add(person)
        elif any(c.order in orders for c in new.conversions):
            returning.append(person)
        else:
            arrivals.add_newcomer(new)
    for person, standing in _standings(connection, returning).items():
        if standing.rows or news[person].exposures:
            arrivals.add_returning(person, news[person], standing)
        else:
            lonely.add(person)
    arrivals.write(connection)
    return lonely


class _Arrivals:
    """The outcomes that a batch changes, and those that need a closer look."""

    def __init__(self, known: Known, people: People, orders: Orders) -> None:
        self._known = known
        self._people = people
        self._orders = orders
        self._sums = Sums()
        self._visitors: Counter[Cohort] = Counter()
        self._written: list[tuple[int | str | None, ...]] = []
        self._members: dict[Person, set[Node]] = {}
        self._reasons: dict[Person, set[int | str]] = {}
        self._stored: dict[tuple[Node, int], Row] = {}

    def add_newcomer(self, new: News) -> None:
        """Judge somebody whose events are all in the batch."""
        if len(new.exposures) == 1 and not new.conversions:
            ((experiment, visitor, exposure),) = new.exposures
            plan = self._known.plans[experiment]
            if plan.covariate is None:
                variant, at = exposure.variant, exposure.at
                day = local_day(at, plan.time_zone)
                self._visitors[experiment, variant, day] += 1
                self._written.append(
                    (visitor, experiment, variant, day, 1, None, at, None)
                )
                return
        exposures: dict[int, list[Exposure]] = {}
        for experiment, _, exposure in new.exposures:
            exposures.setdefault(experiment, []).append(exposure)
        for experiment, seen in exposures.items():
            history = History(exposures=seen, conversions=new.conversions)
            for outcome, row in resolved(history, self._known.plans[experiment]):
                self._sums.add(experiment, outcome)
                visitor = self._people.nodes[VISITOR, outcome.visitor]
                self._written.append((visitor, experiment, *row))

    def add_returning(self, person: Person, new: News, standing: _Standing) -> None:
        """Judge somebody of whom there were events before."""
        reasons = self._reasons_for(person, new, standing)
        if reasons:
            self._reasons[person] = reasons
            self._members[person] = standing.nodes
            for experiment, rows in standing.rows.items():
                for node, row in rows.items():
                    self._stored[node, experiment] = row

    def write(self, connection: sqlite3.Connection) -> None:
        """Write what is known, and judge the others from all of their events."""
        for cohort, visitors in self._visitors.items():
            self._sums.add_visitors(cohort, visitors)
        connection.executemany(WRITE_OUTCOME, self._written)
        self._sums.write(connection)
        judge(
            connection,
            self._known,
            self._members,
            reasons=self._reasons,
            stored=self._stored,
        )

    def _reasons_for(
        self, person: Person, new: News, standing: _Standing
    ) -> set[int | str]:
        """Do what can be done at once; return why the rest must be judged."""
        if person in self._people.merged:
            return {EVERYTHING}
        if new.refunded or not all(
            _is_seen_again(standing, experiment, visitor, exposure)
            for experiment, visitor, exposure in new.exposures
        ):
            return new.reasons
        conversions: Sequence[Conversion] = new.conversions
        if self._orders:
            conversions = [
                c
                for c in conversions
                if not _is_told_again(c, self._orders, standing.nodes)
            ]
        return {
            experiment
            for experiment in standing.rows
            if not self._follow(experiment, conversions, standing)
        }

    def _follow(
        self, experiment: int, conversions: Iterable[Conversion], standing: _Standing
    ) -> bool:
        """Add what the conversions mean, if that can be told from the journey so far.

        Returns:
            Whether it could; if not, nothing was added.
        """
        steps = self._known.steps[experiment]
        some = [c for c in conversions if c.step in steps]
        if not some:
            return True
        visitor = standing.first(experiment)
        if visitor is None or (
            self._orders and any(c.order in self._orders for c in some)
        ):
            return False
        row = standing.rows[experiment][visitor]
        journey = self._journey(experiment, row)
        if journey is None:
            return False
        course = Course(row, journey, self._known.plans[experiment])
        if len(some) > 1:
            some.sort(key=attrgetter("at", "id"))
        if not course.take(some):
            return False
        if course.journey is not journey:
            after = course.add_to(self._sums, experiment)
            self._written.append((visitor, experiment, *after))
        return True

    def _journey(self, experiment: int, row: Row) -> Journey | None:
        """Return how far somebody has come, if it is known."""
        if row.journey is not None:
            return from_text(row.journey)
        plan, steps = self._known.plans[experiment], self._known.steps[experiment]
        # Before journeys were kept, a step of the goal alone left no trace.
        is_nowhere = row.is_idle and row.variants_seen == 1
        return NOWHERE if is_nowhere and len(steps) == len(plan.steps) else None


def _is_seen_again(
    standing: _Standing, experiment: int, visitor: Node, exposure: Exposure
) -> bool:
    """Whether the visitor saw a variant that the person saw, once more."""
    row = standing.rows.get(experiment, {}).get(visitor)
    if row is None or exposure.at <= row.exposed_at:
        return False
    if row.variants_seen == 1:
        return exposure.variant == row.variant
    first = standing.first(experiment)
    told = None if first is None else standing.rows[experiment][first].journey
    return told is not None and exposure.variant in from_text(told).variants


def _is_told_again(
    conversion: Conversion, orders: Orders, nodes: AbstractSet[Node]
) -> bool:
    """Whether the person told of the order before, and no less of it."""
    first = None if conversion.order is None else orders.get(conversion.order)
    return (
        first is not None
        and first.kind == CONVERSION
        and first.node in nodes
        and first.step == conversion.step
        and first.at < conversion.at
        and (
            conversion.value is None
            or (first.has_value and (first.is_trusted or not conversion.trusted))
        )
    )


def _standings(
    connection: sqlite3.Connection, persons: Iterable[Person]
) -> dict[Person, _Standing]:
    found = {person: _Standing({Node(person)}) for person in persons}
    if not found:
        return found
    (told,) = connection.execute(query("standing"), (to_json(found),)).fetchone()
    for person, node, experiment, *row in msgspec.json.decode(told):
        standing = found[person]
        standing.nodes.add(node)
        if experiment is not None:
            standing.rows.setdefault(experiment, {})[node] = Row(*row)
    return found
