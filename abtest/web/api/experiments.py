"""/api/v1/experiments: make, read, change and run experiments."""

import base64
import binascii

import msgspec

from abtest.domain.access import Right
from abtest.domain.experiment import Action, Experiment, ExperimentKey
from abtest.errors import invalid_field
from abtest.services.checks import shown
from abtest.services.experiments import (
    act_on_experiment,
    create_experiment,
    update_experiment,
)
from abtest.services.reporting import Question
from abtest.web.api.decoding import decode
from abtest.web.api.serving import Asked, Parameter
from abtest.web.api.shapes import ActionBody, ExperimentPage
from abtest.web.api.views import experiment_view, read_definition
from abtest.web.errors import StaleVersionError
from abtest.web.exchange import Reply, json_reply

DEFAULT_LIMIT = 50
MAX_LIMIT = 200

PAGE = (
    Parameter(
        name="limit",
        help=f"at most {MAX_LIMIT}, usually {DEFAULT_LIMIT}",
        type="integer",
    ),
    Parameter(name="cursor", help="`next_cursor` of the page before"),
)
LIMIT = PAGE[:1]

_ACTION = msgspec.json.Decoder(ActionBody)


def list_experiments(asked: Asked) -> Reply:
    """Answer with one page of experiments, oldest first."""
    size = read_limit(asked)
    experiments = asked.store.list_experiments()
    start = 0
    if cursor := asked.query.get("cursor"):
        start = _after(cursor, experiments)
    page = experiments[start : start + size]
    is_last = start + size >= len(experiments)
    return json_reply(
        ExperimentPage(
            items=tuple(experiment_view(e) for e in page),
            next_cursor=None if is_last else _cursor(page[-1].key),
        )
    )


def post_experiment(asked: Asked) -> Reply:
    """Make a draft."""
    definition = read_definition(asked.call.body)
    experiment = create_experiment(asked.store, definition, asked.caller, asked.now)
    location = ("Location", f"/api/v1/experiments/{experiment.key}")
    return _one(asked, experiment, 201).with_headers(location)


def get_experiment(asked: Asked) -> Reply:
    """Answer with one experiment."""
    return _one(asked, asked.store.get_experiment(_key(asked)))


def patch_experiment(asked: Asked) -> Reply:
    """Change what the body holds; the rest stays."""
    before = asked.store.get_experiment(_key(asked))
    told = asked.call.header("HTTP_IF_MATCH")
    if told not in {"", "*", _etag(before)}:
        raise StaleVersionError(
            f"{before.key} is at version {_etag(before)} and If-Match says {told[:40]};"
            " read it again and repeat the change"
        )
    definition = read_definition(asked.call.body, before)
    after = update_experiment(asked.store, before, definition, asked.caller, asked.now)
    return _one(asked, after)


def post_action(action: Action, asked: Asked) -> Reply:
    """Take the experiment one step further in its life."""
    body = decode(asked.call.body or b"{}", _ACTION)
    after = act_on_experiment(
        asked.store,
        _key(asked),
        action,
        asked.caller,
        asked.now,
        variant=body.variant,
        note=body.note,
        report=_fingerprint(asked) if action is Action.DECIDE else "",
    )
    return _one(asked, after)


def _fingerprint(asked: Asked) -> str:
    """Return what the report of this moment can be made again from."""
    question = Question(experiment=_key(asked))
    return asked.desk.report(question, now=asked.now).fingerprint


def read_limit(asked: Asked) -> int:
    """Return how many things the caller wants at most."""
    text = asked.query.get("limit", str(DEFAULT_LIMIT))
    if not (text.isdecimal() and len(text) < 5 and 1 <= int(text) <= MAX_LIMIT):
        raise invalid_field(
            "?limit",
            "invalid_value",
            f"limit is {shown(text)}; use 1 to {MAX_LIMIT}",
        )
    return int(text)


def _one(asked: Asked, experiment: Experiment, status: int = 200) -> Reply:
    with_salt = Right.MANAGE in asked.caller.rights
    return json_reply(
        experiment_view(experiment, with_salt=with_salt),
        status=status,
        headers=(("ETag", _etag(experiment)),),
    )


def _key(asked: Asked) -> ExperimentKey:
    return ExperimentKey(asked.call.args["key"])


def _etag(experiment: Experiment) -> str:
    return f'"{experiment.version}"'


def _cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _after(cursor: str, experiments: tuple[Experiment, ...]) -> int:
    """Return the place after the experiment that the cursor names."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = base64.urlsafe_b64decode(padded.encode()).decode()
    except (binascii.Error, UnicodeError, ValueError):
        key = ""
    for index, experiment in enumerate(experiments):
        if experiment.key == key:
            return index + 1
    raise invalid_field(
        "?cursor",
        "invalid_value",
        f"cursor {shown(cursor)} is none of ours; use next_cursor of the page before",
    )
