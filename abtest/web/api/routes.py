"""The one table of the API's routes: Flask, the documentation and tests read it."""

from abtest.web.api import docs, health
from abtest.web.api.admin_routes import ADMIN_ROUTES
from abtest.web.api.experiment_routes import EXPERIMENT_ROUTES
from abtest.web.api.landing_routes import LANDING_ROUTES
from abtest.web.api.ops_routes import OPS_ROUTES
from abtest.web.api.serving import BASE, Route
from abtest.web.context import Context
from abtest.web.exchange import Call, Reply


def _document(_context: Context, _call: Call) -> Reply:
    return docs.document_reply(ROUTES)


ROUTES: tuple[Route, ...] = (
    *LANDING_ROUTES,
    *EXPERIMENT_ROUTES,
    *ADMIN_ROUTES,
    *OPS_ROUTES,
    Route(
        method="GET",
        path=f"{BASE}/openapi.json",
        summary="This document",
        handler=_document,
        answer=dict[str, object],
    ),
    Route(
        method="GET",
        path="/healthz",
        summary="Whether the process answers",
        handler=health.get_health,
        answer=health.HealthView,
    ),
    Route(
        method="GET",
        path="/readyz",
        summary="Whether the service can do its work; the reasons if not",
        handler=health.get_readiness,
        answer=health.HealthView,
        errors=(503,),
    ),
    Route(
        method="GET",
        path="/abtest.js",
        summary="The browser snippet",
        handler=health.get_snippet,
        content_type="text/javascript",
        is_open=True,
        errors=(404,),
    ),
)
"""Every route, in the order of the documentation."""
