"""/api/v1/keys and /api/v1/audit: who may call, and who did what."""

import msgspec

from abtest.domain.access import KeyId, KeyKind
from abtest.errors import invalid_field
from abtest.services.access import create_key, revoke_key
from abtest.services.checks import shown
from abtest.web.api.decoding import decode
from abtest.web.api.experiments import read_limit
from abtest.web.api.serving import Asked
from abtest.web.api.shapes import AuditPage, KeyBody, KeyPage
from abtest.web.api.views import key_view, new_key_view
from abtest.web.exchange import Reply, json_reply

_BODY = msgspec.json.Decoder(KeyBody)


def list_keys(asked: Asked) -> Reply:
    """Answer with all keys; their secrets are known to nobody any more."""
    return json_reply(
        KeyPage(items=tuple(key_view(key) for key in asked.store.list_keys()))
    )


def post_key(asked: Asked) -> Reply:
    """Make a key and show its secret this once."""
    body = decode(asked.call.body, _BODY)
    new = create_key(
        asked.store,
        read_kind(body.kind),
        name=body.name,
        origins=body.origins,
        caller=asked.caller,
        now=asked.now,
    )
    return json_reply(new_key_view(new), status=201)


def delete_key(asked: Asked) -> Reply:
    """Make a key useless from now on."""
    key_id = KeyId(asked.call.args["id"])
    revoke_key(asked.store, key_id, caller=asked.caller, now=asked.now)
    return Reply(status=204)


def list_audit(asked: Asked) -> Reply:
    """Answer with the newest entries of the audit log."""
    return json_reply(AuditPage(items=asked.store.list_audit(limit=read_limit(asked))))


def read_kind(text: str) -> KeyKind:
    """Return the kind of key.

    Raises:
        AbtestError: `invalid`.
    """
    try:
        return KeyKind(text)
    except ValueError:
        raise invalid_field(
            "/kind",
            "invalid_choice",
            f"kind {shown(text)} is not known; use one of {', '.join(KeyKind)}",
        ) from None
