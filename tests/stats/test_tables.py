"""Sums kept column by column are those kept row by row."""

import hashlib
import json
import struct
from array import array
from collections.abc import Callable, Mapping
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abtest.domain.experiment import VariantKey
from abtest.services.digest import digest
from abtest.stats.columns import LARGEST_SUM
from abtest.stats.delayed import Measure, Window, count_step, estimate
from abtest.stats.moments import (
    Cell,
    CellKey,
    Column,
    CovariateCell,
    Moments,
    Pair,
    PairKey,
    StepKey,
    Table,
)
from tests.stats.agreement import WEEK
from tests.stats.vectors import estimated
from tests.stats.visitors import Visitor, crowds, to_moments, traffic

K = TypeVar("K", bound=tuple[object, ...])
V = TypeVar("V")


def column(values: list[int] | list[str]) -> Column:
    return values if isinstance(values[0], str) else array("q", values)


def table(
    rows: Mapping[K, V], key: Callable[..., K], sums: Callable[..., V]
) -> Mapping[K, V]:
    """Return the same rows as a table, in order; a table is never made of none."""
    if not rows:
        return {}
    keys = sorted(rows)
    values = [v if isinstance(v := rows[k], tuple) else (v,) for k in keys]
    return Table(
        key,
        sums,
        [column(list(part)) for part in zip(*keys, strict=True)],
        [column(list(part)) for part in zip(*values, strict=True)],
    )


def tabled(moments: Moments) -> Moments:
    return Moments(
        cohorts=moments.cohorts,
        cells=table(moments.cells, CellKey, Cell),
        pairs=table(moments.pairs, PairKey, Pair),
        steps=table(moments.steps, StepKey, int),
        covariate_cells=table(moments.covariate_cells, CellKey, CovariateCell),
    )


@given(crowds, st.integers(-1, 14))
def test_rows_and_columns_are_the_same(visitors: list[Visitor], as_of: int) -> None:
    rows = to_moments(visitors)
    columns = tabled(rows)
    assert columns == rows
    assert len(columns.cells) == len(rows.cells)
    assert {key: columns.cells[key] for key in rows.cells} == rows.cells
    assert columns.until(as_of) == rows.until(as_of)
    assert columns.until(as_of) + columns == rows.until(as_of) + rows
    for measure in Measure:
        assert estimate(columns, window=WEEK, as_of=as_of, measure=measure) == estimate(
            rows, window=WEEK, as_of=as_of, measure=measure
        )


@given(crowds, st.integers(-1, 14))
def test_the_digest_is_that_of_the_rows(visitors: list[Visitor], as_of: int) -> None:
    rows = to_moments(visitors).until(as_of)
    columns = tabled(to_moments(visitors)).until(as_of)
    key = VariantKey("a")
    assert digest({key: columns}) == digest({key: rows})


def test_the_digest_is_that_of_all_columns() -> None:
    rows = to_moments(traffic(9, visitors=3_000, days=40))
    assert len(rows.cells) > 500
    expected = b"\1\0\0\0\0\0\0\0a"
    for part in (rows.cohorts, rows.cells, rows.pairs, rows.steps, {}, {}):
        flat = [
            (
                *(k if isinstance(k, tuple) else (k,)),
                *(v if isinstance(v, tuple) else (v,)),
            )
            for k, v in sorted(part.items())
        ]
        expected += struct.pack("<q", len(flat[0]) if flat else 0)
        for number in range(len(flat[0]) if flat else 0):
            values = [row[number] for row in flat]
            if isinstance(values[0], str):
                content = json.dumps(values).encode()
            else:
                content = struct.pack(f"<{len(values)}q", *values)
            expected += struct.pack("<q", len(content)) + content
    found = digest({VariantKey("a"): tabled(rows)})
    assert found == hashlib.sha256(expected).hexdigest()


def test_the_digest_knows_numbers_beyond_64_bits() -> None:
    def large(squares: int) -> str:
        cells = {CellKey(0, 0, 1): Cell(1, 1, squares), CellKey(0, 1, 2): Cell(1, 1, 1)}
        return digest({VariantKey("a"): Moments(cohorts={0: 9}, cells=cells)})

    assert len({large(n) for n in (1, 2**63 - 1, 2**63, 2**63 + 1, 2**70)}) == 5


def test_nothing_is_copied_when_everything_is_known() -> None:
    moments = tabled(to_moments(traffic(9, visitors=300, days=9)))
    known = moments.until(100)
    assert known.cells is moments.cells
    assert known.pairs is moments.pairs
    assert known.steps is moments.steps


def test_steps_are_counted() -> None:
    rows = to_moments(traffic(9, visitors=300, days=9))
    for as_of in (-1, 3, 20):
        assert count_step(
            tabled(rows).until(as_of), "signup", window=3, as_of=as_of
        ) == count_step(rows, "signup", window=3, as_of=as_of)


def test_sums_beyond_64_bits_stand_in_a_list() -> None:
    huge = LARGEST_SUM * 8
    cells = Table(
        CellKey,
        Cell,
        [array("q", [0, 3]), array("q", [0, 0]), array("q", [1, 1])],
        [array("q", [1, 1]), [huge, 7], [huge**2, 49]],
    )
    moments = Moments(cohorts={0: 2, 3: 2}, cells=cells).until(2)
    assert moments.cells == {CellKey(0, 0, 1): Cell(1, huge, huge**2)}
    joint = estimated(
        estimate(
            moments, window=Window(first=2, second=2), as_of=2, measure=Measure.MONEY
        )
    )
    assert joint.first == huge / 2
    assert joint.variance_first == pytest.approx(float(huge) ** 2 / 4, rel=1e-15)
