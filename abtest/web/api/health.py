"""Is the process there, and can it do its work; the browser snippet."""

import msgspec

from abtest import __version__
from abtest._resources import client_snippets
from abtest.errors import AbtestError, ErrorCode
from abtest.web.context import Context
from abtest.web.exchange import Call, Reply, json_reply


class HealthView(msgspec.Struct, frozen=True, kw_only=True):
    """How the process is."""

    status: str
    version: str = __version__


def get_health(_context: Context, _call: Call) -> Reply:
    """Answer whenever the process can."""
    return json_reply(HealthView(status="ok"))


def get_readiness(context: Context, _call: Call) -> Reply:
    """Answer only when the service can do its work; else with every reason."""
    obstacles = context.readiness.obstacles(context.now())
    if obstacles:
        reasons = "; ".join(f"{o.code}: {o.detail}" for o in obstacles)
        raise AbtestError(ErrorCode.UNAVAILABLE, f"not ready: {reasons}", obstacles)
    return json_reply(HealthView(status="ready"))


def get_snippet(_context: Context, _call: Call) -> Reply:
    """Answer with the browser snippet."""
    path = client_snippets() / "js" / "abtest.js"
    try:
        body = path.read_bytes()
    except OSError as error:
        raise AbtestError(
            ErrorCode.NOT_FOUND,
            "the browser snippet is not installed; run `abtest doctor`",
        ) from error
    return Reply(
        body=body,
        content_type="text/javascript; charset=utf-8",
        headers=(("Cache-Control", "public, max-age=3600"),),
    )
