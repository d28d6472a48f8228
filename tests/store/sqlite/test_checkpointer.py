"""The write-ahead log is moved while others write, and by nobody who waits."""

import time
from contextlib import closing
from pathlib import Path

from abtest.store.sqlite import SqliteStore, connection, open_store
from tests.store.builders import NOW, conversion, exposure, home

PAGES_SHIFT = 28
"""Where the header of an SQLite file says how many pages it has:
https://www.sqlite.org/fileformat2.html#the_database_header"""


def pages_in_file(path: Path) -> int:
    """Count pages without asking SQLite, which would look into the log."""
    header = path.read_bytes()[:100]
    return int.from_bytes(header[PAGES_SHIFT : PAGES_SHIFT + 4], "big")


def fill(store: SqliteStore, first: int, n: int) -> None:
    for i in range(first, first + n, 500):
        store.record(
            [conversion(j, f"v{j}") for j in range(i, i + 500)], received_at=NOW
        )


def is_reached(path: Path, above: int) -> bool:
    for _ in range(200):
        if pages_in_file(path) > above:
            return True
        time.sleep(0.05)
    return False


def test_the_log_reaches_the_file_while_the_store_is_open(path: Path) -> None:
    with closing(open_store(path)) as store:
        store.add_experiment(home())
        before = pages_in_file(path)
        fill(store, 1, 5000)
        assert is_reached(path, before + 20)


def test_a_reader_holds_nobody_up(path: Path) -> None:
    with closing(open_store(path)) as store:
        store.add_experiment(home())
        with closing(connection.connect(path)) as reader:
            reader.conn.execute("BEGIN")
            reader.conn.execute("SELECT count(*) FROM event").fetchone()
            fill(store, 1, 5000)
            fill(store, 10_000, 5000)
        assert store.record([exposure(1_000_000)], received_at=NOW).accepted == 1
