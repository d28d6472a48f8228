"""The first experiment of README.md is made as it says there."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from tests.browser.servers import Service

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```bash\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
OF_THE_READER = {"source .venv/bin/activate", "abtest serve"}
"""Lines for a person's own terminal: here the program is on the path already, and the
service is started beside."""


def run(lines: str, folder: Path) -> str:
    kept = [x for x in lines.splitlines() if x.partition("  ")[0] not in OF_THE_READER]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ABTEST_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    database = str(folder / "data" / "abtest.db")
    done = subprocess.run(
        ["bash", "-e", "-c", "\n".join(kept)],
        cwd=folder,
        env={**clean, "PATH": path, "ABTEST_DATABASE": database},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_first_experiment(tmp_path: Path) -> None:
    first, event, result = BLOCKS
    keys = re.findall(r"abtest_[a-z]k_\S+", run(first, tmp_path))
    assert [key[:10] for key in keys] == ["abtest_pk_", "abtest_sk_"]
    body = re.search(r"-d '(.*)'", event, re.DOTALL)
    address = re.search(r"https://ab\.example(\S+)", event)
    assert body
    assert address
    with closing(Service(tmp_path / "data")) as service:
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{service.url}{address[1]}",
            data=body[1].encode(),
            headers={"Authorization": f"Bearer {keys[1]}"},
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own address
            assert json.load(answer)["accepted"] == 1
    printed = run(result, tmp_path)
    assert "New home page (home, running)" in printed
    assert '"code":"no_data"' in printed


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)", README))
def test_links_lead_somewhere(target: str) -> None:
    assert (Path(__file__).parents[2] / target).exists()
