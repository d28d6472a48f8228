"""F16: a disk that takes half a second to say that it has written."""

import shutil
import statistics
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.conftest import StartServer
from tests.faults.load import SIZE, sending, stored
from tests.faults.serving import Answer, Site

SYNC = 0.5
LONGEST = 5.0
SOURCE = Path(__file__).with_name("slow_fsync.c")


@pytest.fixture
def slow_disk(tmp_path: Path) -> dict[str, str]:
    """The environment in which a process has a slow disk."""
    compiler = shutil.which("cc")
    assert compiler, "the slow disk is made with a C compiler: apt-get install gcc"
    library = tmp_path / "slow_fsync.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"],
        check=True,
    )
    return {
        "LD_PRELOAD": str(library),
        "SLOW_FSYNC_MICROSECONDS": str(round(SYNC * 1e6)),
    }


def test_f16_half_a_second_a_sync(
    site: Site, start_server: StartServer, slow_disk: dict[str, str]
) -> None:
    server = start_server(environment=slow_disk)
    new: list[Answer] = []
    known: list[Answer] = []
    with sending(server, "slow", count=24) as journal, server.connection() as asking:
        ends_at = time.monotonic() + 15
        while time.monotonic() < ends_at:
            new.append(asking.assign(f"new-{len(new)}"))
            known.append(asking.assign(f"new-{len(new) - 1}"))
    assert {answer.status for answer in (*new, *known)} == {200}
    assert journal.refused == []
    assert set(journal.statuses) == {200}
    waited = sorted(answer.seconds for answer in new)
    again = sorted(answer.seconds for answer in known)
    print(  # noqa: T201 - a measurement to be read
        f"\nat {SYNC} s a sync: new visitors {statistics.median(waited):.2f} s (median)"
        f" and {waited[-1]:.2f} s at most, returning ones"
        f" {statistics.median(again):.3f} and {again[-1]:.2f} s; batches"
        f" {journal.slowest:.2f} s at most, {len(journal.acknowledged)} in 15 s"
    )
    # The disk is slow indeed, and those who wait together wait for one sync.
    assert waited[0] > 0.9 * SYNC
    assert max(waited[-1], again[-1], journal.slowest) < LONGEST
    assert set(stored(site.database, journal.acknowledged).values()) == {SIZE}
