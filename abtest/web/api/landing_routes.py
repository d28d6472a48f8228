"""Routes that landing pages and shops call."""

from abtest.domain.access import Right
from abtest.services.recording import RecordResult
from abtest.web.api.assign import (
    AssignBody,
    AssignView,
    answer_assign,
    answer_assign_unrecorded,
)
from abtest.web.api.events import EventsBody, answer_events
from abtest.web.api.serving import BASE, Parameter, Route

_PUBLIC_KEY = Parameter(
    name="key", help="a publishable key, where no header can be set"
)

LANDING_ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path=f"{BASE}/assign",
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
        path=f"{BASE}/assign",
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
        path=f"{BASE}/events",
        summary="Record one event or up to 500 of them, durably",
        handler=answer_events,
        right=Right.RECORD,
        query=(_PUBLIC_KEY,),
        body=EventsBody,
        answer=RecordResult,
        is_open=True,
        errors=(413,),
    ),
)
