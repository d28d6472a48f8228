"""What a serving process remembers of the database, and for how long."""

from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

CONFIGURATION_SECONDS = 0.1
"""How late a change of keys or experiments by another process may be seen."""

EXPOSURES_SECONDS = 60.0
"""How late exposures stored by another process may be seen."""

_MAX_VISITORS = 50_000
_MAX_KEYS = 1_000


class Recent(Generic[K, V]):
    """Values that were read within the last seconds, a bounded number of them.

    They are forgotten all at once, by taking a new dictionary. Whoever was reading
    meanwhile writes what was found into the old one, which nobody asks any more: what
    was read before a change is never remembered after it, and no lock is needed.
    """

    def __init__(self, *, seconds: float, size: int) -> None:
        self._seconds = seconds
        self._size = size
        self._values: dict[K, V] = {}
        self._until = 0.0

    def get(self, key: K, read: Callable[[K], V]) -> V:
        """Return the value, read unless it is remembered; None is not remembered."""
        values = self._values
        if monotonic() >= self._until or len(values) > self._size:
            values = self._values = {}
            self._until = monotonic() + self._seconds
        found = values.get(key)
        if found is None:
            found = read(key)
            if found is not None:
                values[key] = found
        return found

    def drop(self, key: K) -> None:
        """Forget one value."""
        self._values.pop(key, None)

    def forget(self) -> None:
        """Forget everything."""
        self._values = {}


def recent_configuration(*, remembers: bool) -> Recent[K, V]:
    """Return a memory for what people change."""
    return Recent(seconds=CONFIGURATION_SECONDS if remembers else 0.0, size=_MAX_KEYS)


def recent_exposures(*, remembers: bool) -> Recent[K, V]:
    """Return a memory for what visitors have seen."""
    return Recent(seconds=EXPOSURES_SECONDS if remembers else 0.0, size=_MAX_VISITORS)
