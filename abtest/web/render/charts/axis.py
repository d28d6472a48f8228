"""Round numbers on an axis, and where a value lies on it."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A stretch of numbers drawn from 0 to 1."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Return where the value lies, held within the axis."""
        share = (value - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, share))

    def ticks(self, wanted: int = 5) -> tuple[float, ...]:
        """Return round numbers on the axis, about as many as wanted."""
        length = self.high - self.low
        power = 10.0 ** math.floor(math.log10(length / wanted))
        steps = [m * power for m in (1, 2, 5, 10)]
        step = min(steps, key=lambda s: abs(length / s - wanted))
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return tuple(number * step for number in range(first, last + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A number on an axis, and how it is written."""

    value: float
    words: str


def axis_around(values: list[float], *, margin: float = 0.08) -> Axis:
    """Return an axis that holds the values and zero, with some air."""
    low, high = min(0.0, *values), max(0.0, *values)
    air = (high - low) * margin or 1.0
    return Axis(low=low - air, high=high + air)
