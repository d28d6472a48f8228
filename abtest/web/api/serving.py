"""How a route of the API is let in, answered and put into Flask."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask import Flask, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from abtest.domain.access import Right
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import Caller
from abtest.services.calculating import Calculator
from abtest.services.reporting import ReportDesk
from abtest.store.protocol import Store
from abtest.web.context import Context
from abtest.web.errors import internal_error_reply, problem_reply, to_response
from abtest.web.exchange import MAX_BODY, Call, Reply
from abtest.web.security import OPEN_TO_ALL, PREFLIGHT, authorize

BASE = "/api/v1"

Handler = Callable[[Context, Call], Reply]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of an address."""

    name: str
    help: str
    type: str = "string"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One line of the table of routes.

    Attributes:
        path: variable parts in braces.
        right: who may call it; None for everybody.
        body, answer: types, for the documentation; None for none.
        is_open: pages of other origins may call it.
        errors: statuses beside those that every route may answer with.
    """

    method: str
    path: str
    summary: str
    handler: Handler
    right: Right | None = None
    query: tuple[Parameter, ...] = ()
    body: object = None
    answer: object = None
    status: int = 200
    content_type: str = "application/json"
    is_open: bool = False
    errors: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A call that was let in, with what is needed to answer it."""

    store: Store
    desk: ReportDesk
    calculator: Calculator
    caller: Caller
    now: datetime
    call: Call
    language: str
    query: Mapping[str, str] = field(default_factory=dict)


def guarded(
    right: Right,
    respond: Callable[[Asked], Reply],
    query: Sequence[Parameter] = (),
) -> Handler:
    """Let in who has the right and asks with known parameters."""
    known = tuple(parameter.name for parameter in query)

    def handle(context: Context, call: Call) -> Reply:
        store = context.store
        caller = authorize(store, call, right)
        return respond(
            Asked(
                store=store,
                desk=context.desk,
                calculator=context.calculator,
                caller=caller,
                now=context.now(),
                call=call,
                language=context.settings.language,
                query=call.single_query(*known),
            )
        )

    return handle


def guarded_route(  # noqa: PLR0913 - one line of the table
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
    """Return a line of the table for callers that have a right."""
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


def answer(handler: Handler, context: Context, call: Call) -> Reply:
    """Answer, whatever happens."""
    try:
        return handler(context, call)
    except AbtestError as error:
        return problem_reply(error)
    except Exception as error:  # noqa: BLE001 - the outermost handler
        return internal_error_reply(error)


def register(app: Flask, context: Context, routes: Sequence[Route]) -> None:
    """Put the routes into the app."""
    for route in routes:
        rule = route.path.replace("{", "<").replace("}", ">")
        app.add_url_rule(
            rule,
            endpoint=f"{route.method} {route.path}",
            view_func=_view(route, context),
            methods=[route.method],
            provide_automatic_options=False if route.is_open else None,
        )
    for path in sorted({route.path for route in routes if route.is_open}):
        app.add_url_rule(
            path,
            endpoint=f"OPTIONS {path}",
            view_func=_preflight,
            methods=["OPTIONS"],
        )


def _view(route: Route, context: Context) -> Callable[..., Response]:
    extra = OPEN_TO_ALL if route.is_open else ()

    def view(**args: str) -> Response:
        try:
            body = request.get_data(cache=False)
        except RequestEntityTooLarge:
            reply = problem_reply(_too_large())
        else:
            call = Call(environ=request.environ, body=body, args=args)
            reply = answer(route.handler, context, call)
        return to_response(reply.with_headers(*extra))

    return view


def _preflight() -> Response:
    return to_response(Reply(status=204, headers=PREFLIGHT))


def _too_large() -> AbtestError:
    return AbtestError(
        ErrorCode.TOO_LARGE,
        f"the body is larger than {MAX_BODY} bytes; send less at a time",
    )
