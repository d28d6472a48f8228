"""The demo's experiments behind the real service."""

import os
import subprocess
import sys
from pathlib import Path

from tests.browser.servers import Service

USER, PASSWORD = "demo", "correct horse battery"


def serve_demo(folder: Path) -> Service:
    """Make a demo in an empty folder and serve it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ABTEST_")}
    subprocess.run(
        [sys.executable, "-m", "abtest", "demo", "--password", PASSWORD],
        env={**kept, "ABTEST_DATABASE": str(folder / "abtest.db")},
        capture_output=True,
        check=True,
    )
    return Service(folder)
