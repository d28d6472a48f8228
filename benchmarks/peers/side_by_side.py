"""False alarms of gbstats, tea-tasting and abtest on the same draws of the delay trap.

    python benchmarks/peers/side_by_side.py [REPLICATIONS]

Both variants bring the same conversions; b's customers only come back later. Each peer
is installed into an environment of its own in a temporary folder and is given what it
asks for: sums over everybody who came. Prints a table and writes it between the markers
of docs/statistics.md.
"""

import json
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from abtest.services.simulation.plain_count import count_plainly
from abtest.services.simulation.scenarios import SCENARIOS, Arm
from abtest.services.simulation.study import Study, report_of
from abtest.stats.results import NotEstimable

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "statistics.md"
PEERS = {"gbstats": "0.8.0", "tea-tasting": "1.14.0"}
SEED = 20260106
TRAP = replace(
    SCENARIOS["delay_trap"],
    arms=(Arm(delay=20.0), Arm(delay=40.0)),
    exposure_days=42,
    window_days=60,
)
SETTINGS = (
    ("20,000 an arm, first day", 952, 0),
    ("80,000 an arm, first day", 3810, 0),
    ("80,000 an arm, 14 days later", 3810, 14),
)

Alarms = dict[str, list[bool]]


def ours(study: Study) -> tuple[Alarms, str]:
    """Return abtest's alarms, and the plain counts of the same draws as JSON."""
    said: Alarms = {"value": [], "second conversions": []}
    pairs = []
    for drawn in study.draws():
        found = report_of(study, study.moments(drawn)).comparisons[0]
        for name, test in (
            ("value", found.value),
            ("second conversions", found.second),
        ):
            result = test.frequentist
            if isinstance(result, NotEstimable):
                raise SystemExit(f"no estimate: {result.reason}")
            said[name].append(result.p_value < study.alpha)
        pairs.append(
            [asdict(count_plainly(d, study.scenario, day=study.day)) for d in drawn]
        )
    return said, json.dumps(pairs)


def python_of(peer: str, folder: Path) -> Path:
    """Install a peer and return its interpreter."""
    place = folder / peer
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "-r", HERE / f"requirements-{peer}.txt"],
        check=True,
    )  # fmt: skip
    return python


def ask(python: Path, peer: str, pairs: str) -> Alarms:
    """Return a peer's alarms."""
    script = HERE / f"{peer.replace('-', '_')}_alarms.py"
    done = subprocess.run(
        [python, script], input=pairs, capture_output=True, text=True, check=True
    )
    answer: Alarms = json.loads(done.stdout)
    return answer


def lines(replications: int, folder: Path) -> Iterator[str]:
    """Yield the table."""
    pythons = {peer: python_of(peer, folder) for peer in PEERS}
    columns: list[dict[str, str]] = []
    for _, visitors, wait in SETTINGS:
        study = Study(
            scenario=replace(TRAP, visitors_per_day=visitors),
            replications=replications,
            seed=SEED,
            days_after_window=wait,
        )
        said, pairs = ours(study)
        by_program = {"abtest": said}
        for peer, version in PEERS.items():
            by_program[f"{peer} {version}"] = ask(pythons[peer], peer, pairs)
        columns.append(
            {
                f"{program}, {name}": f"{100 * sum(alarms) / len(alarms):.1f}"
                for program, answers in by_program.items()
                for name, alarms in answers.items()
            }
        )
    head = [f"{replications:,} draws, seed {SEED}", *(name for name, _, _ in SETTINGS)]
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in columns[0]:
        yield f"| {' | '.join((row, *(column[row] for column in columns)))} |"


def main() -> None:
    """Run everything and write the table."""
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    with TemporaryDirectory() as folder:
        table = "\n".join(lines(replications, Path(folder)))
    print(table)
    before, _, rest = PAGE.read_text().partition("<!-- peers -->\n")
    _, _, after = rest.partition("<!-- end peers -->")
    PAGE.write_text(f"{before}<!-- peers -->\n{table}\n<!-- end peers -->{after}")


if __name__ == "__main__":
    main()
