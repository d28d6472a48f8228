"""Judges what a batch brought, from all events of a person only where it must."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import msgspec

from abtest.domain.events import Conversion, EventId, Exposure, Milliseconds
from abtest.domain.experiment import ExperimentKey, VariantKey, VisitorId
from abtest.domain.funnel import StepKey
from abtest.domain.settled import Settled
from abtest.domain.visitor import (
    Entry,
    History,
    OutcomePlan,
    entries_of,
    local_day,
    resolve,
)
from abtest.store.sqlite.connection import query
from abtest.store.sqlite.events import CONVERSION
from abtest.store.sqlite.experiments import Known
from abtest.store.sqlite.outcomes import (
    EVERYTHING,
    WRITE_OUTCOME,
    Row,
    first_exposures,
    judge,
    to_detail,
    to_row,
)
from abtest.store.sqlite.people import VISITOR, Node, People, Person, to_json
from abtest.store.sqlite.rollup import Cohort, Sums

_IDLE = "[[],[]"
"""How the detail of a visitor begins who did nothing; it is null without covariate."""


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
    """What is stored of one person."""

    nodes: set[Node]
    outcomes: dict[tuple[Node, int], Row] = field(default_factory=dict)
    settled: dict[int, str] = field(default_factory=dict)


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
        if standing.outcomes or news[person].exposures:
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
        self._rows: list[tuple[int | str | None, ...]] = []
        self._members: dict[Person, set[Node]] = {}
        self._reasons: dict[Person, set[int | str]] = {}
        self._stored: dict[tuple[Node, int], Row] = {}
        self._unsettled: list[tuple[Person]] = []

    def add_newcomer(self, new: News) -> None:
        """Judge somebody whose events are all in the batch."""
        if len(new.exposures) == 1 and not new.conversions:
            ((experiment, visitor, exposure),) = new.exposures
            plan = self._known.plans[experiment]
            if plan.covariate is None:
                day = local_day(exposure.at, plan.time_zone)
                self._visitors[experiment, exposure.variant, day] += 1
                self._rows.append(
                    (visitor, experiment, exposure.variant, day, 1, None, exposure.at)
                )
                return
        exposures: dict[int, list[Exposure]] = {}
        for experiment, _, exposure in new.exposures:
            exposures.setdefault(experiment, []).append(exposure)
        for experiment, seen in exposures.items():
            history = History(exposures=seen, conversions=new.conversions)
            first_at = first_exposures(seen)
            for outcome in resolve(history, self._known.plans[experiment]):
                self._sums.add(experiment, outcome)
                visitor = self._people.nodes[VISITOR, outcome.visitor]
                row = to_row(outcome, first_at[outcome.visitor])
                self._rows.append((visitor, experiment, *row))

    def add_returning(self, person: Person, new: News, standing: _Standing) -> None:
        """Judge somebody of whom there were events before."""
        reasons = self._reasons_for(person, new, standing)
        if reasons:
            self._reasons[person] = reasons
            self._members[person] = standing.nodes
            self._stored |= standing.outcomes
            if standing.settled:
                self._unsettled.append((person,))

    def write(self, connection: sqlite3.Connection) -> None:
        """Write what is known, and judge the others from all of their events."""
        for cohort, visitors in self._visitors.items():
            self._sums.add_visitors(cohort, visitors)
        connection.executemany(WRITE_OUTCOME, self._rows)
        self._sums.write(connection)
        connection.executemany("DELETE FROM busy WHERE person = ?", self._unsettled)
        judge(
            connection,
            self._known,
            self._members,
            reasons=self._reasons,
            stored=self._stored,
            settling=True,
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
        if not new.conversions:
            return set()
        reasons: set[int | str] = set()
        for experiment in {number for _, number in standing.outcomes}:
            steps = self._known.steps[experiment]
            conversions = [c for c in new.conversions if c.step in steps]
            if not (
                not conversions
                or self._is_settled(experiment, conversions, standing)
                or self._is_first_deed(person, experiment, conversions, standing)
            ):
                reasons.add(experiment)
        return reasons

    def _is_settled(
        self, experiment: int, conversions: Iterable[Conversion], standing: _Standing
    ) -> bool:
        """Whether the conversions of somebody very busy change nothing."""
        if experiment not in standing.settled:
            return False
        settled = msgspec.json.decode(standing.settled[experiment], type=Settled)
        return all(
            _is_told_again(c, self._orders[c.order], standing.nodes)
            if c.order is not None and c.order in self._orders
            else settled.outlasts(c)
            for c in conversions
        )

    def _is_first_deed(
        self,
        person: Person,
        experiment: int,
        conversions: Sequence[Conversion],
        standing: _Standing,
    ) -> bool:
        """Add the first deeds of a lone visitor, if that is what they are."""
        plan, steps = self._known.plans[experiment], self._known.steps[experiment]
        row = standing.outcomes.get((Node(person), experiment))
        if (
            row is None
            or len(standing.nodes) > 1
            or experiment in standing.settled
            or not (row[3] is None or row[3].startswith(_IDLE))
            or any(c.order in self._orders for c in conversions)
            # A step of the goal alone leaves no trace in an outcome.
            or len(steps) != len(plan.steps)
        ):
            return False
        variant, day, variants_seen, detail, exposed_at = row
        key = self._known.keys[experiment]
        entries, reached = _deeds(row, conversions, plan, key)
        if reached:
            covariate = 0 if detail is None else msgspec.json.decode(detail)[2]
            self._sums.add_deeds(
                (experiment, variant, day), entries, reached, covariate=covariate
            )
            detail = to_detail(entries, reached, covariate)
            self._rows.append(
                (person, experiment, variant, day, variants_seen, detail, exposed_at)
            )
        return True


def _deeds(
    row: Row, conversions: Sequence[Conversion], plan: OutcomePlan, key: ExperimentKey
) -> tuple[Sequence[Entry], Sequence[tuple[str, int]]]:
    """Return entries and steps of somebody exposed who did nothing else.

    One conversion is the usual case, and the rest of `resolve` is about several.
    """
    _, day, _, _, exposed_at = row
    if len(conversions) == 1:
        (conversion,) = conversions
        if conversion.at < exposed_at:
            return (), ()
        lag = local_day(conversion.at, plan.time_zone) - day
        is_first = conversion.step == plan.goal.first
        entries = entries_of(1, conversion, (), day, plan) if is_first else ()
        return entries, ((conversion.step, lag),)
    # Who it was and what the exposure told does not matter here.
    exposure = Exposure(
        id=EventId(b""),
        at=Milliseconds(exposed_at),
        visitor=VisitorId(""),
        experiment=key,
        variant=VariantKey(row[0]),
    )
    history = History(exposures=(exposure,), conversions=conversions)
    (outcome,) = resolve(history, plan)
    return outcome.entries, outcome.steps


def _is_seen_again(
    standing: _Standing, experiment: int, visitor: Node, exposure: Exposure
) -> bool:
    """Whether the visitor saw the only variant that the person saw, once more."""
    row = standing.outcomes.get((visitor, experiment))
    if row is None:
        return False
    variant, _, variants_seen, _, exposed_at = row
    if exposure.at <= exposed_at:
        return False
    if variants_seen == 1:
        return exposure.variant == variant
    if experiment not in standing.settled:
        return False
    settled = msgspec.json.decode(standing.settled[experiment], type=Settled)
    return exposure.variant in settled.variants


def _is_told_again(
    conversion: Conversion, first: FirstTold | None, nodes: AbstractSet[Node]
) -> bool:
    """Whether the person told of the order before, and no less of it."""
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
    for person, node, experiment, *row, settled in connection.execute(
        query("standing"), (to_json(found),)
    ):
        standing = found[person]
        standing.nodes.add(node)
        if experiment is not None:
            standing.outcomes[node, experiment] = tuple(row)
            if settled is not None:
                standing.settled[experiment] = settled
    return found
