"""Reads pairs of counts as JSON, asks tea-tasting, and prints what it said."""

import json
import sys

import tea_tasting as tt  # type: ignore[import-not-found]

Count = dict[str, float]

ALPHA = 0.05


def aggregates(arm: Count) -> object:
    """Return what tea-tasting reads from a table: count, means, variances."""
    n = arm["visitors"]
    mean = {
        "value": arm["total"] / n,
        "first": arm["first"] / n,
        "second": arm["second"] / n,
    }
    squares = {
        ("value", "value"): arm["squares"],
        ("first", "first"): arm["first"],
        ("second", "second"): arm["second"],
        ("first", "second"): arm["second"],
    }
    spread = {
        (a, b): (product - n * mean[a] * mean[b]) / (n - 1)
        for (a, b), product in squares.items()
    }
    return tt.aggr.Aggregates(
        count_=int(n),
        mean_=mean,
        var_={a: v for (a, b), v in spread.items() if a == b},
        cov_={key: v for key, v in spread.items() if key[0] != key[1]},
    )


def main() -> None:
    """Answer for each metric which pairs it calls different."""
    metrics = {
        "value": tt.Mean("value"),
        "second conversions": tt.Mean("second"),
        "second / first": tt.RatioOfMeans("second", "first"),
    }
    said: dict[str, list[bool]] = {}
    for control, treated in json.load(sys.stdin):
        arms = aggregates(control), aggregates(treated)
        for name, metric in metrics.items():
            p_value = metric.analyze_aggregates(*arms).pvalue
            said.setdefault(name, []).append(p_value < ALPHA)
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
