"""Looks for names in the raw bytes of a database file, in a process of its own.

A process must not open a database file beside SQLite: when it closes the file, all of
its locks on it are gone, and another process may then delete the write-ahead log that
is still in use (https://www.sqlite.org/howtocorrupt.html, section 2.2).
"""

import mmap
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

_DISTINCT = 16
"""A name of so many bytes stands nowhere by chance."""
_TEXT = 13
_FOUND, _CLEAN = 10, 0


def are_found(path: Path, names: Iterable[str]) -> bool:
    """Tell whether one of the names stands in the file, unused space included."""
    done = subprocess.run(  # noqa: S603 - this file, by this interpreter
        [sys.executable, "-I", __file__, str(path)],
        input="\n".join(name.encode().hex() for name in names).encode(),
        check=False,
    )
    if done.returncode not in {_FOUND, _CLEAN}:
        done.check_returncode()
    return done.returncode == _FOUND


def pattern(written: bytes) -> re.Pattern[bytes]:
    """Return what finds the name, and of a short one only what SQLite wrote as it.

    A text of n bytes is announced by the number 13 + 2 n, in the index of names with
    the type of the number of the node between:
    https://www.sqlite.org/fileformat2.html#record_format
    """
    if len(written) >= _DISTINCT:
        return re.compile(re.escape(written))
    kind = bytes([_TEXT + 2 * len(written)])
    return re.compile(re.escape(kind) + b"[\x00-\x09]?" + re.escape(written))


def main(path: Path, names: Iterable[str]) -> int:
    """Look for the names, written in hexadecimal digits; return the exit code."""
    patterns = [pattern(bytes.fromhex(name)) for name in names if name]
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        return _FOUND if any(p.search(content) for p in patterns) else _CLEAN


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.stdin.read().split()))
