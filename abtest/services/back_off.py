"""Slows down whoever guesses passwords: waits that double, kept in memory alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import blake2b
from os import urandom
from threading import Lock

from abtest.errors import AbtestError, ErrorCode

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=15)
MEMORY = timedelta(minutes=30)
"""Failures are forgotten when nothing was tried for so long."""

CAPACITY = 10_000
"""Names and networks remembered; beyond, the least recent are forgotten."""

FREE_BY_ACCOUNT = 5
FREE_BY_NETWORK = 20

_Tries = tuple[int, datetime]
"""How many failed in a row, and when the last was begun."""


class BackOff:
    """Attempts to sign in, by somebody's name or network.

    A number of failures is free. Each further one has to wait: one minute, two, four,
    up to fifteen. The right password is refused too while one has to wait, so that
    guessing on is in vain. An attempt counts as failed until it has succeeded: many
    at once gain nothing.
    """

    def __init__(self, free: int) -> None:
        self._free = free
        self._salt = urandom(16)
        self._tries: dict[bytes, _Tries] = {}
        self._lock = Lock()

    def begin(self, who: bytes, now: datetime) -> None:
        """Count an attempt.

        Raises:
            AbtestError: `rate_limited` when it comes too early; it is not counted.
        """
        name = self._name(who)
        with self._lock:
            failures, last = self._tries.get(name, (0, now))
            if now - last > MEMORY:
                failures = 0
            wait = last + self._pause(failures) - now
            if wait > timedelta(0):
                raise _too_many(wait)
            self._tries.pop(name, None)
            self._tries[name] = (failures + 1, now)
            if len(self._tries) > CAPACITY:
                del self._tries[next(iter(self._tries))]

    def succeed(self, who: bytes) -> None:
        """Forget all failures."""
        with self._lock:
            self._tries.pop(self._name(who), None)

    def take_back(self, who: bytes) -> None:
        """Forget the attempt that was just counted, and keep the failures before."""
        with self._lock:
            name = self._name(who)
            if name in self._tries:
                failures, last = self._tries[name]
                self._tries[name] = (max(0, failures - 1), last)

    def _pause(self, failures: int) -> timedelta:
        beyond = failures - self._free
        if beyond < 0:
            return timedelta(0)
        doublings: int = 2 ** min(beyond, 10)
        return min(FIRST_PAUSE * doublings, LONGEST_PAUSE)

    def _name(self, who: bytes) -> bytes:
        return blake2b(who, key=self._salt, digest_size=16).digest()


class SignInGuard:
    """Limits attempts by account and by network together."""

    def __init__(self) -> None:
        self._accounts = BackOff(FREE_BY_ACCOUNT)
        self._networks = BackOff(FREE_BY_NETWORK)

    @contextmanager
    def attempt(
        self, name: str, network: bytes | None, now: datetime
    ) -> Iterator[None]:
        """Surround one attempt; it has succeeded when nothing is raised inside.

        Names are treated alike whether somebody has them or not.

        Args:
            network: None for this machine, which is not limited as a network.

        Raises:
            AbtestError: `rate_limited`.
        """
        account = name.strip().casefold().encode("utf-8", "replace")
        if network is not None:
            self._networks.begin(network, now)
        self._accounts.begin(account, now)
        try:
            yield
        except AbtestError as error:
            if error.code is not ErrorCode.UNAUTHENTICATED:
                self._take_back(account, network)
            raise
        else:
            # One's own account shall not make one free to try those of others.
            self._accounts.succeed(account)
            if network is not None:
                self._networks.take_back(network)

    def _take_back(self, account: bytes, network: bytes | None) -> None:
        self._accounts.take_back(account)
        if network is not None:
            self._networks.take_back(network)


def _too_many(wait: timedelta) -> AbtestError:
    seconds = -(-wait // timedelta(seconds=1))
    return AbtestError(
        ErrorCode.RATE_LIMITED,
        f"too many attempts to sign in; try again in {seconds} s",
        retry_after=seconds,
    )
