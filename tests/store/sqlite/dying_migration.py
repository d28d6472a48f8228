"""Migrates copies of a database and dies at each statement in turn."""

import json
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

from abtest.store import migrate as module
from abtest.store.lean_sqlite_utils import Database


def die_at(statement: int) -> None:
    """Kill this process when the connections have begun so many statements."""
    begun = 0

    def count(_sql: str) -> None:
        nonlocal begun
        begun += 1
        if begun == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    def opened(path: Path, *, mode: str) -> Database:
        database = open_hastily(path, mode=mode)
        database.conn.set_trace_callback(count)
        return database

    module._open = opened


def open_hastily(path: Path, *, mode: str) -> Database:
    """Open without waiting for the disk: what dies here is the process alone."""
    database = _open(path, mode=mode)
    database.conn.execute("PRAGMA synchronous = OFF")
    return database


_open = module._open
module._open = open_hastily
module._sync = lambda path: None  # noqa: ARG005 - the name is part of the type


def tables(path: Path) -> list[str]:
    """Return what the schema consists of."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT sql FROM sqlite_schema ORDER BY name")
        found = [str(sql) for (sql,) in rows]
    connection.close()
    return found


def main(old: Path, folder: Path) -> None:
    """Print after each death what is applied and which schema is there."""
    statement = 0
    while True:
        statement += 1
        path = folder / str(statement) / "abtest.db"
        path.parent.mkdir()
        shutil.copy(old, path)
        child = os.fork()
        if child == 0:
            die_at(statement)
            module.migrate(path)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        died = os.WIFSIGNALED(status)
        pending = module.pending(path)
        left = {"died": died, "pending": pending, "tables": tables(path)}
        done = module.migrate(path)
        again = {"applied": done.applied, "after": tables(path)}
        backups = sorted(p.name for p in path.parent.glob("*.before-*.db"))
        print(json.dumps({**left, **again, "backups": backups}))  # noqa: T201 - read
        shutil.rmtree(path.parent)
        if not died:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
