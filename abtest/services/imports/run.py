"""Imports a file into the store, batch by batch, and says what became of its rows."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from abtest.domain.access import AuditEntry, Right
from abtest.domain.events import Event, Milliseconds
from abtest.domain.experiment import Action, Experiment, ExperimentKey, Status
from abtest.domain.visitor import to_milliseconds
from abtest.errors import AbtestError, ErrorCode, FieldError
from abtest.services.access import Caller, require
from abtest.services.imports.cells import BadCellError, MoneyReader, TimeReader
from abtest.services.imports.daily import DailyRows
from abtest.services.imports.files import Layout, Row, RowStream, open_rows
from abtest.services.imports.identity import EventNames
from abtest.services.imports.mapping import (
    ColumnMapping,
    Shape,
    check_mapping,
)
from abtest.services.imports.reading import Cells, Reading
from abtest.services.imports.rows import (
    EventRows,
    LeftOut,
    RowReader,
    VisitorRows,
)
from abtest.services.imports.summary import BadRow, ImportSummary, Tally
from abtest.store.protocol import Store

BATCH = 10_000
"""Events of one transaction."""

_NAMED = 20
"""Kinds of bad rows that are named when they stop an import."""

_CLOCK_DIFFERENCE = timedelta(minutes=5)


class OnError(StrEnum):
    """What a bad row does to the import."""

    STOP = "stop"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """Everything a user says about an import.

    Attributes:
        time_zone: of times that name none; None means the experiment's.
        followed_until: last day for which the file knows conversions.
        is_rehearsal: read and check everything, store nothing.
    """

    path: Path
    layout: Layout
    mapping: ColumnMapping
    date_format: str | None = None
    year: int | None = None
    time_zone: str | None = None
    decimal_comma: bool = False
    on_error: OnError = OnError.STOP
    batch_size: int = BATCH
    followed_until: date | None = None
    is_rehearsal: bool = False


def import_file(
    store: Store,
    key: ExperimentKey,
    request: ImportRequest,
    *,
    caller: Caller,
    now: datetime,
    on_progress: Callable[[int, int], None] = lambda _done, _size: None,
) -> ImportSummary:
    """Import a file; a second run of the same file changes nothing.

    Each batch is one transaction, so an import that broke off is resumed by running
    it again: what is stored is recognised.

    Args:
        on_progress: is told the bytes read and the size of the file, now and then.

    Raises:
        AbtestError: `not_found` for the experiment, `conflict` when it was never
            started or is archived, `not_allowed`, `invalid` when file and mapping do
            not fit together, or for bad rows when the request says to stop; then
            nothing of their batch is stored.
    """
    require(caller, Right.RECORD_TRUSTED)
    experiment = store.get_experiment(key)
    _check_open(experiment)
    check_mapping(request.mapping, experiment)
    tally = Tally()
    layout = replace(request.layout, may_end_early=request.mapping.shape is Shape.DAY)
    with open_rows(request.path, layout, request.mapping.wanted) as stream:
        reader = _row_reader(experiment, request, now)
        events = _events(stream, reader, request.mapping, tally)
        while batch := list(islice(events, request.batch_size)):
            _stop_if_bad(request, tally)
            tally.events += len(batch)
            if not request.is_rehearsal:
                outcome = store.record(batch, received_at=now)
                tally.accepted += outcome.accepted
                tally.duplicates += outcome.duplicates
            on_progress(stream.position, stream.size)
        _stop_if_bad(request, tally)
        on_progress(stream.size, stream.size)
    if request.is_rehearsal:
        return tally.summary(experiment, experiment.followed_until)
    until = _keep_followed_until(store, key, request.followed_until)
    store.append_audit(_audit_entry(experiment, request, tally, caller=caller, now=now))
    return tally.summary(experiment, until)


def _check_open(experiment: Experiment) -> None:
    key = experiment.key
    if experiment.started_at is None:
        raise AbtestError(
            ErrorCode.CONFLICT,
            f"{key} is {experiment.status}; start it first: abtest experiment start"
            f" {key} (the data may be older than its start)",
        )
    if experiment.status is Status.ARCHIVED:
        raise AbtestError(
            ErrorCode.CONFLICT,
            f"{key} is archived; nothing is added to it any more. Import into a new"
            " experiment",
        )


def _ended(experiment: Experiment) -> Milliseconds | None:
    """Return when the experiment was stopped or decided."""
    if experiment.status not in {Status.STOPPED, Status.DECIDED}:
        return None
    ends = {Action.STOP.value, Action.DECIDE.value}
    return to_milliseconds(min(e.at for e in experiment.log if e.action in ends))


def _events(
    stream: RowStream, reader: RowReader, mapping: ColumnMapping, tally: Tally
) -> Iterator[Event]:
    for row in stream.rows:
        tally.rows += 1
        try:
            found = _found(reader, row)
        except BadCellError as error:
            column = mapping.columns.get(error.field, error.field)
            bad = BadRow(
                line=row.line,
                column=column,
                value=error.value,
                code=error.code,
                detail=error.detail,
            )
            tally.blame(bad)
            continue
        if isinstance(found, LeftOut):
            tally.leave_out(found)
        else:
            yield from found


def _found(reader: RowReader, row: Row) -> Iterable[Event] | LeftOut:
    if row.problem:
        raise BadCellError("", "", "invalid_row", row.problem)
    return reader.events(row)


def _stop_if_bad(request: ImportRequest, tally: Tally) -> None:
    if tally.bad == 0 or request.on_error is OnError.SKIP:
        return
    # Rows that fail alike are named once, by the first of them.
    first_of = {row.detail: row for row in reversed(tally.bad_rows)}
    kinds = sorted(first_of.values(), key=_line)[:_NAMED]
    more = f" ({tally.bad} bad rows)" if tally.bad > 1 else ""
    before = "nothing of the file is stored"
    if stored := tally.accepted + tally.duplicates:
        before = f"the first {stored} events are stored, nothing of this row or later"
    raise AbtestError(
        ErrorCode.INVALID,
        f"{request.path.name}, {kinds[0]}{more}; {before}. Correct the file and run the"
        " same command again, or leave bad rows out with --on-error skip",
        tuple(
            FieldError(
                pointer=f"/lines/{row.line}/{row.column}",
                code=row.code,
                detail=row.detail,
            )
            for row in kinds
        ),
    )


def _line(row: BadRow) -> int:
    return row.line


def _row_reader(
    experiment: Experiment, request: ImportRequest, now: datetime
) -> RowReader:
    mapping = request.mapping
    name = request.path.name.split(".")[0]
    reading = Reading(
        experiment=experiment,
        cells=Cells(mapping, row_name=name),
        times=TimeReader(
            zone=_zone(request.time_zone or experiment.time_zone),
            latest=to_milliseconds(now + _CLOCK_DIFFERENCE),
            pattern=request.date_format,
            year=request.year,
        ),
        money=MoneyReader(
            currency=experiment.currency or "", decimal_comma=request.decimal_comma
        ),
        names=EventNames(),
        ended=_ended(experiment),
        delays=mapping.delays,
        attributes=mapping.names("attribute"),
    )
    told, dated = mapping.names("step"), mapping.names("at")
    match mapping.shape:
        case Shape.DAY:
            in_order = [step for step in experiment.step_keys if step in told]
            return DailyRows(reading, in_order)
        case Shape.EVENT:
            return EventRows(reading)
        case Shape.VISITOR:
            return VisitorRows(reading, dated=dated, told=told)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise AbtestError(
            ErrorCode.INVALID,
            f"--time-zone {name} is unknown; use a name such as Europe/Berlin",
        ) from error


def _keep_followed_until(
    store: Store, key: ExperimentKey, until: date | None
) -> str | None:
    """Keep the last day that was followed up, if the user told it; return the day."""
    # Read again: a long import leaves time for others to change the experiment.
    experiment = store.get_experiment(key)
    if until is None or until.isoformat() == experiment.followed_until:
        return experiment.followed_until
    store.replace_experiment(
        replace(
            experiment,
            followed_until=until.isoformat(),
            version=experiment.version + 1,
        )
    )
    return until.isoformat()


def _audit_entry(
    experiment: Experiment,
    request: ImportRequest,
    tally: Tally,
    *,
    caller: Caller,
    now: datetime,
) -> AuditEntry:
    return AuditEntry(
        at=now,
        actor=caller.name,
        action="experiment.import",
        subject=experiment.key,
        detail=f"{request.path.name}: {tally.accepted} events,"
        f" {tally.duplicates} known before, {tally.bad} bad rows",
    )
