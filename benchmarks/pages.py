"""Every page about the demo: server time when warm, and what a browser must load.

Bars: 150 ms of server time, 60 KB compressed with all the page needs. The pages are
asked of the whole service in this process; what needs the statistics is done in a
process of its own, as `abtest serve` does it.
"""

import gzip
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import NamedTuple

from werkzeug.test import Client

from abtest.app import create_service, create_serving_context
from abtest.config import read_settings
from abtest.services.access import sign_in
from abtest.web.context import Context
from abtest.web.pages.guard import COOKIE

ROUNDS = 7
MOST_TIME = 150.0
"""Milliseconds."""

MOST_BYTES = 60_000
PASSWORD = "correct horse battery"  # noqa: S105 - of a database that is deleted
_LINK = re.compile(r'<a [^>]*?href="(/[^"?#]*)"[^>]*>')
_NEEDED = re.compile(r'(?:<script[^>]* src|<link[^>]* href|<img[^>]* src)="(/[^"]+)"')


class Page(NamedTuple):
    """What a page takes: milliseconds cold and warm, and bytes."""

    path: str
    first: float
    warm: float
    weight: int

    @property
    def is_good(self) -> bool:
        """Whether both bars are met."""
        return self.warm < MOST_TIME and self.weight < MOST_BYTES


class Visit:
    """Somebody signed in who opens one page after the other."""

    def __init__(self, context: Context) -> None:
        token = sign_in(context.store, "demo", password=PASSWORD, now=context.now())
        self._client = Client(create_service(context))
        self._client.set_cookie(COOKIE, token)
        self._sizes: dict[str, int] = {}

    def measure(self, path: str) -> tuple[Page, set[str]]:
        """Return what the page takes and where it leads."""
        first, text = self._ask(path)
        warm = median(self._ask(path)[0] for _ in range(ROUNDS))
        weight = len(gzip.compress(text.encode(), 6))
        weight += sum(self._size(url) for url in set(_NEEDED.findall(text)))
        links = {
            match[1] for match in _LINK.finditer(text) if " download" not in match[0]
        }
        return Page(path, first, warm, weight), links

    def _ask(self, path: str) -> tuple[float, str]:
        begin = time.perf_counter()
        answer = self._client.get(path)
        taken = 1000 * (time.perf_counter() - begin)
        assert answer.status_code == 200, (path, answer.status)  # noqa: S101 - a benchmark
        return taken, answer.text

    def _size(self, url: str) -> int:
        if url not in self._sizes:
            self._sizes[url] = len(gzip.compress(self._client.get(url).data, 6))
        return self._sizes[url]


def walk(visit: Visit) -> list[Page]:
    """Follow all links from the overview on."""
    pages: dict[str, Page] = {}
    waiting = {"/", "/experiments/new"}
    while waiting:
        path = waiting.pop()
        pages[path], links = visit.measure(path)
        found = {link for link in links if "json" not in link}
        waiting |= found - set(pages)
    return sorted(pages.values(), key=lambda page: -page.warm)


def show(pages: list[Page]) -> None:
    """Print a line for each page, the slowest first."""
    print(f"{'page':44} {'first':>9} {'warm':>9} {'weight':>9}")
    for page in pages:
        mark = "" if page.is_good else "  over the bar"
        print(
            f"{page.path:44} {page.first:6.0f} ms {page.warm:6.1f} ms"
            f" {page.weight / 1000:6.1f} KB{mark}"
        )
    good = sum(page.is_good for page in pages)
    print(
        f"{good} of {len(pages)} pages under {MOST_TIME:.0f} ms and"
        f" {MOST_BYTES / 1000:.0f} KB; median of {ROUNDS} rounds in one process"
    )


def main() -> None:
    """Make the demo, measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "ABTEST_DATABASE": str(Path(folder) / "demo.db")}
        subprocess.run(
            [sys.executable, "-m", "abtest", "demo", "--password", PASSWORD],
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        with closing(create_serving_context(read_settings(environment))) as context:
            show(walk(Visit(context)))


if __name__ == "__main__":
    main()
