"""A wheel holds everything: built, installed elsewhere, and used."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
    subprocess.run(
        [*command, "--outdir", target, ROOT], check=True, capture_output=True
    )
    return next(target.glob("*.whl"))


def test_the_wheel_holds_migrations_snippets_and_pages(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for part in (
        "abtest/_migrations/sqlite/0001_",
        "abtest/_client_snippets/js/abtest.js",
        "abtest/_client_snippets/cases.json",
        "abtest/web/templates/",
        "abtest/web/static/",
        "abtest/web/translations/de/",
    ):
        assert any(name.startswith(part) for name in names), part


def test_an_installed_wheel_migrates_a_database(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "elsewhere"
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    site = next(home.glob("lib/python*/site-packages"))
    # The dependencies of this environment, but not its editable abtest: a .pth file
    # inside a folder that a .pth file names is not read.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = home / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--no-deps", "--no-index"]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    where = subprocess.run(
        [python, "-c", "import abtest; print(abtest.__file__)"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    ).stdout
    assert str(home) in where
    environment = {
        "PATH": os.environ["PATH"],
        "ABTEST_DATABASE": str(tmp_path / "new.db"),
    }
    subprocess.run(
        [home / "bin" / "abtest", "migrate"],
        check=True,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
    )
    assert (tmp_path / "new.db").stat().st_size > 0
