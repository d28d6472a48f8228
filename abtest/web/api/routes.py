"""The one table of the API's routes: Flask, the documentation and tests read it."""

from collections.abc import Callable
from functools import partial

from abtest.domain.access import Right
from abtest.domain.experiment import Action
from abtest.services.recording import RecordResult
from abtest.web.api import customers, docs, experiments, health, keys, plan, report
from abtest.web.api.assign import (
    AssignBody,
    AssignView,
    answer_assign,
    answer_assign_unrecorded,
)
from abtest.web.api.events import EventsBody, answer_events
from abtest.web.api.plan_shapes import PlanBody, PlanView
from abtest.web.api.serving import Asked, Handler, Parameter, Route, guarded
from abtest.web.api.shapes import (
    ActionBody,
    AuditPage,
    ExperimentBody,
    ExperimentPage,
    ExperimentView,
    KeyBody,
    KeyPage,
    NewKeyView,
)
from abtest.web.context import Context
from abtest.web.exchange import Call, Reply

_BASE = "/api/v1"
_ONE = f"{_BASE}/experiments/{{key}}"

_PUBLIC_KEY = Parameter(
    name="key", help="a publishable key, where no header can be set"
)
_ACTIONS = {
    Action.START: "Begin to show the variants; the plan is fixed from now on",
    Action.PAUSE: "Show everybody the control for a while",
    Action.RESUME: "Go on after a pause",
    Action.CLOSE: "Take no new visitors; those inside are followed on",
    Action.STOP: "End it without a decision",
    Action.DECIDE: "End it and show everybody the chosen variant",
    Action.ARCHIVE: "Put it away",
}


def _guarded(  # noqa: PLR0913 - one line of the table
    method: str,
    path: str,
    summary: str,
    respond: Callable[[Asked], Reply],
    right: Right,
    *,
    query: tuple[Parameter, ...] = (),
    body: object = None,
    answer: object = None,
    status: int = 200,
    errors: tuple[int, ...] = (),
) -> Route:
    return Route(
        method=method,
        path=path,
        summary=summary,
        handler=guarded(right, respond, query),
        right=right,
        query=query,
        body=body,
        answer=answer,
        status=status,
        errors=errors,
    )


def _free(path: str, summary: str, handler: Handler, content_type: str) -> Route:
    return Route(
        method="GET",
        path=path,
        summary=summary,
        handler=handler,
        content_type=content_type,
    )


def _document(_context: Context, _call: Call) -> Reply:
    return docs.document_reply(ROUTES)


def _docs_page(_context: Context, _call: Call) -> Reply:
    return docs.page_reply(ROUTES)


ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path=f"{_BASE}/assign",
        summary="Which variants a visitor is shown; records the exposures",
        handler=answer_assign,
        right=Right.ASSIGN,
        query=(_PUBLIC_KEY,),
        body=AssignBody,
        answer=AssignView,
        is_open=True,
        errors=(413,),
    ),
    Route(
        method="GET",
        path=f"{_BASE}/assign",
        summary="The same answer; records nothing",
        handler=answer_assign_unrecorded,
        right=Right.ASSIGN,
        query=(
            Parameter(name="visitor", help="without it an id is made"),
            Parameter(name="experiments", help="keys, with commas; usually all"),
            Parameter(name="url", help="address of the page"),
            Parameter(name="consent", help="true or false", type="boolean"),
            Parameter(name="force", help="pairs like home:b, with commas"),
            _PUBLIC_KEY,
        ),
        answer=AssignView,
        is_open=True,
    ),
    Route(
        method="POST",
        path=f"{_BASE}/events",
        summary="Record one event or up to 500 of them, durably",
        handler=answer_events,
        right=Right.RECORD,
        query=(_PUBLIC_KEY,),
        body=EventsBody,
        answer=RecordResult,
        is_open=True,
        errors=(413,),
    ),
    _guarded(
        "GET",
        f"{_BASE}/experiments",
        "Experiments, oldest first",
        experiments.list_experiments,
        Right.READ,
        query=experiments.PAGE,
        answer=ExperimentPage,
    ),
    _guarded(
        "POST",
        f"{_BASE}/experiments",
        "Make a draft",
        experiments.post_experiment,
        Right.MANAGE,
        body=ExperimentBody,
        answer=ExperimentView,
        status=201,
        errors=(409, 413),
    ),
    _guarded(
        "GET",
        _ONE,
        "One experiment",
        experiments.get_experiment,
        Right.READ,
        answer=ExperimentView,
        errors=(404,),
    ),
    _guarded(
        "PATCH",
        _ONE,
        "Change what the body holds; If-Match guards against losing another's change",
        experiments.patch_experiment,
        Right.MANAGE,
        body=ExperimentBody,
        answer=ExperimentView,
        errors=(404, 409, 412, 413),
    ),
    *(
        _guarded(
            "POST",
            f"{_ONE}/{action}",
            summary,
            partial(experiments.post_action, action),
            Right.MANAGE,
            body=ActionBody,
            answer=ExperimentView,
            errors=(404, 409, 413),
        )
        for action, summary in _ACTIONS.items()
    ),
    _guarded(
        "GET",
        f"{_ONE}/report",
        "What came out: estimates, tests, health and verdict",
        report.get_report,
        Right.READ,
        query=report.PARAMETERS,
        answer=dict[str, object],
        errors=(404,),
    ),
    _guarded(
        "GET",
        f"{_ONE}/customers",
        "Key figures of the customers each variant won; diagnostics, never a verdict",
        customers.get_customers,
        Right.READ,
        query=customers.PARAMETERS,
        answer=dict[str, object],
        errors=(404,),
    ),
    _guarded(
        "POST",
        f"{_BASE}/plan",
        "How many visitors, how many days, and when to decide; stores nothing",
        plan.post_plan,
        Right.READ,
        query=plan.PARAMETERS,
        body=PlanBody,
        answer=PlanView,
        errors=(404, 413),
    ),
    _guarded(
        "GET",
        f"{_BASE}/keys",
        "All keys, without their secrets",
        keys.list_keys,
        Right.MANAGE,
        answer=KeyPage,
    ),
    _guarded(
        "POST",
        f"{_BASE}/keys",
        "Make a key; its secret is shown this once",
        keys.post_key,
        Right.MANAGE,
        body=KeyBody,
        answer=NewKeyView,
        status=201,
        errors=(413,),
    ),
    _guarded(
        "DELETE",
        f"{_BASE}/keys/{{id}}",
        "Revoke a key",
        keys.delete_key,
        Right.MANAGE,
        status=204,
        errors=(404,),
    ),
    _guarded(
        "GET",
        f"{_BASE}/audit",
        "Who did what, newest first",
        keys.list_audit,
        Right.MANAGE,
        query=experiments.LIMIT,
        answer=AuditPage,
    ),
    Route(
        method="GET",
        path=f"{_BASE}/openapi.json",
        summary="This document",
        handler=_document,
        answer=dict[str, object],
    ),
    _free("/api/docs", "The API for people to read", _docs_page, "text/html"),
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
        summary="Whether the database takes a write",
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
