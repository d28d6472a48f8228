"""`abtest export`, `erase`, `gc`: a person's data, and how long events are kept."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from abtest.cli.console import (
    is_terminal,
    json_option,
    now,
    open_database,
    settings,
    show,
    wants_json,
)
from abtest.domain.experiment import ExperimentKey
from abtest.domain.person import NameKind, PersonName
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import COMMAND_LINE
from abtest.services.event_rules import EventRequest
from abtest.services.privacy import (
    GarbageSummary,
    collect_garbage,
    erase_person,
    export_events,
    show_person,
)

_KIB = 1024


def person_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command `--visitor` and `--customer`."""
    visitor = click.option("--visitor", metavar="ID", help="The id on a device.")
    customer = click.option("--customer", metavar="ID", help="The id in the shop.")
    return visitor(customer(command))


@click.command()
@click.argument("experiment", required=False)
@click.option(
    "--events",
    "events_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the raw events of EXPERIMENT here, one JSON object a line.",
)
@person_options
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the person's data here; default: print them.",
)
@json_option
def export(
    experiment: str | None,
    *,
    events_file: Path | None,
    visitor: str | None,
    customer: str | None,
    output: Path | None,
) -> None:
    """Write all that is stored about a person, or the raw events of EXPERIMENT.

    The events have the form that POST /api/v1/events takes, and can be recorded again.
    """
    if experiment is None:
        if events_file is not None:
            raise click.UsageError("--events needs EXPERIMENT")
        _export_person(_person(visitor, customer), output)
    elif events_file is None:
        raise click.UsageError("EXPERIMENT needs --events FILE")
    elif visitor or customer or output:
        raise click.UsageError("export a person without EXPERIMENT")
    else:
        _export_events(ExperimentKey(experiment), events_file)


@click.command()
@person_options
@json_option
def erase(*, visitor: str | None, customer: str | None) -> None:
    """Erase a person: all joined names, all events, the part in every sum.

    Backups hold the person until they are rotated out.
    """
    person = _person(visitor, customer)
    with open_database() as store:
        erased = erase_person(store, person, COMMAND_LINE, now())
    line = f"erased: {erased.events} events; backups hold them until they are rotated"
    show(
        erased,
        line if erased.persons else f"nothing is stored about this {person.kind}",
    )


@click.command()
@click.option(
    "--keep-days",
    type=click.IntRange(min=1),
    help="Days that are kept; default: the setting keep_events_days.",
)
@click.option("--dry-run", is_flag=True, help="Say what would go; change nothing.")
@click.option(
    "--vacuum",
    is_flag=True,
    help="Give the space back to the disk; needs as much again, and writers wait.",
)
@json_option
def gc(*, keep_days: int | None, dry_run: bool, vacuum: bool) -> None:
    """Delete old events of experiments that are over; no report changes.

    What the events add up to stays. It may be broken off and run again at any time,
    also while the service runs.
    """
    days = keep_days or settings().keep_events_days
    if not days:
        raise AbtestError(
            ErrorCode.INVALID,
            "events are kept for ever; give --keep-days N or set"
            " ABTEST_KEEP_EVENTS_DAYS",
        )
    with open_database() as store, _counter() as count:
        for step in collect_garbage(
            store,
            days,
            caller=COMMAND_LINE,
            now=now(),
            is_rehearsal=dry_run,
            compacts=vacuum,
        ):
            if isinstance(step, GarbageSummary):
                summary = step
            else:
                count(step)
    show(summary, *_lines(summary))


def _person(visitor: str | None, customer: str | None) -> PersonName:
    if visitor is not None and customer is None:
        return PersonName(kind=NameKind.VISITOR, name=visitor)
    if customer is not None and visitor is None:
        return PersonName(kind=NameKind.CUSTOMER, name=customer)
    raise click.UsageError("give either --visitor ID or --customer ID")


def _export_person(person: PersonName, output: Path | None) -> None:
    # The API's shape comes with Flask, which no command needs else.
    from abtest.web.api.visitors import person_view  # noqa: PLC0415

    with open_database() as store:
        record = show_person(store, person, COMMAND_LINE)
    content = msgspec.json.format(msgspec.json.encode(person_view(record)))
    if output is None:
        click.echo(content)
        return
    output.write_bytes(content + b"\n")
    show(
        {"file": str(output), "events": len(record.events)},
        f"{len(record.events)} events written to {output}",
    )


def _export_events(experiment: ExperimentKey, file: Path) -> None:
    written = 0
    with open_database() as store:
        events = export_events(store, experiment)
        folded = store.folded_visitors().get(experiment, 0)
        with file.open("wb") as lines:
            for event in events:
                lines.write(_line(event))
                written += 1
    note = [f"{folded} visitors are not in it: their events were deleted"]
    show(
        {
            "experiment": experiment,
            "file": str(file),
            "events": written,
            "folded_visitors": folded,
        },
        f"{written} events written to {file}",
        *(note if folded else []),
    )


def _line(event: EventRequest) -> bytes:
    """Write an event without what was not told."""
    told = {k: v for k, v in msgspec.to_builtins(event).items() if v is not None}
    return msgspec.json.encode(told) + b"\n"


@contextmanager
def _counter() -> Iterator[Callable[[int], None]]:
    """Show how many persons were looked at, if a person is looking."""
    if wants_json() or not is_terminal():
        yield lambda _done: None
        return
    yield lambda done: click.echo(f"\r{done:,} persons", nl=False, err=True)
    click.echo(err=True)


def _lines(summary: GarbageSummary) -> Iterator[str]:
    verb = "would be" if summary.is_rehearsal else "were"
    yield (
        f"{summary.events:,} events of {summary.persons:,} persons before"
        f" {summary.horizon:%Y-%m-%d} {verb} deleted; {summary.kept_persons:,} persons"
        " stay whole"
    )
    if summary.experiments:
        yield f"experiments concerned: {', '.join(summary.experiments)}"
    for key, visitors in summary.folded.items():
        yield (
            f"{key}: {visitors:,} visitors are in the sums alone; it cannot be planned"
            " anew, split into segments or list these customers, and takes no exposures"
        )
    if not summary.is_rehearsal:
        yield f"no report changed; events before {summary.horizon:%Y-%m-%d} are refused"
        yield (
            f"files: {_size(summary.before.total)} before, {_size(summary.after.total)}"
            f" now, of which {_size(summary.after.free)} are free for new events"
        )


def _size(size: int) -> str:
    return f"{size / _KIB:,.0f} KiB"
