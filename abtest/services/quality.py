"""How good the data are that come in: counts by day, of what is unusual and of all."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from abtest.domain.assignment import AssignmentReason
from abtest.domain.events import Conversion, Cost, Event, Exposure
from abtest.domain.experiment import ExperimentKey
from abtest.domain.quality import QualityKind, QualityMark
from abtest.domain.visitor import day_to_date, to_milliseconds
from abtest.services.catalogue import Catalogue
from abtest.services.event_rules import EventRequest
from abtest.store.protocol import Store

DAYS = 30
"""How far the counts go back when nothing else is asked for."""

CLOCK_TOLERANCE = timedelta(seconds=60)
"""A time that was put right by more than this counts as skewed."""

LATE_FROM_BROWSERS = timedelta(days=7)
LATE_FROM_SERVERS = timedelta(days=30)

_EPOCH = date(1970, 1, 1)
_REASONS = {
    AssignmentReason.BOT: QualityKind.CRAWLER,
    AssignmentReason.NO_CONSENT: QualityKind.NO_CONSENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityCounts:
    """Counts of events and of assign calls.

    Attributes:
        received: valid events, those received before included.
        duplicates: of these, events whose id was known.
        rejected: events that were not right, by code, most frequent first.
        late: received more than 7 days after they happened (told by browsers) or 30
            days (told by servers).
        clock_skewed: whose time was put right by more than a minute.
        unassigned: new conversions of persons who were in no experiment when they
            came.
        crawlers, no_consent: assign calls that were shown the control for that.
    """

    received: int
    duplicates: int
    rejected: tuple[tuple[str, int], ...]
    late: int
    clock_skewed: int
    unassigned: int
    crawlers: int
    no_consent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityDay:
    """One UTC day."""

    day: date
    counts: QualityCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What came in since a day, altogether and by day.

    Attributes:
        experiment: None for the whole installation.
        days: those on which something came, in order.
    """

    experiment: ExperimentKey | None
    since: date
    total: QualityCounts
    days: tuple[QualityDay, ...]


def read_quality(
    store: Store, key: ExperimentKey | None, *, now: datetime, days: int = DAYS
) -> Quality:
    """Return the counts of the last days, today's included.

    Raises:
        AbtestError: `not_found`; `unavailable`.
    """
    today = _day(now)
    since = today - days + 1
    found = store.read_tally(key, since=since)
    total: Counter[QualityMark] = Counter()
    for counts in found.values():
        total.update(counts)
    return Quality(
        experiment=key,
        since=day_to_date(since),
        total=_counts(total),
        days=tuple(
            QualityDay(day=day_to_date(day), counts=_counts(counts))
            for day, counts in sorted(found.items())
        ),
    )


def tally_shown(
    store: Store,
    shown: Iterable[tuple[ExperimentKey, AssignmentReason]],
    now: datetime,
) -> None:
    """Count an assign call that was answered with the control for an outer reason."""
    marks: Counter[QualityMark] = Counter()
    for key, reason in shown:
        if kind := _REASONS.get(reason):
            marks[mark(kind, key)] += 1
            marks[mark(kind, None)] = 1
    if marks:
        store.tally(_day(now), marks)


def tally_batch(
    store: Store,
    catalogue: Catalogue,
    kept: Sequence[tuple[EventRequest, Event]],
    is_new: Sequence[bool],
    *,
    rejected: Iterable[tuple[EventRequest | None, str]],
    is_trusted: bool,
    clock_error: timedelta,
    now: datetime,
) -> None:
    """Count a batch of events.

    Args:
        kept: events with what they were read from.
        rejected: requests, as far as they could be read, with the code of the refusal.
        clock_error: what was added to the times of the batch.
    """
    marks: Counter[QualityMark] = Counter()
    late = to_milliseconds(now) - _span(
        LATE_FROM_SERVERS if is_trusted else LATE_FROM_BROWSERS
    )
    ahead = to_milliseconds(now) + _span(CLOCK_TOLERANCE - clock_error)
    is_corrected = abs(clock_error) > CLOCK_TOLERANCE
    for (request, event), fresh in zip(kept, is_new, strict=True):
        kinds = [QualityKind.RECEIVED]
        if not fresh:
            kinds.append(QualityKind.DUPLICATE)
        elif event.at < late:
            kinds.append(QualityKind.LATE)
        told = request.at
        if (
            fresh
            and told is not None
            and (is_corrected or to_milliseconds(told) > ahead)
        ):
            kinds.append(QualityKind.CLOCK_SKEWED)
        whose = (None, *_experiments_of(event, catalogue))
        marks.update(mark(kind, key) for kind in kinds for key in whose)
    for refused, code in rejected:
        whose = (None, *_experiments_meant(refused, catalogue))
        marks.update(mark(QualityKind.REJECTED, key, code) for key in whose)
    if marks:
        store.tally(_day(now), marks)


@lru_cache(maxsize=4096)
def mark(
    kind: QualityKind, experiment: ExperimentKey | None, code: str = ""
) -> QualityMark:
    """Return the counter; there are few, and they are needed often."""
    return QualityMark(kind=kind, experiment=experiment, code=code)


def _experiments_of(event: Event, catalogue: Catalogue) -> tuple[ExperimentKey, ...]:
    match event:
        case Conversion():
            return catalogue.askers.get(event.step, ())
        case Exposure() | Cost():
            return () if event.experiment is None else (event.experiment,)
        case _:
            return ()


def _experiments_meant(
    request: EventRequest | None, catalogue: Catalogue
) -> tuple[ExperimentKey, ...]:
    if request is None:
        return ()
    if experiment := catalogue.by_key.get(request.experiment or ""):
        return (experiment.key,)
    return catalogue.askers.get(request.step or "", ())


def _counts(marks: Mapping[QualityMark, int]) -> QualityCounts:
    of = {m.kind: n for m, n in marks.items() if m.kind is not QualityKind.REJECTED}
    rejected = [(m.code, n) for m, n in marks.items() if m.kind is QualityKind.REJECTED]
    return QualityCounts(
        received=of.get(QualityKind.RECEIVED, 0),
        duplicates=of.get(QualityKind.DUPLICATE, 0),
        rejected=tuple(sorted(rejected, key=lambda pair: (-pair[1], pair[0]))),
        late=of.get(QualityKind.LATE, 0),
        clock_skewed=of.get(QualityKind.CLOCK_SKEWED, 0),
        unassigned=of.get(QualityKind.UNASSIGNED, 0),
        crawlers=of.get(QualityKind.CRAWLER, 0),
        no_consent=of.get(QualityKind.NO_CONSENT, 0),
    )


def _day(now: datetime) -> int:
    return (now.astimezone(UTC).date() - _EPOCH).days


def _span(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
