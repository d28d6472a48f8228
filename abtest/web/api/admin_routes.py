"""Routes for whoever administers the service."""

from abtest.domain.access import Right
from abtest.web.api import experiments, keys, visitors
from abtest.web.api.serving import BASE, Route, guarded_route
from abtest.web.api.shapes import AuditPage, KeyBody, KeyPage, NewKeyView
from abtest.web.api.visitors import PersonView

ADMIN_ROUTES: tuple[Route, ...] = (
    guarded_route(
        "GET",
        f"{BASE}/keys",
        "All keys, without their secrets",
        keys.list_keys,
        Right.MANAGE,
        answer=KeyPage,
    ),
    guarded_route(
        "POST",
        f"{BASE}/keys",
        "Make a key; its secret is shown this once",
        keys.post_key,
        Right.MANAGE,
        body=KeyBody,
        answer=NewKeyView,
        status=201,
        errors=(413,),
    ),
    guarded_route(
        "DELETE",
        f"{BASE}/keys/{{id}}",
        "Revoke a key",
        keys.delete_key,
        Right.MANAGE,
        status=204,
        errors=(404,),
    ),
    guarded_route(
        "GET",
        f"{BASE}/audit",
        "Who did what, newest first",
        keys.list_audit,
        Right.MANAGE,
        query=experiments.LIMIT,
        answer=AuditPage,
    ),
    guarded_route(
        "GET",
        f"{BASE}/visitors/{{id}}",
        "Everything stored about a person",
        visitors.get_visitor,
        Right.MANAGE,
        query=(visitors.KIND,),
        answer=PersonView,
        errors=(404,),
    ),
    guarded_route(
        "DELETE",
        f"{BASE}/visitors/{{id}}",
        "Erase a person",
        visitors.delete_visitor,
        Right.MANAGE,
        query=(visitors.KIND,),
        status=204,
        errors=(503,),
    ),
)
