"""Imports a file into the store and says what became of its rows."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from abtest.domain.access import AuditEntry, Right
from abtest.domain.events import OLDEST, Milliseconds
from abtest.domain.experiment import Action, Experiment, ExperimentKey, Status
from abtest.domain.visitor import to_milliseconds
from abtest.errors import AbtestError, ErrorCode, FieldError
from abtest.services.access import Caller, require
from abtest.services.imports.cells import BadCellError, MoneyReader, TimeReader
from abtest.services.imports.daily import DailyRows
from abtest.services.imports.drafts import Draft
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
from abtest.services.imports.spool import Spool
from abtest.services.imports.storing import store_events
from abtest.services.imports.summary import BadRow, ImportSummary, Tally
from abtest.store.privacy_protocol import Retention
from abtest.store.protocol import Store

_LOOK_EVERY = 4096
"""Rows between two looks at what was read so far."""

_NAMED = 20
"""Kinds of bad rows that are named when they stop an import."""

_CLOCK_DIFFERENCE = timedelta(minutes=5)


class OnError(StrEnum):
    """What a bad row does to the import."""

    STOP = "stop"
    SKIP = "skip"


class Stage(StrEnum):
    """What an import is doing."""

    READING = "reading"
    STORING = "storing"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgress:
    """How far an import has come.

    Attributes:
        done, total: bytes while reading, events while storing.
        count: rows read or events stored.
    """

    stage: Stage
    done: int
    total: int
    count: int


OnProgress = Callable[[ImportProgress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """Everything a user says about an import.

    Attributes:
        time_zone: of times that name none; None means the experiment's.
        batch_size: events of one transaction; None for what suits the circumstances.
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
    batch_size: int | None = None
    followed_until: date | None = None
    is_rehearsal: bool = False


def import_file(
    store: Store,
    key: ExperimentKey,
    request: ImportRequest,
    *,
    caller: Caller,
    now: datetime,
    on_progress: OnProgress = lambda _progress: None,
    is_served: Callable[[], bool] = lambda: False,
) -> ImportSummary:
    """Import a file; a second run of the same file changes nothing.

    All rows are read and checked before the first event is stored. Each batch is one
    transaction that also keeps how far the import has come, so one that broke off goes
    on from there when it is run again.

    Args:
        on_progress: is told now and then how far it has come.
        is_served: tells whether a service uses the same database now.

    Raises:
        AbtestError: `not_found` for the experiment, `conflict` when it was never
            started or is archived, `not_allowed`, `invalid` when file and mapping do
            not fit together, or for bad rows when the request says to stop; then
            nothing is stored.
    """
    require(caller, Right.RECORD_TRUSTED)
    experiment = store.get_experiment(key)
    _check_open(experiment)
    retention = store.retention()
    _check_not_folded(experiment, retention)
    check_mapping(request.mapping, experiment)
    tally = Tally()
    reader = _row_reader(experiment, request, now, retention.horizon or OLDEST)
    with closing(Spool()) as spool:
        for draft in _drafts(reader, request, tally, on_progress):
            tally.events += 1
            if not request.is_rehearsal:
                spool.add(draft)
        _stop_if_bad(request, tally)
        if not request.is_rehearsal:
            store_events(
                store,
                spool,
                tally,
                bookmark=f"import:{key}:{request.path.name}",
                received_at=now,
                batch_size=request.batch_size,
                is_served=is_served,
                on_stored=lambda stored: on_progress(
                    ImportProgress(
                        stage=Stage.STORING,
                        done=stored,
                        total=spool.count,
                        count=stored,
                    )
                ),
            )
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


def _check_not_folded(experiment: Experiment, retention: Retention) -> None:
    if experiment.key in retention.folded:
        raise AbtestError(
            ErrorCode.CONFLICT,
            f"events of visitors of {experiment.key} were deleted by"
            " `abtest gc`, so that nobody can tell who is new in it. Import into a new"
            " experiment",
        )


def _ended(experiment: Experiment) -> Milliseconds | None:
    """Return when the experiment was stopped or decided."""
    if experiment.status not in {Status.STOPPED, Status.DECIDED}:
        return None
    ends = {Action.STOP.value, Action.DECIDE.value}
    return to_milliseconds(min(e.at for e in experiment.log if e.action in ends))


def _drafts(
    reader: RowReader, request: ImportRequest, tally: Tally, on_progress: OnProgress
) -> Iterator[Draft]:
    """Read and check the file; stop soon after a bad row if that is asked for."""
    mapping = request.mapping
    layout = replace(request.layout, may_end_early=mapping.shape is Shape.DAY)
    with open_rows(request.path, layout, mapping.wanted) as stream:
        on_progress(_reading(0, stream, tally))
        for row in stream.rows:
            tally.rows += 1
            if tally.rows % _LOOK_EVERY == 0:
                _stop_if_bad(request, tally)
                on_progress(_reading(stream.position, stream, tally))
            try:
                if row.problem:
                    raise BadCellError("", "", "invalid_row", row.problem)  # noqa: TRY301 - as a bad cell is
                found = reader.events(row)
            except BadCellError as error:
                tally.blame(_bad_row(row, error, mapping))
                continue
            if isinstance(found, LeftOut):
                tally.leave_out(found)
            else:
                yield from found
        on_progress(_reading(stream.size, stream, tally))


def _reading(position: int, stream: RowStream, tally: Tally) -> ImportProgress:
    return ImportProgress(
        stage=Stage.READING, done=position, total=stream.size, count=tally.rows
    )


def _bad_row(row: Row, error: BadCellError, mapping: ColumnMapping) -> BadRow:
    return BadRow(
        line=row.line,
        column=mapping.columns.get(error.field, error.field),
        value=error.value,
        code=error.code,
        detail=error.detail,
    )


def _stop_if_bad(request: ImportRequest, tally: Tally) -> None:
    if tally.bad == 0 or request.on_error is OnError.SKIP:
        return
    # Rows that fail alike are named once, by the first of them.
    first_of = {row.detail: row for row in reversed(tally.bad_rows)}
    kinds = sorted(first_of.values(), key=_line)[:_NAMED]
    more = f" ({tally.bad} bad rows)" if tally.bad > 1 else ""
    raise AbtestError(
        ErrorCode.INVALID,
        f"{request.path.name}, {kinds[0]}{more}; nothing of the file is stored. Correct"
        " it and run the same command again, or leave bad rows out with --on-error"
        " skip",
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
    experiment: Experiment,
    request: ImportRequest,
    now: datetime,
    horizon: Milliseconds,
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
            horizon=horizon,
        ),
        money=MoneyReader(
            currency=experiment.currency or "", decimal_comma=request.decimal_comma
        ),
        names=EventNames(),
        ended=_ended(experiment),
        delays=mapping.delays,
        attributes=mapping.names("attribute"),
        variants=tuple(variant.key for variant in experiment.variants),
        steps=experiment.step_keys,
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
