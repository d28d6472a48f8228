"""How an outcome is written into its row, and how far the person behind it has come."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from abtest.domain.events import Milliseconds
from abtest.domain.experiment import VariantKey, VisitorId
from abtest.domain.funnel import StepKey
from abtest.domain.journey import Journey, journey_of
from abtest.domain.visitor import Entry, History, Outcome, OutcomePlan, resolve

WRITE_OUTCOME = "INSERT OR REPLACE INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
"""Visitor, experiment and the row."""

Steps = Sequence[tuple[StepKey, int]]
"""Steps and the lag of the first time, in funnel order."""

NOWHERE = Journey()

_IDLE = "[[],[]"
"""How the detail of a visitor begins who did nothing; it is null without covariate."""


class Row(NamedTuple):
    """What is stored of a visitor in an experiment.

    Attributes:
        exposed_at: the visitor's own first exposure.
        journey: of the person, if this is the visitor exposed first.
    """

    variant: str
    day: int
    variants_seen: int
    detail: str | None
    exposed_at: int
    journey: str | None

    @property
    def is_idle(self) -> bool:
        """Whether the visitor did nothing that counts."""
        return self.detail is None or self.detail.startswith(_IDLE)


def to_row(
    outcome: Outcome, exposed_at: Milliseconds, journey: Journey = NOWHERE
) -> Row:
    """Write an outcome as it is stored."""
    return Row(
        outcome.variant,
        outcome.day,
        outcome.variants_seen,
        to_detail(outcome.entries, outcome.steps, outcome.covariate),
        exposed_at,
        to_text(journey),
    )


def from_row(
    visitor: VisitorId, row: Row | tuple[str, int, int, str | None]
) -> Outcome:
    """Read an outcome from the first four columns of its row."""
    variant, day, variants_seen, detail = row[:4]
    entries, steps, covariate = from_detail(detail)
    return Outcome(
        visitor=visitor,
        variant=VariantKey(variant),
        day=day,
        variants_seen=variants_seen,
        entries=entries,
        steps=steps,
        covariate=covariate,
    )


def to_detail(entries: Sequence[Entry], steps: Steps, covariate: int) -> str | None:
    """Write what a visitor did, and the covariate."""
    if not (entries or steps or covariate):
        return None
    written = [(e.ordinal, e.lag, e.count, e.amount) for e in entries]
    known = (covariate,) if covariate else ()
    return msgspec.json.encode((written, steps, *known)).decode()


def from_detail(
    detail: str | None,
) -> tuple[tuple[Entry, ...], tuple[tuple[StepKey, int], ...], int]:
    """Read what a visitor did, and the covariate."""
    if detail is None:
        return (), (), 0
    entries, steps, *known = msgspec.json.decode(detail)
    return (
        tuple(
            [
                Entry(ordinal=ordinal, lag=lag, count=count, amount=amount)
                for ordinal, lag, count, amount in entries
            ]
        ),
        tuple([(step, lag) for step, lag in steps]),
        known[0] if known else 0,
    )


def to_text(journey: Journey) -> str | None:
    """Write a journey as it is stored."""
    if journey == NOWHERE:
        return None
    told = (journey.reached, journey.counted, journey.last_at)
    variants = (journey.variants,) if journey.variants else ()
    return msgspec.json.encode((*told, *variants)).decode()


def from_text(text: str) -> Journey:
    """Read a journey as it is stored."""
    reached, counted, last_at, *variants = msgspec.json.decode(text)
    return Journey(
        reached=tuple([(step, at) for step, at in reached]),
        counted=counted,
        last_at=last_at,
        variants=tuple(variants[0]) if variants else (),
    )


def resolved(history: History, plan: OutcomePlan) -> Iterator[tuple[Outcome, Row]]:
    """Judge a person from all events; give each visitor's outcome and its row."""
    journey = journey_of(history, plan)
    exposed_at: dict[VisitorId, Milliseconds] = {}
    for exposure in history.exposures:
        at = exposed_at.get(exposure.visitor, exposure.at)
        exposed_at[exposure.visitor] = min(at, exposure.at)
    for outcome in resolve(history, plan):
        yield outcome, to_row(outcome, exposed_at[outcome.visitor], journey)
        journey = NOWHERE  # that of the first one is the person's
