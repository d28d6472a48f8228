"""Quotas add up, layouts cover everything, and no change moves more than it must."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abtest.domain.allocation import (
    BUCKETS,
    Allocation,
    Span,
    allocate,
    moved_share,
    quotas,
    reallocate,
    shares,
    variant_at,
)

KEYS = "abcdef"
Variants = list[tuple[str, float]]

weights = st.one_of(
    st.floats(min_value=0, max_value=1e9), st.integers(min_value=0, max_value=100)
)
weight_lists = st.lists(weights, min_size=1, max_size=len(KEYS)).filter(any)
variants = weight_lists.map(lambda given: list(zip(KEYS, given, strict=False)))


def owners(allocation: Allocation) -> npt.NDArray[np.str_]:
    """Write the owner down bucket by bucket: the slow reading of a layout."""
    return np.concatenate([np.repeat(s.variant, s.end - s.start) for s in allocation])


def spans(*edges: tuple[int, int, str]) -> Allocation:
    return tuple(Span(start=start, end=end, variant=key) for start, end, key in edges)


@pytest.mark.parametrize(
    ("given_weights", "expected"),
    [
        ([1], [1_000_000]),
        ([1, 1], [500_000, 500_000]),
        ([60, 40], [600_000, 400_000]),
        ([1, 1, 1], [333_334, 333_333, 333_333]),
        ([1, 0, 1], [500_000, 0, 500_000]),
        ([0, 3], [0, 1_000_000]),
        # 166,666 2/3 and 666,666 2/3: equal remainders, so the earlier two gain.
        ([1, 4, 1], [166_667, 666_667, 166_666]),
        ([1e-9, 1], [0, 1_000_000]),
        ([5e-324, 5e-324], [500_000, 500_000]),
    ],
    ids=str,
)
def test_quotas(given_weights: list[float], expected: list[int]) -> None:
    assert quotas(given_weights) == expected


@pytest.mark.parametrize("bad", [[], [0], [0, 0], [1, -1], [-1, 3]], ids=str)
def test_weights_that_share_out_nothing_are_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one must be positive"):
        quotas(bad)


@given(weight_lists)
def test_quotas_add_up_and_are_off_by_less_than_one_bucket(
    given_weights: list[float],
) -> None:
    counts = quotas(given_weights)
    assert sum(counts) == BUCKETS
    total = sum(given_weights)
    for count, weight in zip(counts, given_weights, strict=True):
        assert count == pytest.approx(weight / total * BUCKETS, abs=1.001)


@settings(max_examples=50)
@given(st.lists(variants, min_size=1, max_size=4))
def test_layouts_cover_everything_whatever_the_history(history: list[Variants]) -> None:
    layout = allocate(history[0])
    for change in history[1:]:
        layout = reallocate(layout, change)
    assert layout[0].start == 0
    assert layout[-1].end == BUCKETS
    assert all(s.start < s.end for s in layout)
    for left, right in pairwise(layout):
        assert left.end == right.start
        assert left.variant != right.variant
    counts = quotas([weight for _, weight in history[-1]])
    wanted = {k: n for (k, _), n in zip(history[-1], counts, strict=True) if n}
    assert shares(layout) == {key: n / BUCKETS for key, n in wanted.items()}


@settings(max_examples=50)
@given(variants, variants, variants)
def test_a_change_moves_exactly_the_total_variation_distance(
    first: Variants, second: Variants, third: Variants
) -> None:
    before = reallocate(allocate(first), second)
    after = reallocate(before, third)
    was, now = owners(before), owners(after)
    distance = sum(abs(int((was == k).sum()) - int((now == k).sum())) for k in KEYS) / 2
    assert int((was != now).sum()) == distance
    assert moved_share(before, after) == distance / BUCKETS


@given(variants)
def test_the_same_weights_again_move_nobody(same: Variants) -> None:
    layout = allocate(same)
    assert reallocate(layout, same) == layout
    assert moved_share(layout, layout) == 0


@settings(max_examples=25)
@given(variants, st.integers(min_value=0, max_value=BUCKETS - 1))
def test_the_owner_of_a_bucket(chosen: Variants, bucket: int) -> None:
    layout = reallocate(allocate([("a", 1), ("b", 1)]), chosen)
    assert variant_at(layout, bucket) == owners(layout)[bucket]


def test_a_growing_variant_takes_only_from_those_that_shrink() -> None:
    before = allocate([("a", 1), ("b", 1)])
    after = reallocate(before, [("a", 6), ("b", 4)])
    assert after == spans(
        (0, 500_000, "a"), (500_000, 900_000, "b"), (900_000, 1_000_000, "a")
    )


THIRDS: Variants = [("a", 1), ("b", 1), ("c", 1)]


@pytest.mark.parametrize(
    ("before", "after", "moved", "by_contiguous_layout", "by_new_hash"),
    [
        # Textbook: half the sum of |q - p|; 1 - sum of p x q when all draw again.
        ([("a", 50), ("b", 50)], [("a", 60), ("b", 40)], 1 / 10, 1 / 10, 1 / 2),
        (THIRDS, [("a", 2), ("b", 1), ("c", 1)], 1 / 6, 1 / 4, 2 / 3),
        (THIRDS, [*THIRDS, ("d", 1)], 1 / 4, 1 / 2, 3 / 4),
        (THIRDS, [("a", 1), ("b", 0), ("c", 1)], 1 / 3, 1 / 3, 2 / 3),
        ([("a", 90), ("b", 10)], [("a", 50), ("b", 50)], 2 / 5, 2 / 5, 1 / 2),
        (
            [("a", 70), ("b", 10), ("c", 10), ("d", 10)],
            [("a", 25), ("b", 25), ("c", 25), ("d", 25)],
            9 / 20,
            13 / 20,
            3 / 4,
        ),
    ],
    ids=["50/50 to 60/40", "thirds to 2:1:1", "a fourth", "b leaves", "ramp", "even"],
)
def test_the_numbers_of_the_decision_record(
    before: Variants,
    after: Variants,
    moved: float,
    by_contiguous_layout: float,
    by_new_hash: float,
) -> None:
    old = allocate(before)
    assert moved_share(old, reallocate(old, after)) == pytest.approx(moved, abs=2e-6)
    contiguous = allocate(after)
    assert moved_share(old, contiguous) == pytest.approx(by_contiguous_layout, abs=3e-6)
    was, now = shares(old), shares(contiguous)
    again = 1 - sum(share * now.get(key, 0) for key, share in was.items())
    assert again == pytest.approx(by_new_hash, abs=2e-6)
