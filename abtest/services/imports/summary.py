"""Counts what became of a file's rows."""

from dataclasses import dataclass, field
from datetime import date

from abtest.domain.experiment import Experiment, ExperimentKey
from abtest.services.imports.rows import LeftOut, LeftOutReason

LISTED = 100
"""Bad rows that a summary lists; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that was not taken: where, what stood there, and the remedy."""

    line: int
    column: str
    value: str
    code: str
    detail: str

    def __str__(self) -> str:
        """Say it in one line."""
        where = f"line {self.line}" + (f", {self.column}" if self.column else "")
        return f"{where}: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutRows:
    """Rows left out for one reason, their days and the visitors they stand for."""

    reason: LeftOutReason
    rows: int
    visitors: int
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSummary:
    """What became of a file.

    Attributes:
        rows: rows read.
        events: events that the good rows stand for.
        accepted: events stored now; 0 in a rehearsal.
        duplicates: events that were stored before, `resumed_at` included.
        resumed_at: events that an earlier run stored, which was broken off, and that
            did not go through the store again; 0 when it began at the beginning.
        bad: number of bad rows; `bad_rows` lists the first of them.
    """

    experiment: ExperimentKey
    rows: int
    events: int
    accepted: int
    duplicates: int
    resumed_at: int
    left_out: tuple[LeftOutRows, ...]
    bad: int
    bad_rows: tuple[BadRow, ...]
    followed_until: str | None


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts while the file is read."""

    rows: int = 0
    events: int = 0
    accepted: int = 0
    duplicates: int = 0
    resumed_at: int = 0
    bad: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    left_out: dict[LeftOutReason, LeftOutRows] = field(default_factory=dict)

    def blame(self, row: BadRow) -> None:
        """Count a bad row and list it while there is room."""
        self.bad += 1
        if len(self.bad_rows) < LISTED:
            self.bad_rows.append(row)

    def leave_out(self, row: LeftOut) -> None:
        """Count a row that gives no events."""
        before = self.left_out.get(row.reason)
        days = {row.day} if row.day else set()
        self.left_out[row.reason] = LeftOutRows(
            reason=row.reason,
            rows=1 + (before.rows if before else 0),
            visitors=row.visitors + (before.visitors if before else 0),
            days=tuple(sorted(days.union(before.days if before else ()))),
        )

    def summary(
        self, experiment: Experiment, followed_until: str | None
    ) -> ImportSummary:
        """Freeze the counts."""
        return ImportSummary(
            experiment=experiment.key,
            rows=self.rows,
            events=self.events,
            accepted=self.accepted,
            duplicates=self.duplicates,
            resumed_at=self.resumed_at,
            left_out=tuple(self.left_out.values()),
            bad=self.bad,
            bad_rows=tuple(self.bad_rows),
            followed_until=followed_until,
        )
