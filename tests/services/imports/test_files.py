"""Rows out of files of every kind, and files that are broken."""

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from abtest.errors import AbtestError
from abtest.services.imports.files import FileFormat, Layout, Row, format_of, open_rows

WANTED = ("who", "what")
CSV = Layout(format=FileFormat.CSV)


def read(path: Path, layout: Layout = CSV) -> list[Row]:
    with open_rows(path, layout, WANTED) as stream:
        return list(stream.rows)


def cells(rows: list[Row]) -> list[list[str]]:
    return [list(row.cells) for row in rows]


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        ("who,x,what\nv1,0,see\nv2,0,buy\n", CSV),
        ("what,who\r\nsee,v1\r\nbuy,v2\r\n", CSV),
        ("\ufeffwho,what\nv1,see\n\nv2,buy", CSV),
        ('who,what\n"v1","see"\n"v2",buy\n', CSV),
        ("who;what\nv1;see\nv2;buy\n", Layout(format=FileFormat.CSV, delimiter=";")),
        ("who\twhat\nv1\tsee\nv2\tbuy\n", Layout(format=FileFormat.TSV)),
        ("  who what\nv1   see\n v2 buy\n", Layout(format=FileFormat.WHITESPACE)),
        (
            "v1 see\nv2 buy\n",
            Layout(format=FileFormat.WHITESPACE, columns=("who", "what")),
        ),
        (
            '{"who": "v1", "what": "see"}\n\n{"what": "buy", "who": "v2"}\n',
            Layout(format=FileFormat.JSONL),
        ),
    ],
)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_same_rows_from_every_kind_of_text(
    tmp_path: Path, text: str, layout: Layout, *, packed: bool
) -> None:
    data = text.encode()
    path = tmp_path / "rows"
    path.write_bytes(gzip.compress(data) if packed else data)
    assert cells(read(path, layout)) == [["v1", "see"], ["v2", "buy"]]


def test_position_goes_from_start_to_end(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("who,what\n" + "v1,see\n" * 100_000)
    with open_rows(path, CSV, WANTED) as stream:
        positions = [stream.position for _ in stream.rows]
        assert stream.position == stream.size == path.stat().st_size
    assert positions == sorted(positions)
    assert 0 < positions[0] < stream.size / 2


def test_lines_are_those_an_editor_shows(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('who,what\nv1,see\n\nv2,"two\nlines"\nv3,buy\n')
    assert [(row.line, row.number) for row in read(path)] == [(2, 1), (5, 2), (6, 3)]


def test_numbers_of_json_stay_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    lines = (
        '{"who": 12345678901234567890, "what": 49.90}',
        '{"who": null, "what": true}',
        '{"who": false}',
        '{"who": {"id": 7}, "what": [1]}',
    )
    path.write_text("\n".join(lines))
    assert cells(read(path, Layout(format=FileFormat.JSONL))) == [
        ["12345678901234567890", "49.90"],
        ["", "1"],
        ["0", ""],
        ['{"id": "7"}', '["1"]'],
    ]


def test_broken_json_lines_are_bad_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"who": 1, "what": 2}\n{"who": \n[1]\n')
    _, broken, listed = read(path, Layout(format=FileFormat.JSONL))
    assert broken.problem.startswith("is not JSON")
    assert listed.problem == "is not a JSON object"


def test_parquet_values_become_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    table = pa.table(
        {
            "x": [1, 2],
            "what": [Decimal("49.90"), None],
            "who": [datetime(2026, 3, 1, tzinfo=UTC), None],
        }
    )
    parquet.write_table(table, path)
    assert cells(read(path, Layout(format=FileFormat.PARQUET))) == [
        ["2026-03-01 00:00:00+00:00", "49.90"],
        ["", ""],
    ]


def test_parquet_without_its_extra_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    path = tmp_path / "rows.parquet"
    path.touch()
    with pytest.raises(AbtestError, match=r"pip install 'abtest\[parquet\]'"):
        read(path, Layout(format=FileFormat.PARQUET))


def test_damaged_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_text("no parquet at all")
    with pytest.raises(AbtestError, match=r"rows.parquet is no readable Parquet file"):
        read(path, Layout(format=FileFormat.PARQUET))


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        (
            "who,whta",
            "no column 'what'; its columns are: who, whta; did you mean 'whta'",
        ),
        ("a,b", "no column 'who'; its columns are: a, b"),
        ("who,what,what", "two columns 'what'"),
        ("who;what", "its cells seem parted by ';': add --delimiter"),
        ("", "its columns are: none, the file is empty"),
    ],
)
def test_wrong_header_names_the_columns(
    tmp_path: Path, header: str, complaint: str
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"{header}\n1,2\n" if header else "")
    with pytest.raises(AbtestError) as caught:
        read(path)
    assert complaint in caught.value.detail


def test_columns_of_json_are_those_of_all_first_objects(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"who": 1}\n{"whom": 2}\n')
    with pytest.raises(AbtestError, match="its columns are: who, whom"):
        read(path, Layout(format=FileFormat.JSONL))


def test_row_with_too_few_or_too_many_cells_is_bad(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("who,what\nv1\nv2,see,x\nv3,see\n")
    short, long, good = read(path)
    assert short.problem == "has 1 cells, the header has 2"
    assert long.problem == "has 3 cells, the header has 2"
    assert not good.problem


def test_row_may_end_early_where_that_means_empty(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("who,what\nv1\nv2,see,x\n")
    short, long = read(path, Layout(format=FileFormat.CSV, may_end_early=True))
    assert list(short.cells) == ["v1", ""]
    assert long.problem


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"who,what\nv1,caf\xe9\n", "not utf-8-sig after line 0"),
        (b'who,what\nv1,see\nv2,"open\n', "no valid CSV after line 2"),
        (gzip.compress(b"who,what\nv1,see\n" * 9)[:-9], "cut off or damaged"),
        (gzip.compress(b"who,what\nv1,see\n")[:-8] + b"\xff" * 8, "damaged"),
    ],
    ids=["wrong encoding", "open quote", "cut off", "wrong checksum"],
)
def test_damaged_files_say_where(tmp_path: Path, data: bytes, complaint: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(data)
    with pytest.raises(AbtestError) as caught:
        read(path)
    assert complaint in caught.value.detail


def test_other_encodings_are_read_when_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("who,what\nMüller,see\n".encode("cp1252"))
    assert read(path, Layout(format=FileFormat.CSV, encoding="cp1252"))[0].cells == (
        "Müller",
        "see",
    )
    with pytest.raises(AbtestError, match="--encoding klingon is unknown"):
        read(path, Layout(format=FileFormat.CSV, encoding="klingon"))


@pytest.mark.parametrize("name", ["", "missing.csv"], ids=["folder", "missing"])
def test_unreadable_files_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(AbtestError, match="cannot be read"):
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", FileFormat.CSV),
        ("a.CSV.gz", FileFormat.CSV),
        ("a.tsv", FileFormat.TSV),
        ("a.ndjson", FileFormat.JSONL),
        ("a.b.jsonl.gz", FileFormat.JSONL),
        ("a.parquet", FileFormat.PARQUET),
    ],
)
def test_format_is_told_by_the_name(name: str, expected: FileFormat) -> None:
    assert format_of(Path(name)) is expected


def test_name_that_says_nothing_needs_a_format() -> None:
    with pytest.raises(AbtestError, match="add --format with one of csv, tsv"):
        format_of(Path("log.txt"))
