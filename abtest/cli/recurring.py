"""A thread of the service that does something now and again."""

import threading
from collections.abc import Callable

_FIRST_PAUSE = 1.0
_PAUSE = 60.0


class Recurring:
    """Does the work a second after the start and then once a minute.

    Args:
        name: of the thread.
        work: raises nothing; looks at `is_ended` when it takes long.
    """

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self._work = work
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_ended(self) -> bool:
        """Whether the service ends."""
        return self._ended.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, as soon as the work that goes on is done or given up."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._ended.wait(pause):
            self._work()
            pause = _PAUSE
