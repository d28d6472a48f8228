"""How often somebody may call: token buckets in bounded memory, and nothing stored."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from os import urandom
from time import monotonic
from wsgiref.types import WSGIEnvironment

from abtest.config import Settings
from abtest.errors import AbtestError, ErrorCode
from abtest.web.guards.clients import client_of, is_local, prefix_of

CAPACITY = 32_768
"""Callers remembered in each of two generations, about 3 MB a bucket at most."""

_SALT_SECONDS = 86_400.0
_SERVER_KEY = "bearer abtest_sk_"
_ASSIGN = ("/api/v1/assign", "/ofrep/")
_EVENTS = "/api/v1/events"
_READ = ("/api/v1/experiments", "/api/v1/plan", "/api/v1/quality")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many calls a second in the long run, and so many at once."""

    per_second: float
    burst: int

    @classmethod
    def read(cls, text: str) -> "Rate | None":
        """Read `RATE/BURST`, whose form the settings have checked; None for `off`."""
        if text == "off":
            return None
        rate, _, burst = text.partition("/")
        return cls(per_second=float(rate), burst=int(burst))


FAILURES = Rate(per_second=1, burst=60)
"""Calls without a valid key that one network may make."""


class Buckets:
    """One token bucket per caller.

    A bucket is one number, the time at which it will be full again (the generic cell
    rate algorithm, https://www.rfc-editor.org/rfc/rfc4115 has its terms). Callers are
    known by a hash under a salt that lives for a day; the least recent ones are
    forgotten in bulk. There is no lock: threads that meet may let a call too many in.
    """

    def __init__(self, rate: Rate, clock: Callable[[], float] = monotonic) -> None:
        self._interval = 1.0 / rate.per_second
        self._tolerance = (rate.burst - 1) / rate.per_second
        self._clock = clock
        self._salt = b""
        self._salted_until = 0.0
        self._old: dict[int, float] = {}
        self._young: dict[int, float] = {}
        self._renew(clock())

    def take(self, caller: object) -> float:
        """Take one token; return 0, or the seconds until there will be one."""
        now = self._clock()
        if now >= self._salted_until:
            self._renew(now)
        name = hash((self._salt, caller))
        full = self._young.get(name) or self._old.get(name, now)
        full = max(full, now)
        wait = full - now - self._tolerance
        if wait > 0:
            return wait
        self._young[name] = full + self._interval
        if len(self._young) >= CAPACITY:
            self._old, self._young = self._young, {}
        return 0.0

    def wait(self, caller: object) -> float:
        """Return the seconds until there is a token, and take none."""
        name = hash((self._salt, caller))
        full = self._young.get(name) or self._old.get(name, 0.0)
        return max(0.0, full - self._clock() - self._tolerance)

    def _renew(self, now: float) -> None:
        self._salt = urandom(16)
        self._salted_until = now + _SALT_SECONDS
        self._old, self._young = {}, {}


class Limits:
    """The limits of the service; calls from the same machine have none.

    Browsers are limited by network, because their key is everybody's; a server by its
    key. Whoever fails to show a valid key too often is not listened to at all.
    """

    def __init__(
        self, settings: Settings, clock: Callable[[], float] = monotonic
    ) -> None:
        def buckets(rate: Rate | None) -> Buckets | None:
            return None if rate is None else Buckets(rate, clock)

        self._proxies = settings.trusted_proxies
        self._assign = buckets(Rate.read(settings.rate_assign))
        self._events = buckets(Rate.read(settings.rate_events))
        self._read = buckets(Rate.read(settings.rate_read))
        self._server = buckets(Rate.read(settings.rate_server))
        self._failures = Buckets(FAILURES, clock)

    def check(self, environ: WSGIEnvironment) -> None:
        """Let the call pass.

        Raises:
            AbtestError: `rate_limited`.
        """
        address = client_of(environ, self._proxies)
        if address == "127.0.0.1" or is_local(address):
            return
        wait = self._wait(environ, prefix_of(address))
        if wait > 0:
            raise too_often(wait)

    def note_failure(self, environ: WSGIEnvironment) -> None:
        """Remember that no valid key was shown."""
        address = client_of(environ, self._proxies)
        if not is_local(address):
            self._failures.take(prefix_of(address))

    def _wait(self, environ: WSGIEnvironment, prefix: bytes) -> float:
        path: str = environ["PATH_INFO"]
        key: str = environ.get("HTTP_AUTHORIZATION", "")
        if path.startswith(_ASSIGN):
            buckets = self._assign
        elif path == _EVENTS:
            buckets = self._events
        elif path.startswith(_READ):
            failed = self._failures.wait(prefix)
            return failed or (self._read.take(key or prefix) if self._read else 0.0)
        else:
            return 0.0
        if key[: len(_SERVER_KEY)].lower() == _SERVER_KEY:
            failed = self._failures.wait(prefix)
            return failed or (self._server.take(key) if self._server else 0.0)
        return buckets.take(prefix) if buckets else 0.0


def too_often(wait: float) -> AbtestError:
    """Return the refusal that names the seconds to wait."""
    seconds = math.ceil(wait)
    return AbtestError(
        ErrorCode.RATE_LIMITED,
        f"too many requests; try again in {seconds} s",
        retry_after=seconds,
    )
