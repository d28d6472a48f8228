from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.real_data.documented import DATA


@pytest.fixture(scope="session")
def data() -> Path:
    return DATA


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)
