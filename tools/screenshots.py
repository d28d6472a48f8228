"""Takes pictures of every page of the demo in both languages, for docs/screenshots.

Starts the service on a new demo database of its own and ends it afterwards. Wide and
light pictures show whole pages, narrow and dark ones their beginning.
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

TARGET = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
PATIENCE = 60.0
TALLEST = 9_000
"""Pixels; what is below is cut off, as is all beyond a screenful or two elsewhere."""

TO_WEBP = """async (png) => {
  const picture = await createImageBitmap(await (await fetch(png)).blob());
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  canvas.getContext("2d").drawImage(picture, 0, 0);
  const blob = await canvas.convertToBlob({ type: "image/webp", quality: 0.3 });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""));
}"""
PASSWORD = "only for pictures"  # noqa: S105 - of a database that is thrown away

EVERYWHERE = {
    "overview": "/",
    "new-experiment": "/experiments/new",
    "traffic": "/traffic",
    "learnings": "/learnings",
    "keys": "/settings/keys",
    "users": "/settings/users",
    "privacy": "/settings/privacy",
    "system": "/settings/system",
    "audit": "/settings/audit",
    "help": "/help",
    "api-docs": "/api/docs",
}
OF_AN_EXPERIMENT = {
    "results": "",
    "segments": "/segments",
    "customers": "/customers",
    "costs": "/costs",
    "health": "/health",
    "install": "/install",
    "set-up": "/set-up",
}


def main() -> None:
    """Take all pictures."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is missing; run tools/system-packages")
    shutil.rmtree(TARGET, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        _demo(Path(folder) / "demo.db") as (address, demo),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium)
        experiment = str(demo["experiments"][0]["key"])
        pages = EVERYWHERE | {
            name: f"/experiments/{experiment}{path}"
            for name, path in OF_AN_EXPERIMENT.items()
        }
        pages["costs"] = "/experiments/shipping-offer/costs"
        for one in demo["experiments"][1:]:
            pages[f"results-{one['key']}"] = f"/experiments/{one['key']}"
        for language in ("de", "en"):
            _take(browser, address, str(demo["user"]), language, pages)
        browser.close()


@contextmanager
def _demo(database: Path) -> Iterator[tuple[str, Mapping[str, list[dict[str, str]]]]]:
    """Serve a new demo; give its address and what `abtest demo` printed."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {**os.environ, "ABTEST_DATABASE": str(database)}
    program = [sys.executable, "-m", "abtest"]
    made = subprocess.run(
        [*program, "demo", "--password", PASSWORD, "--json"],
        env=environment,
        check=True,
        capture_output=True,
    )
    service = subprocess.Popen(
        [*program, "serve", "--port", str(port)], env=environment
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/healthz")
        yield address, json.loads(made.stdout)
    finally:
        service.terminate()
        service.wait(PATIENCE)


def _wait_for(url: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url):
                return
        except urllib.error.URLError:
            time.sleep(0.2)
    sys.exit(f"{url} did not answer within {PATIENCE:.0f} seconds")


def _take(
    browser: Browser,
    address: str,
    user: str,
    language: str,
    pages: Mapping[str, str],
) -> None:
    """Take the pictures of one language: wide and light, narrow, and dark."""
    views: tuple[tuple[str, int, Literal["light", "dark"], int], ...] = (
        ("", 1280, "light", TALLEST),
        ("-narrow", 360, "light", 1600),
        ("-dark", 1280, "dark", 1600),
    )
    converter = browser.new_page()
    for suffix, width, scheme, tallest in views:
        context = browser.new_context(
            base_url=address,
            locale={"de": "de-DE", "en": "en-GB"}[language],
            color_scheme=scheme,
            viewport={"width": width, "height": 800},
        )
        page = context.new_page()
        page.goto("/login")
        _keep(page, converter, f"{language}/login{suffix}", tallest)
        page.fill("#name", user)
        page.fill("#password", PASSWORD)
        page.locator("#password").press("Enter")
        page.wait_for_url(f"{address}/")
        # The overview comes last: by then all results have been calculated.
        for name, path in sorted(pages.items(), key=lambda item: item[1] == "/"):
            page.goto(path)
            # Of the other results the verdict is what differs.
            height = 1600 if name.startswith("results-") else tallest
            _keep(page, converter, f"{language}/{name}{suffix}", height)
        context.close()
    converter.close()


def _keep(page: Page, converter: Page, name: str, tallest: int) -> None:
    """Keep a picture of the page as WebP, which the browser itself can write."""
    height = page.evaluate("document.documentElement.scrollHeight")
    width = page.evaluate("innerWidth")
    taken = page.screenshot(
        full_page=True,
        clip={"x": 0, "y": 0, "width": width, "height": min(height, tallest)},
    )
    png = base64.b64encode(taken).decode()
    packed = converter.evaluate(TO_WEBP, f"data:image/png;base64,{png}")
    path = TARGET / f"{name}.webp"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.b64decode(packed))


if __name__ == "__main__":
    main()
