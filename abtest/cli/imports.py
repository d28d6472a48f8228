"""`abtest import`: loads exposures and conversions from a file."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click

from abtest.cli.console import (
    is_terminal,
    json_option,
    now,
    open_database,
    show,
    wants_json,
)
from abtest.cli.parameters import Day
from abtest.domain.experiment import ExperimentKey
from abtest.services.access import COMMAND_LINE
from abtest.services.imports.files import FileFormat, Layout, format_of
from abtest.services.imports.mapping import parse_mapping
from abtest.services.imports.run import (
    ImportProgress,
    ImportRequest,
    OnError,
    OnProgress,
    Stage,
    import_file,
)
from abtest.services.imports.storing import BATCH, BATCH_BESIDE_SERVICE
from abtest.services.imports.summary import ImportSummary, LeftOutRows

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

_SELDOM = 200_000
"""New objects after which the collector looks for cycles."""

_EXAMPLES = """\b
One row per event:
  abtest import home log.csv --map visitor=id --map at=timestamp
    --map variant=group --map type=action
    --translate type:view=exposure --translate type:click=conversion:click
\b
One row per visitor:
  abtest import mail people.csv --map visitor=id --map at=sent_at
    --map variant=segment --map step:purchase=bought --map value:purchase=spend
\b
One row per day:
  abtest import trial control.csv --daily --set variant=control --map day=Date
    --map exposures=Clicks --map step:enrolment=Enrolments
    --map step:payment=Payments --delay payment=14
"""


@click.command("import", epilog=_EXAMPLES)
@click.argument("experiment")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--map",
    "columns",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Which column means what; #row stands for the number of the row.",
)
@click.option(
    "--set",
    "constants",
    multiple=True,
    metavar="FIELD=VALUE",
    help="The same for every row, for example at=2008-03-20 or type=conversion:buy.",
)
@click.option(
    "--translate",
    "translations",
    multiple=True,
    metavar="FIELD:FROM=TO",
    help="What a word of the file means: type:view=exposure, variant:Control=a.",
)
@click.option("--daily", is_flag=True, help="A row is a day with its totals.")
@click.option(
    "--delay",
    "delays",
    multiple=True,
    metavar="STEP=DAYS",
    help="Days after the exposure at which a step is reached.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice([form.value for form in FileFormat]),
    help="Default: by the ending of the name; .gz is unpacked.",
)
@click.option(
    "--delimiter", default=",", show_default=True, help="Between the cells of a CSV."
)
@click.option(
    "--columns",
    "names",
    metavar="NAME,NAME",
    default="",
    help="Names of the columns, for a file without a header.",
)
@click.option("--encoding", default="utf-8-sig", show_default=True)
@click.option(
    "--date-format",
    help="As in Python's strptime, or unix, or unix_ms. Default: ISO 8601.",
)
@click.option("--year", type=int, help="For days that are written without one.")
@click.option(
    "--time-zone", help="Of times that name none. Default: the experiment's own."
)
@click.option("--decimal-comma", is_flag=True, help="Amounts look like 1.234,50.")
@click.option(
    "--followed-until",
    type=Day(),
    help="Last day for which the file knows conversions; later ones count as unknown.",
)
@click.option(
    "--on-error",
    type=click.Choice([choice.value for choice in OnError]),
    default=OnError.STOP.value,
    show_default=True,
    help="At a bad row: stop and store nothing, or skip and list it.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(1, 100_000),
    help=f"Events of one transaction. Default: {BATCH}, or {BATCH_BESIDE_SERVICE} while"
    " the service runs.",
)
@click.option("--dry-run", is_flag=True, help="Read and check everything, store none.")
@json_option
def import_(  # noqa: PLR0913 - one argument for each option
    experiment: str,
    file: Path,
    *,
    columns: Sequence[str],
    constants: Sequence[str],
    translations: Sequence[str],
    daily: bool,
    delays: Sequence[str],
    file_format: str | None,
    delimiter: str,
    names: str,
    encoding: str,
    date_format: str | None,
    year: int | None,
    time_zone: str | None,
    decimal_comma: bool,
    followed_until: date | None,
    on_error: str,
    batch_size: int | None,
    dry_run: bool,
) -> None:
    """Load exposures and conversions of EXPERIMENT from FILE.

    CSV, TSV, text with columns of spaces, JSON lines and Parquet. A second run of
    the same file changes nothing. An import that broke off is run again and goes on
    where it was.
    """
    request = ImportRequest(
        path=file,
        layout=Layout(
            format=FileFormat(file_format) if file_format else format_of(file),
            delimiter=_delimiter(delimiter),
            encoding=encoding,
            columns=tuple(name.strip() for name in names.split(",") if name.strip()),
        ),
        mapping=parse_mapping(
            columns=columns,
            constants=constants,
            translations=translations,
            delays=delays,
            by_day=daily,
        ),
        date_format=date_format,
        year=year,
        time_zone=time_zone,
        decimal_comma=decimal_comma,
        on_error=OnError(on_error),
        batch_size=batch_size,
        followed_until=followed_until,
        is_rehearsal=dry_run,
    )
    # Loaded here so that help needs no driver.
    from abtest.store.sqlite.integrity import SERVING_SINCE  # noqa: PLC0415

    began = perf_counter()
    with (
        _few_collections(),
        open_database() as store,
        _progress(file.name) as on_progress,
    ):
        summary = import_file(
            store,
            ExperimentKey(experiment),
            request,
            caller=COMMAND_LINE,
            now=now(),
            on_progress=on_progress,
            is_served=lambda: store.get_setting(SERVING_SINCE) is not None,
        )
    seconds = perf_counter() - began
    _print(summary, request, seconds)


def _delimiter(text: str) -> str:
    delimiter = "\t" if text in {"tab", "\\t"} else text
    if len(delimiter) != 1:
        raise click.BadParameter(
            f"{text!r} is no single character", param_hint="--delimiter"
        )
    return delimiter


@contextmanager
def _few_collections() -> Iterator[None]:
    """Look for cycles seldom: an import makes none, and a tenth of its time goes by."""
    usual = gc.get_threshold()
    gc.set_threshold(_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@contextmanager
def _progress(label: str) -> Iterator[OnProgress]:
    """Show a bar for each stage, if a person is looking."""
    if wants_json() or not is_terminal():
        yield lambda _progress: None
        return
    with ExitStack() as shown:
        yield _Bars(label, shown).advance


class _Bars:
    """A bar for reading the file, and then one for storing its events."""

    def __init__(self, label: str, shown: ExitStack) -> None:
        self._label = label
        self._shown = shown
        self._stage: Stage | None = None

    def advance(self, progress: ImportProgress) -> None:
        """Move the bar of the stage; the first call of a stage begins it."""
        if progress.stage is not self._stage:
            self._begin(progress)
        passed = perf_counter() - self._began
        speed = (progress.count - self._count) / passed if passed else 0
        unit = "rows" if progress.stage is Stage.READING else "events"
        # Said before the bar is drawn: the last step has to show it too.
        self._bar.update(progress.done - self._bar.pos, f"{speed:,.0f} {unit}/s")

    def _begin(self, progress: ImportProgress) -> None:
        self._shown.close()  # the bar before ends its line
        self._stage = progress.stage
        bar: ProgressBar[str] = click.progressbar(
            length=max(progress.total, 1),
            label=f"{self._label}, {progress.stage}",
            item_show_func=lambda speed: speed,
        )
        self._bar = self._shown.enter_context(bar)
        self._began, self._count = perf_counter(), progress.count
        if progress.stage is Stage.STORING:
            # What an earlier run has stored is done, and says nothing of the speed.
            bar.pos = progress.done


def _print(summary: ImportSummary, request: ImportRequest, seconds: float) -> None:
    speed = round(summary.rows / seconds) if seconds else 0
    head = f"{request.path.name}: {summary.rows:,} rows in {seconds:.1f} s"
    lines = [f"{head}, {speed:,} rows a second"]
    if request.is_rehearsal:
        lines.append(
            f"  to store  {summary.events:>9,} events (a rehearsal: nothing is stored)"
        )
    else:
        lines += [
            f"  accepted  {summary.accepted:>9,} events",
            f"  known     {summary.duplicates:>9,} events were stored before",
        ]
    lines += [_left_out(rows) for rows in summary.left_out]
    if summary.resumed_at:
        stored = f"{summary.resumed_at:,} events that an earlier run had stored"
        lines.append(f"  resumed   after {stored}")
    if summary.bad:
        lines.append(f"  bad       {summary.bad:>9,} rows were skipped:")
        lines += [f"    {row}" for row in summary.bad_rows]
        if more := summary.bad - len(summary.bad_rows):
            lines.append(f"    and {more:,} more")
    if summary.followed_until:
        lines.append(f"  conversions are known until {summary.followed_until}")
    show(
        {
            "experiment": summary.experiment,
            "file": request.path.name,
            "dry_run": request.is_rehearsal,
            "rows": summary.rows,
            "events": summary.events,
            "accepted": summary.accepted,
            "duplicates": summary.duplicates,
            "resumed_at": summary.resumed_at,
            "left_out": summary.left_out,
            "bad": summary.bad,
            "bad_rows": summary.bad_rows,
            "followed_until": summary.followed_until,
            "seconds": round(seconds, 3),
            "rows_per_second": speed,
        },
        *lines,
    )


def _left_out(rows: LeftOutRows) -> str:
    words = rows.reason.replace("_", " ")
    text = f"  left out  {rows.rows:>9,} rows: {words}"
    if rows.visitors:
        text += f", {rows.visitors:,} visitors"
    if rows.days:
        text += f", {', '.join(_spans(rows.days))}"
    return text


def _spans(days: Sequence[date]) -> Iterator[str]:
    """Write consecutive days as one span."""
    first = last = days[0]
    for day in (*days[1:], None):
        if day is not None and day == last + timedelta(days=1):
            last = day
            continue
        yield str(first) if first == last else f"{first} to {last}"
        if day is not None:
            first = last = day
