"""The tables of docs/statistics.md hold what is simulated, row by row."""

import pytest

from tests.simulations import tables
from tests.simulations.rows import Row


@pytest.mark.parametrize("name", tables.TABLES)
def test_every_row_stands_in_the_page_and_no_other(name: str) -> None:
    rows, _, columns = tables.TABLES[name]
    head, line, *written = tables.between(name, tables.PAGE.read_text()).splitlines()
    assert head.count("|") == line.count("|") == len(columns) + 2
    assert [text.split("|")[1].strip() for text in written] == [r.name for r in rows]
    for row, text in zip(rows, written, strict=True):
        assert f"| {row.study.replications:,} |" in text


def test_rows_have_names_of_their_own() -> None:
    for rows, _, _ in tables.TABLES.values():
        names = [row.name for row in rows]
        assert len(set(names)) == len(names)


def test_only_the_rows_that_are_wanted_are_simulated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing begins with this name: the table is copied as it stands."""

    def never(row: Row) -> None:
        raise AssertionError(row.name)

    monkeypatch.setattr(Row, "count", never)
    page = tables.PAGE.read_text()
    for name in tables.TABLES:
        made = "\n".join(tables.table(name, page, ["nothing"])) + "\n"
        assert made == tables.between(name, page)
