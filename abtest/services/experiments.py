"""The life of experiments: made, changed within their rules, started, ended."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from abtest.domain.access import AuditEntry, Right
from abtest.domain.allocation import Allocation, allocate, moved_share, reallocate
from abtest.domain.experiment import (
    TRANSITIONS,
    Action,
    Experiment,
    ExperimentKey,
    LogEntry,
    Phase,
    Status,
    VariantKey,
)
from abtest.errors import AbtestError, ErrorCode, FieldError, invalid_field
from abtest.services.access import Caller, require
from abtest.services.checks import listed, shown
from abtest.services.definition import ExperimentDefinition
from abtest.services.definition_rules import to_experiment
from abtest.store.protocol import ConfigStore

MAX_NOTE = 2000
NOTE = "note"
"""What the log calls a note that somebody added."""

_NEW_EXPERIMENT = "archive this one and create a new experiment"
_OPEN = frozenset({Status.RUNNING, Status.PAUSED})


def create_experiment(
    store: ConfigStore, definition: ExperimentDefinition, caller: Caller, now: datetime
) -> Experiment:
    """Store a new draft.

    Raises:
        AbtestError: `invalid` with everything that is wrong; `conflict` when the key
            is taken; `not_allowed`.
    """
    require(caller, Right.MANAGE)
    experiment = to_experiment(definition, salt=secrets.token_hex(8), now=now)
    store.add_experiment(experiment)
    _audit(store, caller, "experiment.create", experiment.key, now)
    return experiment


def update_experiment(
    store: ConfigStore,
    before: Experiment,
    definition: ExperimentDefinition,
    caller: Caller,
    now: datetime,
) -> Experiment:
    """Store the definition as the new version of `before`.

    A draft may change in everything but its key. Afterwards names, hypothesis,
    payloads and `followed_until` may change; shares and coverage begin a new phase;
    the worth of conversions changes with a note that every report repeats.

    Raises:
        AbtestError: `invalid`; `conflict` for what is frozen, or when somebody else
            changed it meanwhile; `not_allowed`.
    """
    require(caller, Right.MANAGE)
    wanted = to_experiment(definition, salt=before.salt, now=now)
    changed = replace(
        wanted,
        status=before.status,
        phases=before.phases,
        weights_changed_at=before.weights_changed_at,
        decided_variant=before.decided_variant,
        created_at=before.created_at,
        log=before.log,
        version=before.version,
    )
    if changed == before:
        return before
    _refuse_frozen(before, changed)
    if before.status is not Status.DRAFT:
        changed = _with_new_phase(before, changed, now)
        changed = _with_new_weights(before, changed, now)
        told = (replace(e, by=caller.name) for e in changed.log[len(before.log) :])
        changed = replace(changed, log=(*before.log, *told))
    changed = replace(changed, version=before.version + 1)
    store.replace_experiment(changed)
    detail = ", ".join(_differences(before, wanted))
    _audit(store, caller, "experiment.update", before.key, now, detail)
    return changed


def act_on_experiment(
    store: ConfigStore,
    key: ExperimentKey,
    action: Action,
    caller: Caller,
    now: datetime,
    *,
    variant: str | None = None,
    note: str = "",
    report: str = "",
) -> Experiment:
    """Take the experiment one step further in its life.

    Args:
        variant: what everybody sees from now on; for `decide` alone.
        note: why, for the decision log.
        report: fingerprint of the report that was read, for the decision log.

    Raises:
        AbtestError: `not_found`; `conflict` when its status does not allow it;
            `invalid`; `not_allowed`.
    """
    require(caller, Right.MANAGE)
    before = store.get_experiment(key)
    _check_length(note)
    if not before.allows(action):
        raise _not_possible(before, action)
    decided = _decided_variant(before, action, variant)
    detail = "; ".join(text for text in (decided, note) if text)
    after = replace(
        before.after(action, now, detail, by=caller.name, report=report),
        version=before.version + 1,
        decided_variant=decided or before.decided_variant,
    )
    if action is Action.START:
        phase = Phase(
            since=now, allocation=allocate(_weighted(after)), coverage=after.coverage
        )
        after = replace(after, phases=(phase,))
    store.replace_experiment(after)
    _audit(store, caller, f"experiment.{action}", key, now, detail)
    return after


def add_note(
    store: ConfigStore, key: ExperimentKey, note: str, caller: Caller, now: datetime
) -> Experiment:
    """Write a note into the decision log, whatever state the experiment is in.

    Raises:
        AbtestError: `not_found`; `invalid` for an empty or too long one; `conflict`
            when somebody else changed it meanwhile; `not_allowed`.
    """
    require(caller, Right.MANAGE)
    before = store.get_experiment(key)
    if not note.strip():
        raise invalid_field("/note", "required", "note is empty; say something")
    _check_length(note)
    entry = LogEntry(at=now, action=NOTE, detail=note.strip(), by=caller.name)
    after = replace(before, log=(*before.log, entry), version=before.version + 1)
    store.replace_experiment(after)
    _audit(store, caller, "experiment.note", key, now, note.strip())
    return after


def _check_length(note: str) -> None:
    if len(note) > MAX_NOTE:
        raise invalid_field(
            "/note",
            "too_long",
            f"note has {len(note)} characters; use at most {MAX_NOTE}",
        )


def possible_actions(experiment: Experiment) -> tuple[Action, ...]:
    """Return what may be done to the experiment now."""
    return tuple(a for a in Action if experiment.allows(a))


def _decided_variant(
    experiment: Experiment, action: Action, variant: str | None
) -> VariantKey | None:
    """Return the chosen variant; only a decision has one, and needs one."""
    if action is not Action.DECIDE:
        if variant is None:
            return None
        raise invalid_field(
            "/variant", "unsupported", f"{action} takes no variant; leave it out"
        )
    known = {v.key: v.key for v in experiment.variants}
    names = listed(known)
    if variant is None:
        raise invalid_field(
            "/variant",
            "required",
            f"variant is missing; say which one everybody shall see: {names}",
        )
    chosen = next((key for key in known if key == variant), None)
    if chosen is None:
        raise invalid_field(
            "/variant",
            "unknown_variant",
            f"variant {shown(variant)} is not in {experiment.key}; use one of {names}",
        )
    return chosen


def _refuse_frozen(before: Experiment, after: Experiment) -> None:
    """Refuse changes that would make what was counted mean something else."""
    if before.key != after.key:
        raise _frozen(
            "/key", f"the key of an experiment is for ever; {_NEW_EXPERIMENT}"
        )
    if before.status is Status.DRAFT:
        return
    frozen = tuple(_frozen_fields(before, after))
    if frozen:
        errors = tuple(
            FieldError(
                pointer=f"/{name}",
                code="frozen",
                detail=f"{name} is fixed since the start; {_NEW_EXPERIMENT}",
            )
            for name in frozen
        )
        raise AbtestError(
            ErrorCode.CONFLICT,
            f"{before.key} is {before.status} and {', '.join(frozen)} cannot change any"
            f" more; {_NEW_EXPERIMENT}",
            errors,
        )
    if _shares(before) != _shares(after) and before.status not in _OPEN:
        raise _frozen(
            "/variants",
            f"{before.key} is {before.status} and takes no new visitors, so shares and"
            " coverage have no use; leave them as they are",
        )


def _frozen_fields(before: Experiment, after: Experiment) -> Iterator[str]:
    if [v.key for v in before.variants] != [v.key for v in after.variants]:
        yield "variants"
    if before.step_keys != after.step_keys:
        yield "funnel"
    if before.goal.first != after.goal.first:
        yield "first_conversion"
    if before.goal.second != after.goal.second:
        yield "second_conversion"
    pairs = {
        "window_days": (before.window_days, after.window_days),
        "first_window_days": (before.first_window_days, after.first_window_days),
        "alpha": (before.alpha, after.alpha),
        "power": (before.power, after.power),
        "minimum_detectable_effect": (
            before.minimum_detectable_effect,
            after.minimum_detectable_effect,
        ),
        "first_conversion_margin": (
            before.first_conversion_margin,
            after.first_conversion_margin,
        ),
        "method": (before.method, after.method),
        "sequential_design": (before.sequential_design, after.sequential_design),
        "covariate": (before.covariate, after.covariate),
        "order_cap": (before.order_cap, after.order_cap),
        "time_zone": (before.time_zone, after.time_zone),
        "salt": (before.salt, after.salt),
        "hash_version": (before.hash_version, after.hash_version),
    }
    yield from (name for name, (old, new) in pairs.items() if old != new)


def _with_new_phase(before: Experiment, after: Experiment, now: datetime) -> Experiment:
    """Begin a new phase when shares or coverage changed; move as few as possible."""
    if _shares(before) == _shares(after):
        return after
    last = before.phases[-1]
    allocation = last.allocation
    if _weighted(before) != _weighted(after):
        allocation = reallocate(allocation, _weighted(after))
    phase = Phase(since=now, allocation=allocation, coverage=after.coverage)
    moved = moved_share(last.allocation, allocation)
    detail = f"coverage {after.coverage:g}, {_described(allocation)}, moved {moved:.2%}"
    return replace(
        after,
        phases=(*before.phases, phase),
        log=(*after.log, LogEntry(at=now, action="new phase", detail=detail)),
    )


def _with_new_weights(
    before: Experiment, after: Experiment, now: datetime
) -> Experiment:
    """Note that what conversions are worth was changed after the start."""
    if before.weights == after.weights:
        return after
    entry = LogEntry(
        at=now, action="weights changed", detail=f"{before.weights} -> {after.weights}"
    )
    return replace(after, weights_changed_at=now, log=(*after.log, entry))


def _shares(experiment: Experiment) -> tuple[float, list[tuple[str, float]]]:
    return experiment.coverage, _weighted(experiment)


def _weighted(experiment: Experiment) -> list[tuple[str, float]]:
    return [(v.key, v.weight) for v in experiment.variants]


def _described(allocation: Allocation) -> str:
    return " ".join(f"{s.variant}:{s.start}-{s.end}" for s in allocation)


def _differences(before: Experiment, after: Experiment) -> Iterator[str]:
    """Name the parts of the plan that differ."""
    names = (
        "name", "hypothesis", "variants", "funnel", "goal", "window_days",
        "first_window_days", "weights", "coverage", "alpha", "power",
        "minimum_detectable_effect", "first_conversion_margin", "method",
        "sequential_design", "covariate", "adaptive", "order_cap", "time_zone", "salt",
        "followed_until",
    )  # fmt: skip
    return (n for n in names if getattr(before, n) != getattr(after, n))


def _not_possible(experiment: Experiment, action: Action) -> AbtestError:
    possible = ", ".join(possible_actions(experiment)) or "nothing"
    needed = ", ".join(TRANSITIONS[action])
    return AbtestError(
        ErrorCode.CONFLICT,
        f"{experiment.key} is {experiment.status}; {action} needs it to be {needed}."
        f" Possible now: {possible}",
    )


def _frozen(pointer: str, detail: str) -> AbtestError:
    return AbtestError(
        ErrorCode.CONFLICT,
        detail,
        (FieldError(pointer=pointer, code="frozen", detail=detail),),
    )


def _audit(
    store: ConfigStore,
    caller: Caller,
    action: str,
    key: ExperimentKey,
    at: datetime,
    detail: str = "",
) -> None:
    store.append_audit(
        AuditEntry(at=at, actor=caller.name, action=action, subject=key, detail=detail)
    )
