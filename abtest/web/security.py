"""Who may call from where: keys, origins, and the headers of every answer."""

from abtest.domain.access import ApiKey, KeyKind, Right
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import Caller, caller_of, find_key, kinds_with
from abtest.services.assigning import is_crawler
from abtest.services.checks import shown
from abtest.store.protocol import ConfigStore
from abtest.web.exchange import Call, Headers

_CONTENT_POLICY = (
    "default-src 'none'; base-uri 'none'; connect-src 'self'; font-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; img-src 'self' data:;"
    " script-src 'self'; style-src 'self'"
)

HEADERS: Headers = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Content-Security-Policy", _CONTENT_POLICY),
)
"""On every answer, unless the answer says otherwise."""

OPEN_TO_ALL: Headers = (
    ("Access-Control-Allow-Origin", "*"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
)
"""On what pages of other origins may read; no cookie is looked at there."""

PREFLIGHT: Headers = (
    *OPEN_TO_ALL,
    ("Access-Control-Allow-Methods", "GET, POST"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type"),
    ("Access-Control-Max-Age", "86400"),
)

_BEARER = "bearer "


def authorize(store: ConfigStore, call: Call, right: Right) -> Caller:
    """Let in who has the right by the key in the Authorization header.

    Raises:
        AbtestError: `unauthenticated`, `not_allowed`.
    """
    return _let_in(_by_header(store, call), right)


def authorize_publicly(
    store: ConfigStore, call: Call, right: Right, public_key: str | None
) -> Caller:
    """Let in who has the right; a publishable key may also stand in body or address.

    Raises:
        AbtestError: `unauthenticated`, `not_allowed`; `invalid` when a secret key
            stands where it is written into logs.
    """
    if public_key is None or call.header("HTTP_AUTHORIZATION"):
        key = _by_header(store, call)
    else:
        key = _known(find_key(store, public_key))
        if key.kind is not KeyKind.PUBLISHABLE:
            raise AbtestError(
                ErrorCode.INVALID,
                f"a key of kind {key.kind} is secret and must stand in the header"
                " Authorization: Bearer KEY alone; revoke it if it was published",
            )
    if key.kind is not KeyKind.PUBLISHABLE:
        return _let_in(key, right)
    _check_origin(key, call)
    return _let_in(key, right, crawls=is_crawler(call.header("HTTP_USER_AGENT")))


def public_key_in(call: Call) -> str | None:
    """Return the key that stands in the address."""
    return next(iter(call.query().get("key", ())), None)


def _let_in(key: ApiKey, right: Right, *, crawls: bool = False) -> Caller:
    caller = caller_of(key, is_crawler=crawls)
    if right not in caller.rights:
        raise AbtestError(
            ErrorCode.NOT_ALLOWED,
            f"a key of kind {key.kind} may not do this;"
            f" use one of kind {' or '.join(kinds_with(right))}",
        )
    return caller


def _by_header(store: ConfigStore, call: Call) -> ApiKey:
    header = call.header("HTTP_AUTHORIZATION")
    if header[: len(_BEARER)].lower() != _BEARER:
        raise AbtestError(
            ErrorCode.UNAUTHENTICATED,
            "no key was sent; send the header Authorization: Bearer KEY",
        )
    return _known(find_key(store, header[len(_BEARER) :].strip()))


def _known(key: ApiKey | None) -> ApiKey:
    if key is None:
        raise AbtestError(
            ErrorCode.UNAUTHENTICATED,
            "this key is not known or was revoked; make one with `abtest key create`",
        )
    return key


def _check_origin(key: ApiKey, call: Call) -> None:
    """Compare origins as whole texts; patterns have been fooled elsewhere.

    A GET without an Origin comes from the site's own pages, and records nothing.
    """
    if not key.origins:
        return
    origin = call.header("HTTP_ORIGIN")
    if origin in key.origins:
        return
    if not origin and call.header("REQUEST_METHOD") == "GET":
        return
    raise AbtestError(
        ErrorCode.NOT_ALLOWED,
        f"origin {shown(origin)} is not one of this key's origins;"
        " make a key for it with `abtest key create --kind pk --origin ...`",
    )
