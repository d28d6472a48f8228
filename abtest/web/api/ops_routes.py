"""Routes for whoever keeps the service running."""

from abtest.domain.access import Right
from abtest.web.api.ops import (
    QUALITY_QUERY,
    QualityReport,
    get_metrics,
    get_quality,
)
from abtest.web.api.serving import BASE, Route, guarded_route

OPS_ROUTES: tuple[Route, ...] = (
    guarded_route(
        "GET",
        f"{BASE}/experiments/{{key}}/quality",
        "Counts of duplicates, refusals and the like in one experiment's data",
        get_quality,
        Right.READ,
        query=QUALITY_QUERY,
        answer=QualityReport,
        errors=(404,),
    ),
    guarded_route(
        "GET",
        f"{BASE}/quality",
        "The same counts of the whole installation",
        get_quality,
        Right.READ,
        query=QUALITY_QUERY,
        answer=QualityReport,
    ),
    Route(
        method="GET",
        path="/metrics",
        summary="Metrics for Prometheus; from other machines with a key to read",
        handler=get_metrics,
        content_type="text/plain",
        errors=(401, 403),
    ),
)
