"""Settings: from the table, a file and the environment, in this order."""

from pathlib import Path

import pytest

from abtest.config import SETTINGS, Origin, Settings, read_origins, read_settings
from abtest.errors import AbtestError, ErrorCode


def test_what_nobody_sets_is_what_the_table_says() -> None:
    usual = read_settings({})
    written = Settings(
        database="data/abtest.db", durability="full", base_url="", language="en"
    )
    assert usual == written
    for setting in SETTINGS:
        assert str(getattr(usual, setting.name)) == setting.default
    assert set(read_origins({}).values()) == {Origin.DEFAULT}


def test_the_environment_outranks_the_file(tmp_path: Path) -> None:
    file = tmp_path / "abtest.toml"
    file.write_text('language = "de"\nbackup_hours = 6\ndatabase = "file.db"\n')
    environment = {
        "ABTEST_CONFIG": str(file),
        "ABTEST_DATABASE": "environment.db",
        "HOME": "/root",
    }
    settings = read_settings(environment)
    assert settings.database == "environment.db"
    assert (settings.language, settings.backup_hours) == ("de", 6)
    origins = read_origins(environment)
    assert origins["database"] is Origin.ENVIRONMENT
    assert origins["language"] is Origin.FILE
    assert origins["durability"] is Origin.DEFAULT


@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "six", "٣", "1" * 10])
def test_a_whole_number_that_is_none(value: str) -> None:
    with pytest.raises(AbtestError, match="backup_hours") as caught:
        read_settings({"ABTEST_BACKUP_HOURS": value})
    assert caught.value.code is ErrorCode.INVALID


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("= 3")
    for file in (broken, tmp_path / "none.toml"):
        with pytest.raises(AbtestError, match="cannot be read"):
            read_settings({"ABTEST_CONFIG": str(file)})


def test_a_name_nobody_knows() -> None:
    with pytest.raises(AbtestError, match="bakup_dir is not a setting"):
        read_settings({"ABTEST_BAKUP_DIR": "x"})
