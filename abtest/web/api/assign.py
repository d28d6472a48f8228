"""POST and GET /api/v1/assign: which variants a visitor is shown."""

from dataclasses import dataclass
from functools import lru_cache

import msgspec

from abtest.domain.access import Right
from abtest.domain.assignment import AssignmentReason
from abtest.errors import FieldError, invalid_field
from abtest.services.assigning import AssignRequest, AssignResult, assign
from abtest.services.catalogue import Shown
from abtest.services.checks import shown
from abtest.services.visit_attributes import visit_attributes
from abtest.web.api.decoding import decode
from abtest.web.context import Context
from abtest.web.exchange import Call, Reply, json_reply
from abtest.web.security import authorize_publicly, public_key_in


@dataclass(slots=True, kw_only=True)
class AssignBody(AssignRequest):
    """What a page asks.

    Attributes:
        key: a publishable key, where no header can be set.
    """

    key: str | None = None


class AssignmentView(msgspec.Struct, frozen=True):
    """What one experiment shows the visitor."""

    variant: str
    payload: msgspec.Raw
    in_experiment: bool
    reason: AssignmentReason
    first_exposure: bool


class AssignView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the visitor is shown, by experiment."""

    visitor: str
    assignments: dict[str, AssignmentView]
    visitor_created: bool = False
    errors: tuple[FieldError, ...] = ()


_DECODER = msgspec.json.Decoder(AssignBody)
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def answer_assign(context: Context, call: Call) -> Reply:
    """Answer and record the exposures."""
    body = decode(call.body, _DECODER)
    key = body.key or public_key_in(call)
    return _answer(context, call, body, key, is_recorded=not _is_prefetch(call))


def answer_assign_unrecorded(context: Context, call: Call) -> Reply:
    """Give the same answer and record nothing."""
    query = call.query()
    request = AssignRequest(
        visitor=next(iter(query.get("visitor", ())), None),
        experiments=_listed(query["experiments"]) if "experiments" in query else None,
        url=next(iter(query.get("url", ())), None),
        consent=_truth("consent", next(iter(query.get("consent", ())), "true")),
        force=_pairs(query.get("force", [])),
    )
    return _answer(context, call, request, public_key_in(call), is_recorded=False)


def _answer(
    context: Context,
    call: Call,
    request: AssignRequest,
    key: str | None,
    *,
    is_recorded: bool,
) -> Reply:
    store = context.store
    caller = authorize_publicly(store, call, Right.ASSIGN, key)
    request.attributes = visit_attributes(
        request.attributes,
        url=request.url,
        # A server that asks for its visitor is no browser.
        user_agent="" if caller.is_trusted else call.header("HTTP_USER_AGENT"),
    )
    result = assign(store, request, caller, context.now(), is_recorded=is_recorded)
    context.metrics.count_assignments(s.reason for s in result.shown)
    return json_reply(_view(result))


def _view(result: AssignResult) -> AssignView:
    return AssignView(
        result.visitor,
        {s.experiment: _assignment_view(s) for s in result.shown},
        result.visitor_created,
        result.errors,
    )


@lru_cache(maxsize=4096)
def _assignment_view(shown: Shown) -> AssignmentView:
    return AssignmentView(
        shown.variant.key,
        msgspec.Raw(shown.variant.payload_json),
        shown.in_experiment,
        shown.reason,
        shown.first_exposure,
    )


def _is_prefetch(call: Call) -> bool:
    """Tell whether the browser only guesses that the page will be looked at."""
    environ = call.environ
    purpose = environ.get("HTTP_SEC_PURPOSE") or environ.get("HTTP_PURPOSE")
    return purpose is not None and "prefetch" in purpose


def _listed(values: list[str]) -> tuple[str, ...]:
    """Split `home,shop`; the parameter may also be repeated."""
    return tuple(key for value in values for key in value.split(",") if key)


def _pairs(values: list[str]) -> dict[str, str]:
    """Split `home:b,shop:a`."""
    pairs: dict[str, str] = {}
    for pair in _listed(values):
        experiment, colon, variant = pair.partition(":")
        if not colon:
            raise invalid_field(
                "?force",
                "invalid_value",
                f"force {shown(pair)} has no colon; write experiment:variant",
            )
        pairs[experiment] = variant
    return pairs


def _truth(name: str, text: str) -> bool:
    truth = _TRUTHS.get(text.lower())
    if truth is None:
        raise invalid_field(
            f"?{name}", "invalid_value", f"{name} is {shown(text)}; use true or false"
        )
    return truth
