"""The id of the request that is being answered, for logs, answers and problems."""

from contextvars import ContextVar
from random import getrandbits

HEADER = "X-Request-Id"

current_request: ContextVar[str] = ContextVar("current_request", default="")
"""Empty outside of a request."""


def new_request_id() -> str:
    """Return sixteen random hex digits; a sender's own id is never taken over."""
    # Nobody gains by guessing it, and asking the system costs as much as an assignment.
    return f"{getrandbits(64):016x}"
