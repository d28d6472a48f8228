"""Reports as files for `abtest report`: as the pages hand them out, and PDF."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from abtest.app import create_context, create_flask
from abtest.cli.console import now, settings
from abtest.errors import AbtestError, ErrorCode
from abtest.services.reporting import Question
from abtest.web.pages.files import FileForm, make_file

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
)
"""Programs that print a page to a PDF; the first that is installed does."""

_PATIENCE = 60


def write_file(form: str, question: Question, language: str) -> bytes:
    """Return the report in a form: `html`, `pdf`, `xlsx` or `ipynb`.

    Raises:
        AbtestError: `not_found`, `invalid`; `unavailable` when there is no browser
            to print with.
    """
    # First of all: nobody shall wait for a report that cannot be printed.
    browser = _browser() if form == "pdf" else ""
    wanted = FileForm.HTML if form == "pdf" else FileForm(form)
    context = create_context(settings(), now=now)
    try:
        with create_flask(context).app_context():
            content = make_file(wanted, context, question, tag=language).content
    finally:
        context.close()
    return _print(browser, content) if form == "pdf" else content


def _browser() -> str:
    found = (shutil.which(name) for name in BROWSERS)
    browser = next((path for path in found if path is not None), None)
    if browser is None:
        raise AbtestError(
            ErrorCode.UNAVAILABLE,
            "a PDF is printed by a browser and none is installed; install chromium"
            " (Debian: apt install chromium), or use --format html and print that",
        )
    return browser


def _print(browser: str, page: bytes) -> bytes:
    """Print a page that loads nothing and runs no script."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "report.html"), Path(folder, "report.pdf")
        source.write_bytes(page)
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--no-pdf-header-footer",
            f"--user-data-dir={folder}/profile",
            f"--print-to-pdf={target}",
            source.as_uri(),
        ]
        if os.geteuid() == 0:
            # Chromium refuses its sandbox to root, in containers above all.
            command.insert(1, "--no-sandbox")
        done = subprocess.run(  # noqa: S603 - our own page, in a browser found on PATH
            command, capture_output=True, timeout=_PATIENCE, check=False
        )
        if not target.exists():
            reason = done.stderr.decode(errors="replace").strip().splitlines()
            raise AbtestError(
                ErrorCode.UNAVAILABLE,
                f"{browser} did not print the report: {reason[-1] if reason else ''}",
            )
        return target.read_bytes()
