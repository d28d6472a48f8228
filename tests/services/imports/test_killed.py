"""An import whose process is killed at any moment is completed by running it again."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from abtest.domain.experiment import ExperimentKey
from abtest.store.protocol import Difference
from abtest.store.sqlite import open_store

KILLS = 8
DAYS = 28
PEOPLE = 3000
SHOP = {
    "key": "shop",
    "variants": [{"key": "a"}, {"key": "b"}],
    "funnel": [{"key": "view"}, {"key": "buy"}],
    "first_conversion": {"step": "buy"},
    "second_conversion": {"step": "buy", "ordinal": 2},
    "weights": {"first": 1, "second": 2, "currency": "EUR"},
}
WORDS = (
    *("--map", "visitor=who", "--map", "customer=customer", "--map", "at=when"),
    *("--map", "type=what", "--map", "variant=arm", "--map", "value=paid"),
    *("--batch-size", "150", "--json"),
)


def write(path: Path) -> int:
    """Write a log in order of time, with equal purchases and joined visitors."""
    chance = random.Random(1)
    rows = []
    for number in range(PEOPLE):
        day = chance.randrange(DAYS)
        who = f"v{number:05}"
        rows.append((day, f"{who},,exposure,{'ab'[number % 2]},"))
        for _ in range(chance.randrange(3)):
            later = day + chance.randrange(DAYS)
            rows += [(later, f"{who},,conversion:buy,,5.00")] * chance.randint(1, 2)
        if number % 10 == 0:
            rows.append((day + 1, f"{who},c{number // 20},identify,,"))
    rows.sort()
    text = "\n".join(
        f"{rest.split(',')[0]},2026-{1 + day // 28:02}-{1 + day % 28:02},"
        + ",".join(rest.split(",")[1:])
        for day, rest in rows
    )
    path.write_text(f"who,when,customer,what,arm,paid\n{text}\n")
    return len(rows)


def environment(database: Path) -> Mapping[str, str]:
    found = {k: v for k, v in os.environ.items() if not k.startswith("ABTEST_")}
    return found | {"ABTEST_DATABASE": str(database)}


def started(database: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "abtest", *words],
        env=environment(database),
        stdout=subprocess.PIPE,
        text=True,
    )


def answer(database: Path, *words: str) -> str:
    process = started(database, *words)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return said


def prepared(folder: Path, name: str) -> Path:
    """Make a database with the started experiment."""
    definition, database = folder / "shop.json", folder / name
    definition.write_text(json.dumps(SHOP))
    answer(database, "experiment", "create", str(definition))
    answer(database, "experiment", "start", "shop")
    return database


def stored(database: Path, place: str) -> str | None:
    store = open_store(database)
    try:
        return store.get_setting(place)
    finally:
        store.close()


def test_killed_again_and_again_it_ends_as_if_nothing_had_been(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    rows = write(log)
    whole = prepared(tmp_path, "whole.db")
    answer(whole, "import", "shop", str(log), *WORDS)

    killed = prepared(tmp_path, "killed.db")
    chance, before, resumed = random.Random(2), "", []
    finished = False
    for _ in range(KILLS):
        process = started(killed, "import", "shop", str(log), *WORDS)
        while process.poll() is None:
            # Each run may store a little before its end comes.
            if stored(killed, "import:shop:log.csv") not in {None, before}:
                time.sleep(chance.uniform(0, 0.15))
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.01)
        process.communicate()
        mark = stored(killed, "import:shop:log.csv")
        if mark is None:  # it had stored everything before it was killed
            finished = True
            break
        before = mark
        resumed.append(int(before.partition(" ")[0]))
    found = json.loads(answer(killed, "import", "shop", str(log), *WORDS))

    assert resumed, "nobody was killed"
    assert resumed == sorted(resumed)
    assert resumed[0] > 0
    assert found["rows"] == found["events"] == rows
    if finished:
        assert found["accepted"] == 0
    else:
        assert found["resumed_at"] == resumed[-1] < rows
        assert found["accepted"] == rows - resumed[-1]
    reports = [
        json.loads(
            answer(path, "report", "shop", "--format", "json", "--as-of", "2026-04-01")
        )
        for path in (whole, killed)
    ]
    assert reports[0]["event_digest"] == reports[1]["event_digest"]
    stores = [open_store(path) for path in (whole, killed)]
    sums = [store.moments(ExperimentKey("shop")) for store in stores]
    assert sums[0] == sums[1]
    assert not [d for d in stores[1].verify() if isinstance(d, Difference)]
    for store in stores:
        store.close()
