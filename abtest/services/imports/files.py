"""Reads rows of named cells from CSV, TSV, whitespace, JSON lines and Parquet."""

import csv
import difflib
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import IO, NamedTuple

from abtest.errors import AbtestError, ErrorCode

_GZIP = b"\x1f\x8b"
_PEEK = 1000
"""Objects of a JSON lines file that are looked at to learn its columns."""


class FileFormat(StrEnum):
    """How rows are written in a file."""

    CSV = "csv"
    TSV = "tsv"
    WHITESPACE = "whitespace"
    JSONL = "jsonl"
    PARQUET = "parquet"


class Row(NamedTuple):
    """One row: its line in the file, its number, and the wanted cells in order.

    `problem` says why the cells could not be read; then there are none.
    """

    line: int
    number: int
    cells: Sequence[str]
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How to read a file.

    Attributes:
        columns: names of the columns of a file that has no header.
        may_end_early: a row that ends early has empty cells there, and is no mistake.
    """

    format: FileFormat
    delimiter: str = ","
    encoding: str = "utf-8-sig"
    columns: tuple[str, ...] = ()
    may_end_early: bool = False


class RowStream:
    """The rows of an open file, and how far it has been read."""

    def __init__(self, rows: Iterator[Row], raw: IO[bytes], size: int) -> None:
        self.rows = rows
        self.size = size
        self._raw = raw

    @property
    def position(self) -> int:
        """Bytes of the file read so far, compressed if it is."""
        return self.size if self._raw.closed else min(self._raw.tell(), self.size)


def format_of(path: Path) -> FileFormat:
    """Tell the format from the name, `.gz` aside.

    Raises:
        AbtestError: `invalid` for an ending that says nothing.
    """
    endings = {
        ".csv": FileFormat.CSV,
        ".tsv": FileFormat.TSV,
        ".tab": FileFormat.TSV,
        ".jsonl": FileFormat.JSONL,
        ".ndjson": FileFormat.JSONL,
        ".parquet": FileFormat.PARQUET,
    }
    name = path.name.lower().removesuffix(".gz")
    found = endings.get(Path(name).suffix)
    if found is None:
        known = ", ".join(FileFormat)
        raise _bad(f"{path.name}: the name does not tell the format; add --format"
                   f" with one of {known}")  # fmt: skip
    return found


@contextmanager
def open_rows(path: Path, layout: Layout, wanted: Sequence[str]) -> Iterator[RowStream]:
    """Open a file and give its rows with the wanted columns, in that order.

    Raises:
        AbtestError: `invalid` when the file cannot be read, lacks a wanted column,
            or is broken at some line (while the rows are taken).
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    with raw:
        if layout.format is FileFormat.PARQUET:
            rows = _parquet_rows(path, raw, wanted)
        else:
            rows = _text_rows(path, raw, layout, wanted)
        yield RowStream(rows, raw, path.stat().st_size)


def _text_rows(
    path: Path, raw: IO[bytes], layout: Layout, wanted: Sequence[str]
) -> Iterator[Row]:
    is_gzip = raw.read(2) == _GZIP
    raw.seek(0)
    stream = gzip.GzipFile(fileobj=raw) if is_gzip else raw
    last = 0
    try:
        with io.TextIOWrapper(stream, encoding=layout.encoding, newline="") as text:
            for row in _parsed(path, text, layout, wanted):
                last = row.line
                yield row
    except UnicodeDecodeError as error:
        raise _bad(
            f"{path.name} is not {layout.encoding} after line {last}; name its"
            " encoding, for example --encoding cp1252"
        ) from error
    except LookupError as error:
        raise _bad(f"--encoding {layout.encoding} is unknown") from error
    except csv.Error as error:
        raise _bad(f"{path.name} is no valid CSV after line {last}: {error}") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _bad(f"{path.name} is cut off or damaged after line {last}") from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _parsed(
    path: Path, text: io.TextIOWrapper, layout: Layout, wanted: Sequence[str]
) -> Iterator[Row]:
    match layout.format:
        case FileFormat.JSONL:
            return _json_rows(path, text, wanted)
        case FileFormat.WHITESPACE:
            lines = ((n, line.split()) for n, line in enumerate(text, 1))
            return _table_rows(path, lines, layout, wanted)
        case FileFormat.TSV:
            reader = csv.reader(text, delimiter="\t", strict=True)
        case _:
            reader = csv.reader(text, delimiter=layout.delimiter, strict=True)
    return _table_rows(path, ((reader.line_num, c) for c in reader), layout, wanted)


def _table_rows(
    path: Path,
    lines: Iterator[tuple[int, list[str]]],
    layout: Layout,
    wanted: Sequence[str],
) -> Iterator[Row]:
    """Pick the wanted cells of rows that all have the header's columns."""
    header = layout.columns
    filled = ((n, cells) for n, cells in lines if cells)
    if not header:
        header = tuple(c.strip() for c in next(filled, (0, []))[1])
    pick = _picker(_places(path, header, wanted))
    width = len(header)
    for number, (line, cells) in enumerate(filled, 1):
        if len(cells) == width:
            yield Row(line, number, pick(cells))
        elif len(cells) < width and layout.may_end_early:
            yield Row(line, number, pick([*cells, *[""] * (width - len(cells))]))
        else:
            problem = f"has {len(cells)} cells, the header has {width}"
            yield Row(line, number, (), problem)


def _picker(places: Sequence[int]) -> Callable[[list[str]], tuple[str, ...]]:
    """Return what takes the cells at these places out of a row."""
    if len(places) > 1:
        return itemgetter(*places)
    # Of one place alone it would give no tuple.
    return lambda cells: tuple(cells[place] for place in places)


def _json_rows(
    path: Path, text: io.TextIOWrapper, wanted: Sequence[str]
) -> Iterator[Row]:
    lines = ((n, line) for n, line in enumerate(text, 1) if line.strip())
    objects = ((n, *_json_object(line)) for n, line in lines)
    # Not every object must have every name, so the first thousand are asked.
    first = list(islice(objects, _PEEK))
    _places(path, tuple(dict.fromkeys(k for _, o, _ in first for k in o)), wanted)
    for number, (line, cells, problem) in enumerate(chain(first, objects), 1):
        yield Row(line, number, [cells.get(c, "") for c in wanted], problem)


def _json_object(line: str) -> tuple[dict[str, str], str]:
    """Return an object's values as text, or a problem."""
    try:
        found = json.loads(line, parse_float=str, parse_int=str)
    except ValueError as error:
        return {}, f"is not JSON: {error}"
    if not isinstance(found, dict):
        return {}, "is not a JSON object"
    return {name: _text(value) for name, value in found.items()}, ""


def _parquet_rows(path: Path, raw: IO[bytes], wanted: Sequence[str]) -> Iterator[Row]:
    try:
        from pyarrow import (  # noqa: PLC0415 - an extra that most do without
            ArrowException,
            parquet,
        )
    except ImportError as error:
        raise _bad(
            "Parquet files need pyarrow; install it with: pip install"
            " 'abtest[parquet]', or save the file as CSV"
        ) from error
    try:
        file = parquet.ParquetFile(raw)
        _places(path, tuple(file.schema_arrow.names), wanted)
        number = 0
        for batch in file.iter_batches(columns=list(wanted)):
            columns = [batch.column(name).to_pylist() for name in wanted]
            for values in zip(*columns, strict=True):
                number += 1
                yield Row(number, number, [_text(value) for value in values])
    except ArrowException as error:
        raise _bad(f"{path.name} is no readable Parquet file: {error}") from error


def _text(value: object) -> str:
    """Write a typed value as a CSV file would hold it; nothing is empty."""
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case dict() | list():
            return json.dumps(value)
        case _:
            return str(value)


def _places(path: Path, header: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return where the wanted columns stand.

    Raises:
        AbtestError: `invalid`, naming the missing column and those that are there.
    """
    for column in wanted:
        if header.count(column) > 1:
            raise _bad(f"{path.name} has two columns {column!r}; rename one of them")
        if column not in header:
            there = ", ".join(header) or "none, the file is empty"
            near = difflib.get_close_matches(column, header, n=1)
            remedy = f"; did you mean {near[0]!r}?" if near else ""
            if len(header) == 1 and (other := _other_delimiter(header[0])):
                remedy = f"; its cells seem parted by {other!r}: add --delimiter"
            raise _bad(
                f"{path.name} has no column {column!r}; its columns are:"
                f" {there[:500]}{remedy}"
            )
    return [header.index(column) for column in wanted]


def _other_delimiter(header: str) -> str:
    return next((d for d in ";\t|," if d in header), "")


def _unreadable(path: Path, error: OSError) -> AbtestError:
    return _bad(f"{path} cannot be read: {error.strerror or error}")


def _bad(detail: str) -> AbtestError:
    return AbtestError(ErrorCode.INVALID, detail)
