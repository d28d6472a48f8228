"""Buckets are fair, stable, independent of each other, and the same in JavaScript."""

import json
import shutil
import subprocess
from itertools import product
from pathlib import Path
from typing import TypedDict
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from abtest.domain.allocation import (
    BUCKETS,
    Allocation,
    Span,
    allocate,
    moved_share,
    reallocate,
    variant_at,
)
from abtest.domain.assignment import bucket

SNIPPETS = Path(__file__).parents[2] / "client_snippets"
N = 100_000
SURE = 1e-3
"""The ids are fixed, so a test that passes once passes always."""

FAMILIES = {
    "1, 2, 3": [str(i) for i in range(N)],
    "padded": [f"{i:012d}" for i in range(N)],
    "UUIDs of one millisecond": [str(UUID(int=(7 << 76) + i)) for i in range(N)],
    "long common start": ["x" * 120 + str(i) for i in range(N)],
    "long common end": [str(i) + "x" * 120 for i in range(N)],
    "umlauts": [f"Jürgen Größe {i}" for i in range(N)],
    "emoji": [f"👩‍👩‍👧{i}" for i in range(N)],
    "one letter apart": ["".join(t) for t in product("abcdefghij", repeat=5)],
    "ends that look like other salts": [f"home:variant:{i}" for i in range(N)],
    "multiples of the bucket count": [str(i * BUCKETS) for i in range(N)],
}

SpanJson = tuple[int, int, str]
Weights = list[tuple[str, float]]


class BucketCase(TypedDict):
    salt: str
    purpose: str
    visitor: str
    bucket: int


class AllocateCase(TypedDict):
    variants: Weights
    spans: list[SpanJson]


class ReallocateCase(TypedDict):
    before: list[SpanJson]
    variants: Weights
    after: list[SpanJson]
    moved: int


class Cases(TypedDict):
    hash_version: int
    buckets: int
    bucket: list[BucketCase]
    allocate: list[AllocateCase]
    reallocate: list[ReallocateCase]


@pytest.fixture(scope="module")
def cases() -> Cases:
    text = (SNIPPETS / "cases.json").read_text(encoding="utf-8")
    loaded: Cases = json.loads(text)
    return loaded


def allocation(spans: list[SpanJson]) -> Allocation:
    return tuple(Span(start=s, end=e, variant=v) for s, e, v in spans)


def buckets(salt: str, purpose: str, ids: list[str]) -> npt.NDArray[np.int64]:
    return np.array([bucket(salt, purpose, one) for one in ids])


def independence(left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> float:
    """Return the p-value of independence of tenths."""
    table = np.zeros((10, 10))
    np.add.at(table, (left * 10 // BUCKETS, right * 10 // BUCKETS), 1)
    return float(stats.chi2_contingency(table).pvalue)


@pytest.mark.parametrize("ids", FAMILIES.values(), ids=FAMILIES.keys())
def test_every_kind_of_id_is_spread_evenly(ids: list[str]) -> None:
    found = buckets("home", "variant", ids)
    per_cent = np.bincount(found * 100 // BUCKETS, minlength=100)
    assert stats.chisquare(per_cent).pvalue > SURE
    assert found.min() >= 0
    assert found.max() < BUCKETS


def test_experiments_are_independent_of_each_other() -> None:
    ids = FAMILIES["1, 2, 3"]
    layouts = [buckets(salt, "variant", ids) for salt in ("home", "home2", "Home")]
    for left, right in ((0, 1), (0, 2), (1, 2)):
        assert independence(layouts[left], layouts[right]) > SURE


def test_coverage_says_nothing_about_the_variant() -> None:
    ids = FAMILIES["1, 2, 3"]
    covered = buckets("home", "coverage", ids)
    assert independence(covered, buckets("home", "variant", ids)) > SURE


@given(st.text(), st.text())
def test_a_bucket_is_stable_and_in_range(salt: str, visitor: str) -> None:
    first = bucket(salt, "variant", visitor)
    assert 0 <= first < BUCKETS
    assert bucket(salt, "variant", visitor) == first


def test_the_version_of_the_conformance_set(cases: Cases) -> None:
    assert cases["hash_version"] == 1
    assert cases["buckets"] == BUCKETS


def test_buckets_of_the_conformance_set(cases: Cases) -> None:
    for case in cases["bucket"]:
        found = bucket(case["salt"], case["purpose"], case["visitor"])
        assert found == case["bucket"], case


def test_layouts_of_the_conformance_set(cases: Cases) -> None:
    for case in cases["allocate"]:
        assert allocate(case["variants"]) == allocation(case["spans"]), case
    for change in cases["reallocate"]:
        before, after = allocation(change["before"]), allocation(change["after"])
        assert reallocate(before, change["variants"]) == after, change
        assert moved_share(before, after) == change["moved"] / BUCKETS
        assert variant_at(after, 0) == after[0].variant


def test_javascript_agrees_with_the_conformance_set() -> None:
    node = shutil.which("node")
    assert node is not None, "node is not installed; it checks the other language"
    program = SNIPPETS / "js" / "bucket.mjs"
    run = subprocess.run([node, program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
