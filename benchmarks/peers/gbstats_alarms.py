"""Reads pairs of counts as JSON, asks gbstats about each, and prints what it said."""

import json
import sys

from gbstats.frequentist.tests import (  # type: ignore[import-not-found]
    SequentialConfig,
    SequentialTwoSidedTTest,
    TwoSidedTTest,
)
from gbstats.models.statistics import (  # type: ignore[import-not-found]
    ProportionStatistic,
    RatioStatistic,
    SampleMeanStatistic,
)

Count = dict[str, float]


def value(arm: Count) -> object:
    """Return the mean of the weighted value."""
    return SampleMeanStatistic(
        n=arm["visitors"], sum=arm["total"], sum_squares=arm["squares"]
    )


def second(arm: Count) -> object:
    """Return the share of visitors with a second conversion."""
    return ProportionStatistic(n=arm["visitors"], sum=arm["second"])


def repeat(arm: Count) -> object:
    """Second over first conversions; whoever has the second has the first."""
    numerator, denominator = (
        ProportionStatistic(n=arm["visitors"], sum=arm[name])
        for name in ("second", "first")
    )
    return RatioStatistic(
        n=arm["visitors"],
        m_statistic=numerator,
        d_statistic=denominator,
        m_d_sum_of_products=arm["second"],
    )


def main() -> None:
    """Answer for each test which pairs it calls different."""
    said: dict[str, list[bool]] = {}
    for control, treated in json.load(sys.stdin):
        for name, read, test, config in (
            ("value", value, TwoSidedTTest, None),
            ("second conversions", second, TwoSidedTTest, None),
            ("second / first", repeat, TwoSidedTTest, None),
            ("value, sequential", value, SequentialTwoSidedTTest, SequentialConfig()),
        ):
            arms = read(control), read(treated)
            done = test(*arms, config) if config else test(*arms)
            low, high = done.compute_result().ci
            said.setdefault(name, []).append(not low <= 0 <= high)
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
