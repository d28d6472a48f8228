"""What callers are sent of experiments and keys, and definitions out of bodies."""

from dataclasses import fields

import msgspec

from abtest.domain.access import ApiKey
from abtest.domain.allocation import shares
from abtest.domain.experiment import Experiment, Status
from abtest.errors import AbtestError, ErrorCode, invalid_field
from abtest.services.access import NewKey
from abtest.services.definition import ExperimentDefinition, definition_of
from abtest.services.experiments import possible_actions
from abtest.web.api.decoding import complain, decode
from abtest.web.api.shapes import (
    ExperimentBody,
    ExperimentView,
    KeyView,
    NewKeyView,
    PhaseView,
)

_DECODER = msgspec.json.Decoder(ExperimentBody)
_DEFINED = tuple(f.name for f in fields(ExperimentDefinition) if f.name != "salt")


def read_definition(
    body: bytes, before: Experiment | None = None
) -> ExperimentDefinition:
    """Read a whole definition, or what shall change of an experiment's.

    Raises:
        AbtestError: `invalid` when the body is not of the right shape; whether its
            values make sense is for the service to say.
    """
    told = decode(body, _DECODER)
    status = Status.DRAFT if before is None else before.status
    if told.status not in (msgspec.UNSET, status):
        raise invalid_field(
            "/status",
            "not_settable",
            f"status is {status} and changes by POST to .../start, pause, resume,"
            " close, stop, decide or archive; leave it out",
        )
    given = msgspec.to_builtins(told)
    given.pop("status", None)
    known = {} if before is None else msgspec.to_builtins(definition_of(before))
    merged = known | given
    try:
        return msgspec.convert(merged, ExperimentDefinition)
    except msgspec.ValidationError as error:
        complaint = complain(str(error), merged)
        raise AbtestError(ErrorCode.INVALID, complaint.detail, (complaint,)) from None


def experiment_view(
    experiment: Experiment, *, with_salt: bool = False
) -> ExperimentView:
    """Return what callers are sent of an experiment."""
    definition = definition_of(experiment)
    return msgspec.convert(
        {
            **{name: getattr(definition, name) for name in _DEFINED},
            "status": experiment.status,
            "created_at": experiment.created_at,
            "started_at": experiment.started_at,
            "weights_changed_at": experiment.weights_changed_at,
            "decided_variant": experiment.decided_variant,
            "phases": tuple(
                PhaseView(
                    since=phase.since,
                    coverage=phase.coverage,
                    shares=shares(phase.allocation),
                )
                for phase in experiment.phases
            ),
            "log": experiment.log,
            "actions": possible_actions(experiment),
            "version": experiment.version,
            **({"salt": experiment.salt} if with_salt else {}),
        },
        ExperimentView,
        from_attributes=True,
    )


def key_view(key: ApiKey) -> KeyView:
    """Return what callers are sent of a key."""
    return KeyView(
        id=key.id,
        kind=key.kind,
        name=key.name,
        hint=key.hint,
        origins=key.origins,
        created_at=key.created_at,
        revoked_at=key.revoked_at,
    )


def new_key_view(new: NewKey) -> NewKeyView:
    """Return a key just made, with its secret."""
    return NewKeyView(
        id=new.key.id,
        kind=new.key.kind,
        key=new.secret,
        name=new.key.name,
        origins=new.key.origins,
    )
