"""Writes the tables of docs/statistics.md: python -m tests.simulations.tables [ROW ...]

Rows are named as in the tables; `null` stands for all that begin with it, `gate:` for a
whole table. Without names everything is simulated, some 20 minutes on two processors.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from abtest.services.simulation.tally import Share, Tally
from tests.simulations.rows import CROWNS, FIXED, GATE, HELD, POWER, SEQUENTIAL, Row

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"


def percent(share: Share) -> str:
    return f"{100 * share.value:.1f} ± {100 * share.error:.1f}"


def effect(row: Row, tally: Tally) -> str:
    control = row.study.scenario.value(row.study.scenario.arms[0])
    mean = 100 * (tally.mean_effect or 0.0) / control
    truth = 100 * row.study.scenario.effects[0] / control
    return f"{mean:+.2f} / {truth:+.2f}"


def alarms(row: Row, tally: Tally) -> list[str]:
    return [
        f"{row.study.replications:,}",
        percent(tally.share(tally.rejected)) if row.is_null else "",
        percent(tally.share(tally.plain_rejected)) if row.is_null else "",
        percent(tally.share(tally.covered)),
        effect(row, tally),
    ]


def power(row: Row, tally: Tally) -> list[str]:
    return [
        f"{row.study.replications:,}",
        percent(tally.share(tally.better)),
        percent(tally.share(tally.rejected - tally.better)),
        percent(tally.share(tally.plain_better)),
        percent(tally.share(tally.covered)),
        effect(row, tally),
    ]


def crowns(row: Row, tally: Tally) -> list[str]:
    return [
        f"{row.study.replications:,}",
        f"{tally.crowned}",
        percent(tally.share(tally.kept)),
        percent(tally.share(tally.plain_better)),
    ]


def held(row: Row, tally: Tally) -> list[str]:
    return [
        f"{row.study.replications:,}",
        percent(tally.share(tally.rejected)),
        percent(tally.share(tally.plain_rejected)),
        percent(tally.share(tally.better)),
    ]


def gate(row: Row, tally: Tally) -> list[str]:
    return [
        f"{row.study.replications:,}",
        percent(tally.share(tally.better)),
        percent(tally.share(tally.rejected - tally.better)),
        percent(tally.share(tally.crowned)),
        percent(tally.share(tally.kept)),
    ]


_ALARMS = (
    "replications",
    "false alarms %",
    "plain count's %",
    "coverage %",
    "mean estimate / truth, % of the control",
)
TABLES: dict[
    str, tuple[Sequence[Row], Callable[[Row, Tally], list[str]], Sequence[str]]
]
TABLES = {
    "fixed": (FIXED, alarms, _ALARMS),
    "sequential": (SEQUENTIAL, alarms, _ALARMS),
    "held": (
        HELD,
        held,
        (
            "replications",
            "false alarms %",
            "if each day decided anew %",
            "ended before the last day %",
        ),
    ),
    "power": (
        POWER,
        power,
        (
            "replications",
            "b called better %",
            "b called worse %",
            "better by the plain count %",
            "coverage %",
            "mean estimate / truth, % of the control",
        ),
    ),
    "crowns": (
        CROWNS,
        crowns,
        (
            "replications",
            "b crowned",
            "control kept %",
            "better by the plain count %",
        ),
    ),
    "gate": (
        GATE,
        gate,
        (
            "replications",
            "b better by the test %",
            "worse by the test %",
            "verdict winner %",
            "verdict keep control %",
        ),
    ),
}


def table(name: str, page: str, wanted: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a table: rows that are wanted anew, others as they were."""
    rows, write, columns = TABLES[name]
    known = dict(re.findall(r"^\| ([^|]+?) (\|.*)$", between(name, page), re.MULTILINE))
    yield f"| {' | '.join(('', *columns))} |"
    yield "|---" * (1 + len(columns)) + "|"
    for row in rows:
        if not wanted or any(row.name.startswith(one) for one in wanted):
            known[row.name] = f"| {' | '.join(write(row, row.count()))} |"
            print(name, row.name, known[row.name], flush=True)  # noqa: T201 - progress
        if row.name in known:
            yield f"| {row.name} {known[row.name]}"


def between(name: str, page: str) -> str:
    """Return what stands between a table's markers."""
    _, _, rest = page.partition(f"<!-- {name} -->\n")
    inside, _, _ = rest.partition(f"<!-- end {name} -->")
    return inside


def main(names: Sequence[str]) -> None:
    """Simulate and write the rows; `table:row` is for a row of one table."""
    for name in TABLES:
        mine = [one.removeprefix(f"{name}:") for one in names if _is_of(name, one)]
        if names and not mine:
            continue
        made = "\n".join(table(name, PAGE.read_text(), mine)) + "\n"
        # Read again: the text around the table may have been edited meanwhile.
        page = PAGE.read_text()
        start = f"<!-- {name} -->\n"
        PAGE.write_text(page.replace(start + between(name, page), start + made))


def _is_of(table_name: str, wanted: str) -> bool:
    head, colon, _ = wanted.partition(":")
    return not colon or head == table_name


if __name__ == "__main__":
    main(sys.argv[1:])
