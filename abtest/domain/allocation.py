"""Which buckets belong to which variant, and how few move when shares change."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

BUCKETS = 1_000_000
"""Resolution of shares: one in a million."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Buckets `start` (included) to `end` (excluded) belong to a variant."""

    start: int
    end: int
    variant: str


Allocation = tuple[Span, ...]
"""Spans in order, without gaps or overlaps, from 0 to `BUCKETS`."""


def quotas(weights: Sequence[float]) -> list[int]:
    """Turn weights into whole buckets by largest remainder; they add up to BUCKETS.

    Fractions, because rounding noise would break the tie between equal remainders
    and another language could break it differently.

    Raises:
        ValueError: all weights are zero or one is negative.
    """
    parts = [Fraction(weight) for weight in weights]
    total = sum(parts)
    if total <= 0 or min(parts) < 0:
        raise ValueError(f"weights are {list(weights)}; at least one must be positive")
    exact = [part / total * BUCKETS for part in parts]
    whole = [int(share) for share in exact]
    order = sorted(
        range(len(exact)), key=lambda i: (whole[i] - exact[i], i)
    )  # largest remainder first, earlier variant first among equals
    for i in order[: BUCKETS - sum(whole)]:
        whole[i] += 1
    return whole


def allocate(variants: Sequence[tuple[str, float]]) -> Allocation:
    """Lay the variants out one after the other.

    Args:
        variants: (key, weight) in the experiment's order.
    """
    spans: list[Span] = []
    start = 0
    counts = quotas([weight for _, weight in variants])
    for (key, _), count in zip(variants, counts, strict=True):
        if count:
            spans.append(Span(start=start, end=start + count, variant=key))
        start += count
    return tuple(spans)


def reallocate(before: Allocation, variants: Sequence[tuple[str, float]]) -> Allocation:
    """Change the shares and move as few buckets as arithmetic allows.

    A variant that grows takes buckets only from variants that shrink, so the moved
    share is the total variation distance between the old and the new shares, the
    least that any scheme can do.
    """
    counts = quotas([weight for _, weight in variants])
    wanted = {key: n for (key, _), n in zip(variants, counts, strict=True)}
    kept: list[Span] = []
    freed: list[tuple[int, int]] = []
    for span in before:
        keep = min(span.end - span.start, wanted.get(span.variant, 0))
        if keep:
            kept.append(
                Span(start=span.start, end=span.start + keep, variant=span.variant)
            )
            wanted[span.variant] -= keep
        if span.start + keep < span.end:
            freed.append((span.start + keep, span.end))
    for free_start, free_end in freed:
        start = free_start
        while start < free_end:
            key = next(k for k, n in wanted.items() if n)
            take = min(free_end - start, wanted[key])
            kept.append(Span(start=start, end=start + take, variant=key))
            wanted[key] -= take
            start += take
    return _joined(sorted(kept, key=lambda span: span.start))


def variant_at(allocation: Allocation, bucket: int) -> str:
    """Return the variant that owns the bucket."""
    return next(s.variant for s in allocation if s.start <= bucket < s.end)


def shares(allocation: Allocation) -> dict[str, float]:
    """Return each variant's share of the buckets."""
    owned: dict[str, int] = {}
    for span in allocation:
        owned[span.variant] = owned.get(span.variant, 0) + span.end - span.start
    return {key: count / BUCKETS for key, count in owned.items()}


def moved_share(before: Allocation, after: Allocation) -> float:
    """Return the share of buckets whose variant differs between two allocations."""
    edges = sorted({s.start for s in (*before, *after)} | {BUCKETS})
    return (
        sum(
            end - start
            for start, end in pairwise(edges)
            if variant_at(before, start) != variant_at(after, start)
        )
        / BUCKETS
    )


def _joined(spans: list[Span]) -> Allocation:
    """Join neighbours of the same variant."""
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].variant == span.variant:
            joined[-1] = Span(
                start=joined[-1].start, end=span.end, variant=span.variant
            )
        else:
            joined.append(span)
    return tuple(joined)
