"""Errors as HTTP answers: one table, one shape (RFC 9457 problem details)."""

import html
import logging
from collections.abc import Callable

import msgspec
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from abtest.errors import AbtestError, ErrorCode, FieldError
from abtest.web.exchange import Headers, Reply
from abtest.web.guards.request_id import current_request

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER = 5
"""Seconds after which a caller may try again when the data cannot be used now."""

STATUS: dict[ErrorCode, int] = {
    ErrorCode.INVALID: 400,
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.NOT_ALLOWED: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.CONFLICT: 409,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.UNAVAILABLE: 503,
}
"""The one table from what went wrong to HTTP."""

TITLES: dict[str, str] = {
    "invalid": "The request is not right",
    "unauthenticated": "No valid key",
    "not_allowed": "Not allowed with this key",
    "not_found": "Not found",
    "conflict": "Not possible in the present state",
    "too_large": "Too large",
    "rate_limited": "Too many requests",
    "unavailable": "Not available now",
    "method_not_allowed": "Method not allowed",
    "internal": "Internal error",
}
"""Titles of all problems, by the last part of their type."""

_HEADERS: dict[ErrorCode, Headers] = {
    ErrorCode.UNAUTHENTICATED: (("WWW-Authenticate", "Bearer"),),
    ErrorCode.RATE_LIMITED: (("Retry-After", str(RETRY_AFTER)),),
    ErrorCode.UNAVAILABLE: (("Retry-After", str(RETRY_AFTER)),),
}
_API = ("/api/", "/ofrep/", "/healthz", "/readyz", "/metrics")

_log = logging.getLogger("abtest")


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem in the shape of RFC 9457.

    Attributes:
        instance: id of the request, as in the header X-Request-Id and in the logs.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str = ""
    errors: tuple[FieldError, ...] = ()


class StaleVersionError(AbtestError):
    """A conflict that the caller asked to be told of with If-Match: status 412."""

    def __init__(self, detail: str) -> None:
        super().__init__(ErrorCode.CONFLICT, detail)


def problem_of(error: AbtestError) -> Problem:
    """Return the problem that tells of the error."""
    status = 412 if isinstance(error, StaleVersionError) else STATUS[error.code]
    return _problem(error.code.value, status, error.detail, errors=error.errors)


def problem_reply(error: AbtestError) -> Reply:
    """Answer with the error."""
    return _reply(problem_of(error), _headers(error))


def internal_error_reply(error: BaseException) -> Reply:
    """Log what nobody expected, and answer without telling of it."""
    _log.error("internal error", exc_info=error)
    return _reply(
        _problem("internal", 500, "Internal error. It was logged; please try again.")
    )


def install_error_handlers(
    app: Flask, page: Callable[[int, str, str], Response]
) -> None:
    """Answer problems under the API's paths, and pages elsewhere.

    Args:
        page: makes the error page from status, title and detail.
    """

    def answer(problem: Problem, headers: Headers) -> Response:
        if request.path.startswith(_API):
            return to_response(_reply(problem, headers))
        told = (problem.status, problem.title, problem.detail)
        try:
            response = page(*told)
        except Exception:  # noqa: BLE001 - the outermost handler
            # The page may need what has just failed, for example the database.
            _log.exception("the error page failed")
            response = _plain_page(*told)
        response.headers.extend(headers)
        return response

    def on_abtest_error(error: AbtestError) -> Response:
        return answer(problem_of(error), _headers(error))

    def on_http_error(error: HTTPException) -> Response:
        if error.code is None or error.code < 400:
            return Response(error.get_body(), error.code or 500, error.get_headers())
        kept = ("Allow", "Location", "Retry-After")
        headers = [(k, v) for k, v in error.get_headers() if k in kept]
        return answer(_http_problem(error), tuple(headers))

    def on_any_error(error: Exception) -> Response:
        reply = internal_error_reply(error)
        return answer(msgspec.json.decode(reply.body, type=Problem), ())

    app.register_error_handler(AbtestError, on_abtest_error)
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(Exception, on_any_error)


def _plain_page(status: int, title: str, detail: str) -> Response:
    """Make an error page that needs nothing."""
    title, detail = html.escape(title), html.escape(detail)
    return Response(
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<title>{title}</title><h1>{title}</h1><p>{detail}</p>",
        status,
    )


def to_response(reply: Reply) -> Response:
    """Hand the answer to Flask."""
    response = Response(reply.body, reply.status, content_type=reply.content_type)
    response.headers.extend(reply.headers)
    return response


def _http_problem(error: HTTPException) -> Problem:
    """Put Flask's own refusals into words of ours."""
    match error.code:
        case 404:
            return _problem("not_found", 404, f"There is nothing at {request.path}.")
        case 405:
            detail = f"{request.method} is not possible at {request.path}."
            return _problem("method_not_allowed", 405, detail)
        case 413:
            limit = request.max_content_length
            detail = f"The body is larger than {limit} bytes; send less at a time."
            return _problem("too_large", 413, detail)
        case code:
            detail = error.description or "The request could not be understood."
            return _problem("invalid", code or 400, detail)


def _problem(
    code: str, status: int, detail: str, *, errors: tuple[FieldError, ...] = ()
) -> Problem:
    return Problem(
        type=f"/problems/{code}",
        title=TITLES[code],
        status=status,
        detail=detail,
        instance=current_request.get(),
        errors=errors,
    )


def _headers(error: AbtestError) -> Headers:
    if error.retry_after is not None:
        return (("Retry-After", str(error.retry_after)),)
    return _HEADERS.get(error.code, ())


def _reply(problem: Problem, headers: Headers = ()) -> Reply:
    return Reply(
        status=problem.status,
        body=msgspec.json.encode(problem),
        content_type=PROBLEM_JSON,
        headers=headers,
    )
