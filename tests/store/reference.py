"""What a store must say about a set of events, worked out the slow and simple way."""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import TypeVar

from abtest.domain.events import Conversion, Event, Exposure, Identity, Refund
from abtest.domain.experiment import Experiment, VariantKey
from abtest.domain.funnel import LaterStep, Repeat
from abtest.domain.visitor import History, Outcome, OutcomePlan, resolve
from abtest.stats.moments import (
    Cell,
    CellKey,
    CovariateCell,
    CovariateCohort,
    Moments,
    Pair,
    PairKey,
    StepKey,
)
from abtest.store.protocol import ExperimentFacts

K = TypeVar("K")
T = TypeVar("T", bound=tuple[int, ...])
Name = tuple[str, str]


def expected_moments(
    events: Iterable[Event], experiment: Experiment
) -> Mapping[VariantKey, Moments]:
    """Return the sums over all visitors, each judged from all events."""
    found: dict[VariantKey, list[Outcome]] = {}
    for outcome in outcomes_in(events, experiment):
        found.setdefault(outcome.variant, []).append(outcome)
    return {variant: sums_of(outcomes) for variant, outcomes in found.items()}


def expected_facts(events: Iterable[Event], experiment: Experiment) -> ExperimentFacts:
    """Return the facts."""
    events = list(events)
    exposed = [e.at for e in exposures_in(events, experiment)]
    converted = [e.at for e in _conversions(events, experiment)]
    return ExperimentFacts(
        contaminated=sum(o.variants_seen > 1 for o in outcomes_in(events, experiment)),
        first_exposure=min(exposed, default=None),
        last_exposure=max(exposed, default=None),
        last_event=max(exposed + converted, default=None),
    )


def expected_activity(
    events: Iterable[Event], experiment: Experiment
) -> dict[int, tuple[int, int]]:
    """Return exposures and conversions of each day that has any."""
    exposures: Counter[int] = Counter()
    conversions: Counter[int] = Counter()
    for outcome in outcomes_in(events, experiment):
        exposures[outcome.day] += 1
        conversions.update(outcome.day + lag for _, lag in outcome.steps)
        if isinstance(experiment.goal.second, Repeat):
            conversions.update(
                outcome.day + e.lag
                for e in outcome.entries
                if e.ordinal == 2 and e.count
            )
    days = exposures.keys() | conversions.keys()
    return {day: (exposures[day], conversions[day]) for day in days}


def outcomes_in(events: Iterable[Event], experiment: Experiment) -> list[Outcome]:
    events = list(events)
    refunds = [e for e in events if isinstance(e, Refund)]
    outcomes: list[Outcome] = []
    for person in persons_in(events):
        history = History(
            exposures=[e for e in exposures_in(events, experiment) if is_of(e, person)],
            conversions=[
                e for e in events if isinstance(e, Conversion) and is_of(e, person)
            ],
            refunds=refunds,
        )
        outcomes += resolve(history, OutcomePlan.of(experiment))
    return outcomes


def sums_of(outcomes: Iterable[Outcome]) -> Moments:
    cohorts: Counter[int] = Counter()
    steps: Counter[StepKey] = Counter()
    cells: dict[CellKey, list[Cell]] = {}
    pairs: dict[PairKey, list[Pair]] = {}
    known: dict[int, list[CovariateCohort]] = {}
    crossed: dict[CellKey, list[CovariateCell]] = {}
    for outcome in outcomes:
        cohorts[outcome.day] += 1
        x = outcome.covariate
        known.setdefault(outcome.day, []).append(CovariateCohort(x, x**2))
        for step, lag in outcome.steps:
            steps[StepKey(outcome.day, lag, step)] += 1
        for e in outcome.entries:
            key = CellKey(outcome.day, e.lag, e.ordinal)
            cells.setdefault(key, []).append(Cell(e.count, e.amount, e.amount**2))
            by_both = CovariateCell(x * e.count, x * e.amount)
            crossed.setdefault(key, []).append(by_both)
        for e, f in combinations(outcome.entries, 2):
            a, b = sorted((e, f), key=lambda entry: (entry.ordinal, entry.lag))
            pair = Pair(
                conversions=a.count * b.count,
                product=a.amount * b.amount,
                count_amount=a.count * b.amount,
                amount_count=a.amount * b.count,
            )
            where = PairKey(outcome.day, a.ordinal, a.lag, b.ordinal, b.lag)
            pairs.setdefault(where, []).append(pair)
    return Moments(
        cohorts=dict(cohorts),
        cells=_not_zero({k: Cell(*_sums(v)) for k, v in cells.items()}),
        pairs=_not_zero({k: Pair(*_sums(v)) for k, v in pairs.items()}),
        steps=dict(steps),
        covariate_cohorts=_not_zero(
            {k: CovariateCohort(*_sums(v)) for k, v in known.items()}
        ),
        covariate_cells=_not_zero(
            {k: CovariateCell(*_sums(v)) for k, v in crossed.items()}
        ),
    )


def _sums(rows: Iterable[tuple[int, ...]]) -> list[int]:
    return [sum(column) for column in zip(*rows, strict=True)]


def _not_zero(sums: dict[K, T]) -> dict[K, T]:
    return {key: values for key, values in sums.items() if any(values)}


def persons_in(events: Iterable[Event]) -> list[set[Name]]:
    """Join names that stand in one event, until nothing changes."""
    groups = [names for e in events if (names := _names(e))]
    persons: list[set[Name]] = []
    for names in groups:
        touching = [p for p in persons if p & names]
        persons = [p for p in persons if not p & names]
        persons.append(names.union(*touching))
    return persons


def _names(event: Event) -> set[Name]:
    match event:
        case Exposure(visitor=visitor):
            return {("visitor", visitor)}
        case Conversion(visitor=visitor, customer=customer):
            both = (("visitor", visitor), ("customer", customer))
            return {(kind, name) for kind, name in both if name is not None}
        case Identity(visitor=visitor, customer=customer):
            return {("visitor", visitor), ("customer", customer)}
        case _:
            return set()


def is_of(event: Event, person: set[Name]) -> bool:
    return bool(_names(event) & person)


def exposures_in(events: Iterable[Event], experiment: Experiment) -> list[Exposure]:
    return [
        e for e in events if isinstance(e, Exposure) and e.experiment == experiment.key
    ]


def _conversions(events: Iterable[Event], experiment: Experiment) -> list[Conversion]:
    goal = experiment.goal
    later = [goal.second.step] if isinstance(goal.second, LaterStep) else []
    steps = {*experiment.step_keys, goal.first, *later}
    return [e for e in events if isinstance(e, Conversion) and e.step in steps]
