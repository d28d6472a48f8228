"""Windows to try, and what it means that an estimate is that of the visitors."""

import numpy as np

from abtest.stats.delayed import Measure, Window
from abtest.stats.results import JointEstimate
from tests.stats.visitors import Reference, Wanted

WINDOWS = [
    Window(first=7, second=7),
    Window(first=3, second=9),
    Window(first=9, second=3),
    Window(first=0, second=0),
]
WEEK = Window(first=7, second=7)


def wanted(window: Window, measure: Measure) -> list[Wanted]:
    money = measure is Measure.MONEY
    return [
        Wanted(ordinal=1, money=money, window=window.first),
        Wanted(ordinal=2, money=money, window=window.second),
    ]


def assert_same(joint: JointEstimate, expected: Reference) -> None:
    """To 1e-12 relative; a covariance relative to what it could be at most."""
    assert joint.visitors == expected.visitors
    np.testing.assert_allclose(
        [joint.first, joint.second], expected.means, rtol=1e-12, atol=0
    )
    variances = expected.covariance.diagonal()
    np.testing.assert_allclose(
        [
            [joint.variance_first, joint.covariance],
            [joint.covariance, joint.variance_second],
        ],
        expected.covariance,
        rtol=1e-12,
        atol=1e-12 * float(np.sqrt(variances.prod())),
    )
