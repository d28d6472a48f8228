"""The rules of the house that no linter knows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = sorted((ROOT / "abtest").rglob("*.py"))
EVERYTHING = [
    *PACKAGE,
    *sorted((ROOT / "tests").rglob("*.py")),
    *sorted((ROOT / "benchmarks").rglob("*.py")),
]


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_file_is_longer_than_a_reader_can_hold(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


def test_every_module_of_the_package_is_named_after_what_it_knows() -> None:
    nameless = {"utils", "util", "helpers", "common", "core", "misc", "models"}
    assert [p for p in PACKAGE if p.stem in nameless] == []


def test_nothing_in_the_package_looks_like_a_test() -> None:
    found = [
        p for p in PACKAGE if re.search(r"^class Test", p.read_text(), re.MULTILINE)
    ]
    assert found == []


@pytest.mark.parametrize("module", ["abtest", "abtest.stats", "abtest.stats.moments"])
def test_counting_does_not_import_scipy(module: str) -> None:
    code = f"import sys, {module}; sys.exit('scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0


def test_a_serving_process_starts_without_statistics() -> None:
    code = (
        "import sys, abtest.app;"
        "sys.exit(bool({'scipy', 'statsmodels', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0


def test_templates_trust_nothing_and_scripts_build_no_html() -> None:
    web = ROOT / "abtest" / "web"
    suspects = [
        *web.rglob("*.html"),
        *web.rglob("*.js"),
        *(ROOT / "client_snippets").rglob("*.js"),
    ]
    found = [
        p
        for p in suspects
        if re.search(r"\|\s*safe\b|innerHTML|document\.write|\beval\(", p.read_text())
    ]
    assert found == []
