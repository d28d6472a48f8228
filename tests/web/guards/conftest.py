"""The keys and callers of the API's tests."""

from tests.web.api.conftest import ask, running, secrets

__all__ = ("ask", "running", "secrets")
