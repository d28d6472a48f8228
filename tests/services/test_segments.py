"""Segments: each a test of its own visitors, corrected for all that is tested."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from abtest.domain.experiment import VariantKey
from abtest.domain.visitor import date_to_day
from abtest.errors import AbtestError
from abtest.services.segments import (
    MOST_SEGMENTS,
    SegmentReport,
    compare_segments,
    segments,
)
from abtest.stats.moments import Cell, CellKey, Moments, Pair, PairKey
from abtest.stats.results import FrequentistResult, NotEstimable, Reason
from abtest.store.insight_protocol import OTHER_SEGMENT
from abtest.store.protocol import Store
from tests.services.traffic import KEY, START, Cohort, events, running

DAY = date_to_day(START.date())
LATER = DAY + 40

Counts = tuple[int, int, int]


def arm(counts: Counts) -> Moments:
    """Visitors, first and second conversions, all on the exposure day."""
    visitors, first, second = counts
    return Moments(
        cohorts={DAY: visitors},
        cells={
            CellKey(DAY, 0, 1): Cell(first, 0, 0),
            CellKey(DAY, 0, 2): Cell(second, 0, 0),
        },
        pairs={PairKey(DAY, 1, 0, 2, 0): Pair(second, 0, 0, 0)},
    )


def sums(
    groups: Mapping[str, tuple[Counts, ...]],
) -> dict[str, dict[VariantKey, Moments]]:
    return {
        name: {VariantKey(k): arm(c) for k, c in zip("abc", counts, strict=False)}
        for name, counts in groups.items()
    }


def explored(
    groups: Mapping[str, tuple[Counts, ...]], variants: str = "ab", day: int = LATER
) -> SegmentReport:
    experiment = running(variants=list(variants))
    return compare_segments(experiment, "device", sums(groups), day=day)


def welch_p(control: Counts, treated: Counts) -> float:
    """statsmodels, on the values 0, 1 and 1 + 3."""
    one, other = (
        DescrStatsW([0, 1, 4], weights=[n - c1, c1 - c2, c2], ddof=1)
        for n, c1, c2 in (treated, control)
    )
    return float(CompareMeans(one, other).ttest_ind(usevar="unequal")[1])


GROUPS: dict[str, tuple[Counts, ...]] = {
    "phone": ((9000, 450, 110), (9100, 520, 160)),
    "tablet": ((2000, 100, 30), (2050, 105, 28)),
    "": ((5000, 260, 60), (4900, 240, 70)),
}


def test_effects_are_welchs_and_corrected_by_benjamini_and_hochberg() -> None:
    found = explored(GROUPS)
    assert [segment.name for segment in found.segments] == ["phone", "", "tablet"]
    assert found.is_exploratory
    assert found.tests == 3
    p_values = [welch_p(*GROUPS[segment.name]) for segment in found.segments]
    q_values = multipletests(p_values, method="fdr_bh")[1]
    for segment, p, q in zip(found.segments, p_values, q_values, strict=True):
        (effect,) = segment.effects
        assert isinstance(effect.test, FrequentistResult)
        assert effect.test.p_value == pytest.approx(p, rel=1e-9)
        assert effect.q_value == pytest.approx(q, rel=1e-9)
        assert segment.visitors == tuple(n for n, _, _ in GROUPS[segment.name])
        assert segment.first == tuple(c for _, c, _ in GROUPS[segment.name])
        assert segment.second == tuple(c for _, _, c in GROUPS[segment.name])


def test_all_treatments_of_all_segments_share_the_correction() -> None:
    groups = {
        "x": ((3000, 150, 30), (3000, 190, 40), (3000, 140, 33)),
        "y": ((2000, 90, 20), (2000, 120, 33), (2000, 100, 20)),
    }
    found = explored(groups, "abc")
    effects = [effect for segment in found.segments for effect in segment.effects]
    p_values = [
        welch_p(counts[0], treated)
        for counts in groups.values()
        for treated in counts[1:]
    ]
    expected = multipletests(p_values, method="fdr_bh")[1]
    assert [effect.q_value for effect in effects] == pytest.approx(expected.tolist())
    assert [effect.variant for effect in effects] == ["b", "c", "b", "c"]


@pytest.mark.parametrize(
    "small",
    [
        ((900, 24, 20), (900, 60, 20)),
        ((900, 60, 20), (900, 24, 20)),
        ((900, 60, 4), (900, 60, 5)),
    ],
    ids=["control", "treatment", "second"],
)
def test_too_few_conversions_are_not_tested(small: tuple[Counts, Counts]) -> None:
    found = explored({**GROUPS, "rare": small})
    rare = found.segments[-1]
    assert rare.effects[0].test == NotEstimable(Reason.TOO_FEW_CONVERSIONS)
    assert rare.effects[0].q_value is None
    assert found.tests == 3
    # What cannot be tested is not corrected for.
    assert [s.effects for s in found.segments[:3]] == [
        s.effects for s in explored(GROUPS).segments
    ]


def test_before_the_window_is_over_nothing_is_tested() -> None:
    found = explored(GROUPS, day=DAY + 10)
    assert found.tests == 0
    assert {s.effects[0].test for s in found.segments} == {
        NotEstimable(Reason.NOT_MATURE)
    }


def test_a_variant_without_visitors_says_so() -> None:
    (segment,) = explored({"phone": ((9000, 450, 110),)}).segments
    assert segment.effects[0].test == NotEstimable(Reason.NO_VISITORS)
    assert segment.visitors == (9000, 0)


def test_many_values_are_put_together() -> None:
    groups: dict[str, tuple[Counts, ...]] = {
        f"v{i:02}": ((100 + i, 50, 20), (100 + i, 60, 20)) for i in range(30)
    }
    groups[OTHER_SEGMENT] = ((500, 100, 20), (500, 100, 20))
    groups["nobody"] = ((0, 0, 0), (0, 0, 0))
    found = explored(groups)
    assert len(found.segments) == MOST_SEGMENTS + 1
    *named, other = found.segments
    assert [s.name for s in named] == [f"v{i:02}" for i in range(29, 9, -1)]
    assert other.is_other
    assert not any(s.is_other for s in named)
    assert other.visitors == (500 + sum(100 + i for i in range(10)),) * 2
    assert other.first == (100 + 10 * 50, 100 + 10 * 60)


def test_segments_come_out_of_the_store(store: Store) -> None:
    store.add_experiment(running())
    made = [
        Cohort(variant=v, day=0, visitors=200, first=30, second=6, gap=2) for v in "ab"
    ]
    store.record(events(made), received_at=START)
    now = START + timedelta(days=41)
    found = segments(store, KEY, "device", now=now)
    assert [(s.name, s.visitors) for s in found.segments] == [("", (200, 200))]
    assert found.attribute == "device"
    with pytest.raises(AbtestError):
        segments(store, KEY, "device", now=now, as_of=now.date())
