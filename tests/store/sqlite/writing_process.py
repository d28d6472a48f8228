"""A process that writes, for tests that need several of them or that kill one."""

import resource
import signal
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from abtest.domain.events import Event
from abtest.errors import AbtestError
from abtest.store.sqlite import SqliteStore, open_store
from tests.store.builders import NOW, conversion, exposure, home


def batch(number: int, process: int) -> list[Event]:
    """Return five events; those of even numbers are the same in all processes."""
    place = number if number % 2 == 0 else number + 1_000_000 * process
    first, visitor = 5 * place, f"v{number % 7}"
    return [
        exposure(first, visitor, variant="ab"[number % 2], hours=number),
        *(conversion(first + i, visitor, hours=number + i) for i in range(1, 5)),
    ]


def write_batches(store: SqliteStore, count: int, process: int) -> None:
    """Print the number of each batch once it is stored."""
    for number in range(count):
        store.record(batch(number, process), received_at=NOW)
        print(number, flush=True)  # noqa: T201 - the test reads it


def write_within_a_limit(store: SqliteStore) -> None:
    """Try to write while files must stay smaller than they are, and after that."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store.add_experiment(home())
    tell(store.check_writable)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, hard))
    tell(store.check_writable)
    events = [exposure(i, f"v{i}") for i in range(3000)]
    tell(lambda: store.record(events, received_at=NOW))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    tell(store.check_writable)
    if store.record(events, received_at=NOW).accepted == len(events):
        print("recorded")  # noqa: T201 - the test reads it


def tell(call: Callable[[], object]) -> None:
    """Print whether the store could."""
    try:
        call()
    except AbtestError as error:
        print(error.code.value)  # noqa: T201 - the test reads it
    else:
        print("writable")  # noqa: T201 - the test reads it


def main(path: Path, what: str, *numbers: str) -> None:
    """Do what the test asks for."""
    with closing(open_store(path)) as store:
        if what == "limited":
            write_within_a_limit(store)
        else:
            write_batches(store, *map(int, numbers))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
