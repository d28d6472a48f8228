"""A fingerprint of the sums that a report rests on."""

import hashlib
import json
from array import array
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any

from abtest.domain.experiment import VariantKey
from abtest.stats.moments import Column, Moments, Table


def digest(moments: Mapping[VariantKey, Moments]) -> str:
    """Return the SHA-256 of all tables, whatever the order of their rows.

    For each variant its key, then for each table its columns, the rows in the order of
    their keys: whole numbers of 64 bits, or JSON of texts and of numbers beyond that.
    Everything is preceded by its length.
    """
    found = hashlib.sha256()
    for variant, m in sorted(moments.items()):
        found.update(_framed(variant.encode()))
        for table in (
            m.cohorts,
            m.cells,
            m.pairs,
            m.steps,
            m.covariate_cohorts,
            m.covariate_cells,
        ):
            columns = [_bytes(column) for column in _columns(table)]
            found.update(_length(len(columns)))
            for column in columns:
                found.update(_framed(column))
    return found.hexdigest()


def _columns(table: Mapping[Any, Any]) -> Iterator[Column]:
    """Go through the columns of keys and of sums, none for an empty table."""
    if not table:
        return
    if isinstance(table, Table):
        yield from table.keys_by_column
        yield from table.sums_by_column
        return
    for part in zip(*sorted(table.items(), key=itemgetter(0)), strict=True):
        if isinstance(part[0], tuple):
            yield from map(list, zip(*part, strict=True))
        else:
            yield list(part)


def _bytes(column: Column) -> bytes:
    if not isinstance(column, array):
        try:
            column = array("q", column)
        except (TypeError, OverflowError):
            return json.dumps(column).encode()
    return column.tobytes()


def _framed(content: bytes) -> bytes:
    return _length(len(content)) + content


def _length(number: int) -> bytes:
    return number.to_bytes(8, "little")
