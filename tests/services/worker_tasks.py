"""Tasks and a store for the worker's tests; the worker process imports this module."""

import os
import sys
import time
from dataclasses import dataclass

from abtest.errors import ErrorCode, invalid_field
from abtest.services.worker import work
from abtest.store.protocol import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a task saw."""

    process: int
    parent: int
    has_scipy: bool


def look(_: Store) -> Seen:
    return Seen(
        process=os.getpid(), parent=os.getppid(), has_scipy="scipy" in sys.modules
    )


def add(_: Store, left: int, *, right: int) -> int:
    return left + right


def refuse(_: Store) -> None:
    raise invalid_field("/as_of", "not_complete", "not complete")


def fail(_: Store) -> None:
    raise ZeroDivisionError(ErrorCode.INVALID)


def die(_: Store) -> None:
    os._exit(9)


def sleep(_: Store, seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def note(_: Store, path: str, name: str) -> None:
    with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123 - appended to
        file.write(f"{name}\n")


def main() -> None:
    """Run as a worker whose store nobody uses."""
    work(int(sys.argv[1]), object)  # type: ignore[arg-type]
