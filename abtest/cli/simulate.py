"""`abtest simulate`: experiments with a known truth, and how often abtest is right."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from abtest.cli.console import is_terminal, json_option, show, wants_json
from abtest.domain.experiment import Method
from abtest.store.protocol import Store

if TYPE_CHECKING:
    from abtest.services.simulation.scenarios import Scenario
    from abtest.services.simulation.study import Study
    from abtest.services.simulation.tally import Share, Tally

THROUGH_STORE = 20
"""Replications by default; each records tens of thousands of events."""

ON_SUMS = 400
"""The same from sums alone."""

_COLUMNS = (
    ("scenario", 17),
    ("estimated", 10),
    ("different %", 13),
    ("plain count %", 13),
    ("coverage %", 13),
    ("mean effect", 12),
    ("truth", 9),
    ("winner", 6),
    ("control", 7),
)


class Day(click.ParamType[int | None]):
    """A day of the last look: `first`, `+N` days after it, or `mature`."""

    name = "first|+N|mature"

    def convert(
        self,
        value: str | int | None,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int | None:
        """Return days after the first possible look; None for the end."""
        if not isinstance(value, str):
            return value
        if value == "mature":
            return None
        days = "+0" if value == "first" else value
        if not (days.startswith("+") and days[1:].isdecimal()):
            self.fail(f"{value} is no day; write first, mature, or +7", param, ctx)
        return int(days)


@click.command()
@click.argument("scenario", metavar="SCENARIO|all", required=False)
@click.option(
    "--replications",
    type=click.IntRange(min=1),
    help=f"Default {THROUGH_STORE} through the store, {ON_SUMS} on sums.",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--day",
    type=Day(),
    default="first",
    show_default=True,
    help="Look when the oldest visitors' window is over, N days later, or when all are"
    " followed.",
)
@click.option(
    "--method",
    type=click.Choice([Method.FIXED.value, Method.SEQUENTIAL.value]),
    default=Method.FIXED.value,
    show_default=True,
    help="One look, or a look every day until then.",
)
@click.option(
    "--through-store/--on-sums",
    default=True,
    show_default=True,
    help="Record every event in a temporary database, or hand the sums that it would"
    " keep to the same report, much faster.",
)
@json_option
def simulate(
    scenario: str | None,
    *,
    replications: int | None,
    seed: int,
    day: int | None,
    method: str,
    through_store: bool,
) -> None:
    """Repeat an experiment whose truth is known, and count how often abtest is right.

    Without SCENARIO the scenarios are listed. `different` are the replications in which
    the variants were called different: false alarms where the truth is 0, power
    elsewhere. The plain count is what tools without follow-up do: everything seen so
    far over everybody who came. Behind ± is the standard error of the simulation.
    """
    # Loaded here so that help does not wait for the statistics.
    from abtest.services.simulation.study import Study  # noqa: PLC0415

    chosen = _chosen(scenario)
    if scenario is None:
        found = [{"scenario": s.name, "summary": s.summary} for s in chosen]
        show(found, *(f"{s.name:18}{s.summary}" for s in chosen))
        return
    times = replications or (THROUGH_STORE if through_store else ON_SUMS)
    if not wants_json():
        click.echo("  ".join(f"{name:>{width}}" for name, width in _COLUMNS))
    results = []
    for one in chosen:
        study = Study(
            scenario=one,
            replications=times,
            seed=seed,
            days_after_window=day,
            method=Method(method),
        )
        tally = _run(study, through_store=through_store)
        results.append(_result(study, tally))
        if not wants_json():
            click.echo(_line(study, tally))
    if wants_json():
        show(results)


def _chosen(name: str | None) -> "list[Scenario]":
    from abtest.services.simulation.scenarios import SCENARIOS  # noqa: PLC0415

    if name is None or name == "all":
        return list(SCENARIOS.values())
    if name not in SCENARIOS:
        raise click.BadParameter(
            f"there is no scenario {name}; `abtest simulate` lists them"
        )
    return [SCENARIOS[name]]


def _run(study: "Study", *, through_store: bool) -> "Tally":
    """Add up all replications, with a bar if somebody is looking."""
    from abtest.services.simulation.study import (  # noqa: PLC0415
        run_on_sums,
        run_through_store,
    )
    from abtest.services.simulation.tally import Tally  # noqa: PLC0415

    if not through_store:
        return sum(_with_bar(run_on_sums(study), study), Tally())
    with TemporaryDirectory(prefix="abtest-simulate-") as folder:
        runs = run_through_store(study, _stores(Path(folder)))
        return sum(_with_bar(runs, study), Tally())


def _stores(folder: Path) -> Callable[[int], Store]:
    """Return what opens an empty store; there is one file at a time."""
    from abtest.store.migrate import migrate  # noqa: PLC0415
    from abtest.store.sqlite.store import open_store  # noqa: PLC0415

    empty, used = folder / "empty.db", folder / "used" / "simulated.db"
    migrate(empty)

    def fresh(_number: int) -> Store:
        shutil.rmtree(used.parent, ignore_errors=True)
        used.parent.mkdir()
        shutil.copy(empty, used)
        return open_store(used, durability="normal")

    return fresh


def _with_bar(tallies: "Iterable[Tally]", study: "Study") -> "Iterator[Tally]":
    if wants_json() or not is_terminal():
        yield from tallies
        return
    with click.progressbar(
        tallies, length=study.replications, label=study.scenario.name
    ) as bar:
        yield from bar


def _result(study: "Study", tally: "Tally") -> dict[str, object]:
    """Return the counts for programs."""
    return {
        "scenario": study.scenario.name,
        "seed": study.seed,
        "day": study.day,
        "method": study.method.value,
        "true_effects": study.scenario.effects,
        "mean_effect": tally.mean_effect,
        **{
            name: {"count": count, "share": share.value, "error": share.error}
            for name, count in (
                ("different", tally.rejected),
                ("better", tally.better),
                ("plain_different", tally.plain_rejected),
                ("plain_better", tally.plain_better),
                ("covered", tally.covered),
                ("winner", tally.crowned),
                ("keep_control", tally.kept),
            )
            for share in (tally.share(count),)
        },
        "replications": tally.replications,
        "estimated": tally.estimated,
    }


def _line(study: "Study", tally: "Tally") -> str:
    """Return the counts for people."""
    mean = tally.mean_effect
    texts = (
        study.scenario.name,
        f"{tally.estimated}/{tally.replications}",
        _percent(tally.share(tally.rejected)),
        _percent(tally.share(tally.plain_rejected)),
        _percent(tally.share(tally.covered)),
        "" if mean is None else f"{mean:+.5f}",
        f"{study.scenario.effects[0]:+.5f}",
        str(tally.crowned),
        str(tally.kept),
    )
    return "  ".join(
        f"{text:>{width}}" for text, (_, width) in zip(texts, _COLUMNS, strict=True)
    )


def _percent(share: "Share") -> str:
    return f"{100 * share.value:.1f} ± {100 * share.error:.1f}"
