"""Which variant a visitor gets: pure hashing, versioned, the same in every language."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from abtest.domain.allocation import BUCKETS, variant_at
from abtest.domain.experiment import Experiment, Status, VariantKey, VisitorId


class AssignmentReason(StrEnum):
    """Why a visitor gets the variant it gets."""

    ASSIGNED = "assigned"
    FORCED = "forced"
    HOLDOUT = "holdout"
    EXCLUDED_BY_LAYER = "excluded_by_layer"
    NOT_TARGETED = "not_targeted"
    OUTSIDE_COVERAGE = "outside_coverage"
    NOT_RUNNING = "not_running"
    DECIDED = "decided"
    NO_CONSENT = "no_consent"
    BOT = "bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The answer to "which variant do I show?".

    Attributes:
        in_experiment: whether this visitor counts in the results.
    """

    variant: VariantKey
    in_experiment: bool
    reason: AssignmentReason


def bucket(salt: str, purpose: str, visitor: str) -> int:
    """Return the visitor's bucket, 0 to BUCKETS - 1 (hash version 1).

    SHA-256 over the UTF-8 bytes of `salt:purpose:visitor`, its first six bytes as a
    big-endian integer, modulo BUCKETS. Six bytes stay exact in a JavaScript number.
    """
    digest = hashlib.sha256(f"{salt}:{purpose}:{visitor}".encode()).digest()
    return int.from_bytes(digest[:6], "big") % BUCKETS


def choose_variant(
    experiment: Experiment, visitor: VisitorId, exposed_to: VariantKey | None = None
) -> Assignment:
    """Decide what to show.

    A visitor who was exposed before keeps the variant while the experiment runs or
    is closed to new visitors; a paused or stopped experiment shows everybody the
    control, a decided one the chosen variant, also when it is archived.

    Args:
        exposed_to: the variant of the visitor's first exposure, if there was one.
    """
    control = experiment.control.key
    match experiment.status:
        case Status.DECIDED | Status.ARCHIVED if experiment.decided_variant is not None:
            return _outside(experiment.decided_variant, AssignmentReason.DECIDED)
        case Status.RUNNING | Status.CLOSED if exposed_to is not None:
            return _inside(exposed_to)
        case Status.RUNNING:
            phase = experiment.phases[-1]
        case _:
            return _outside(control, AssignmentReason.NOT_RUNNING)
    salt = experiment.salt
    if bucket(salt, "coverage", visitor) >= round(phase.coverage * BUCKETS):
        return _outside(control, AssignmentReason.OUTSIDE_COVERAGE)
    chosen = variant_at(phase.allocation, bucket(salt, "variant", visitor))
    return _inside(VariantKey(chosen))


# The same few answers are given to all visitors: made once.
@lru_cache(maxsize=4096)
def _inside(variant: VariantKey) -> Assignment:
    return Assignment(
        variant=variant, in_experiment=True, reason=AssignmentReason.ASSIGNED
    )


@lru_cache(maxsize=4096)
def _outside(variant: VariantKey, reason: AssignmentReason) -> Assignment:
    return Assignment(variant=variant, in_experiment=False, reason=reason)
