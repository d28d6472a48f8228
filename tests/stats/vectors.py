"""Reference numbers of other programs, and moments made of their inputs."""

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from abtest.stats.delayed import Measure, Window, estimate
from abtest.stats.moments import Cell, CellKey, Moments, Pair, PairKey
from abtest.stats.results import FrequentistResult, Interval, JointEstimate

ROOT = Path(__file__).parents[2]
SAME_DAY = Window(first=0, second=0)

Vector = Mapping[str, Any]


def shared_vector(name: str) -> Vector:
    """One of the shared vectors, by its name."""
    return _named(ROOT.parent / "shared" / "stat_vectors.json", name)


def peer_vector(file: str, name: str) -> Vector:
    """One of our own vectors, by its name."""
    return _named(ROOT / "tests" / "peers" / file, name)


def _named(path: Path, name: str) -> Vector:
    vectors: list[Vector] = json.loads(path.read_text())["vectors"]
    return next(vector for vector in vectors if vector["name"] == name)


def near(expected: Any, vector: Vector) -> Any:  # noqa: ANN401 - as pytest.approx
    """Equal within the tolerance that the vector allows."""
    tolerance = vector["tolerance"]
    return pytest.approx(expected, rel=tolerance["rel"], abs=tolerance["abs"])


def limits(interval: Interval | None) -> list[float]:
    """The limits of an interval that has both."""
    assert interval is not None
    assert interval.lower is not None
    assert interval.upper is not None
    return [interval.lower, interval.upper]


def result_of(result: object) -> FrequentistResult:
    """The result of a test that was possible."""
    assert isinstance(result, FrequentistResult)
    return result


def estimated(result: object) -> JointEstimate:
    """An estimate that was possible."""
    assert isinstance(result, JointEstimate)
    return result


def followed(arm: Mapping[str, float], *, unit: int = 1) -> Moments:
    """Moments of visitors of one day, all their conversions on that day.

    Args:
        arm: n, c1, c2 and, with money, s1, q1, s2, q2, s12.
        unit: minor units of one unit of money.
    """
    n, c1, c2 = (int(arm[key]) for key in ("n", "c1", "c2"))
    s1, s2 = (_whole(arm.get(key, 0), unit) for key in ("s1", "s2"))
    q1, q2, s12 = (_whole(arm.get(key, 0), unit**2) for key in ("q1", "q2", "s12"))
    return Moments(
        cohorts={0: n},
        cells={
            CellKey(0, 0, 1): Cell(c1, s1, q1),
            CellKey(0, 0, 2): Cell(c2, s2, q2),
        },
        pairs={PairKey(0, 1, 0, 2, 0): Pair(c2, s12, 0, 0)},
    )


def joint(arm: Mapping[str, float], *, unit: int = 1) -> JointEstimate:
    """The estimate from `followed`, money when there is any."""
    measure = Measure.MONEY if "s1" in arm else Measure.COUNT
    moments = followed(arm, unit=unit)
    return estimated(estimate(moments, window=SAME_DAY, as_of=0, measure=measure))


def _whole(amount: float, unit: int) -> int:
    exact = Fraction(amount) * unit
    assert exact.denominator == 1
    return int(exact)
