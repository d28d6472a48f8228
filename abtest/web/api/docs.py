"""Serves the API's documentation as an OpenAPI document."""

import json
from collections.abc import Sequence

from abtest.web.api.openapi import describe
from abtest.web.api.serving import Route
from abtest.web.exchange import Reply


def document_reply(routes: Sequence[Route]) -> Reply:
    """Answer with the OpenAPI document."""
    return Reply(body=document_text(routes).encode())


def document_text(routes: Sequence[Route]) -> str:
    """Return the OpenAPI document as it is served and kept in docs/openapi.json."""
    return json.dumps(describe(routes), indent=2, ensure_ascii=False) + "\n"
