"""The floor under an arm's variance, against visitors taken one by one."""

from collections.abc import Sequence

import numpy as np
import pytest

from abtest.stats.delayed import Measure, Window
from abtest.stats.results import JointEstimate
from abtest.stats.stratified import estimate_stratified
from tests.stats.vectors import estimated
from tests.stats.visitors import Visitor, Wanted, brought, to_moments, traffic

WINDOW = Window(first=5, second=8)
AS_OF = 9
SIZES = (900, 60)
WANTED = (
    Wanted(ordinal=1, money=False, window=5),
    Wanted(ordinal=2, money=False, window=8),
)


def arms(seed: int, repeats: Sequence[float] = (0.5, 0.5)) -> list[list[Visitor]]:
    return [
        traffic(seed + i, visitors=n, days=6, repeat=repeat)
        for i, (n, repeat) in enumerate(zip(SIZES, repeats, strict=True))
    ]


def estimates(
    drawn: Sequence[Sequence[Visitor]], *, has_floor: bool, as_of: int = AS_OF
) -> list[JointEstimate]:
    found = estimate_stratified(
        [to_moments(arm) for arm in drawn],
        window=WINDOW,
        as_of=as_of,
        measure=Measure.COUNT,
        has_floor=has_floor,
    )
    return [estimated(one) for one in found]


def pooled(drawn: Sequence[Sequence[Visitor]], arm: int) -> np.ndarray:
    """Covariance of an arm's means, all arms' visitors of a day being alike."""
    everybody = [v for one in drawn for v in one]
    total = np.zeros((2, 2))
    for day in range(6):
        squares, degrees = np.zeros((2, 2)), 0
        on_day = sum(v.day == day for v in everybody)
        for one in drawn:
            here = [v for v in one if v.day == day]
            z = np.zeros((len(here), 2))
            for k, wanted in enumerate(WANTED):
                table = brought(here, wanted, AS_OF)
                for lag in range(min(AS_OF - day, wanted.window) + 1):
                    followed = sum(v.day + lag <= AS_OF for v in everybody)
                    z[:, k] += table[:, lag] / followed
            centred = z - z.mean(axis=0)
            squares += centred.T @ centred
            degrees += len(here) - 1
        n = sum(v.day == day for v in drawn[arm])
        total += (on_day / n) ** 2 * n * squares / degrees
    return total


@pytest.mark.parametrize("seed", range(0, 12, 2))
def test_the_floor_is_what_the_visitors_of_a_day_have_in_common(seed: int) -> None:
    drawn = arms(seed)
    plain = estimates(drawn, has_floor=False)
    floored = estimates(drawn, has_floor=True)
    for arm, (own, found) in enumerate(zip(plain, floored, strict=True)):
        (first, _), (both, second) = pooled(drawn, arm)
        assert (found.first, found.second) == (own.first, own.second)
        is_own = own.variance_second >= second
        expected = (
            (own.variance_first, own.covariance, own.variance_second)
            if is_own
            else (first, both, second)
        )
        assert (
            found.variance_first,
            found.covariance,
            found.variance_second,
        ) == pytest.approx(expected, rel=1e-9)


def test_an_arm_without_second_conversions_is_not_taken_for_certain() -> None:
    drawn = arms(3, repeats=(0.5, 0.0))
    _, own = estimates(drawn, has_floor=False)
    _, floored = estimates(drawn, has_floor=True)
    assert own.variance_second == 0
    assert floored.variance_second > 0


def test_there_is_no_floor_once_all_have_been_followed() -> None:
    drawn = arms(3, repeats=(0.5, 0.0))
    last = 5 + WINDOW.longest
    assert estimates(drawn, has_floor=True, as_of=last) == estimates(
        drawn, has_floor=False, as_of=last
    )
    assert estimates(drawn, has_floor=True, as_of=last - 1) != estimates(
        drawn, has_floor=False, as_of=last - 1
    )


def test_without_anybody_there_is_nothing_to_share() -> None:
    nobody = [to_moments([]), to_moments([])]
    found = estimate_stratified(
        nobody, window=WINDOW, as_of=AS_OF, measure=Measure.COUNT, has_floor=True
    )
    assert not any(isinstance(one, JointEstimate) for one in found)
